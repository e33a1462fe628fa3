"""Pages that are read without parsing them are what parsing gives; `python -m tests.fuzz.pages` tries millions."""

import json
import secrets
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.stripe.skim import skimmed
from sidecar.core.pages import Page
from sidecar.errors import StripeUnavailable
from tests.fuzz.pages.__main__ import judged
from tests.fuzz.pages.documents import Documents
from tests.fuzz.pages.judge import EVERYTHING, FORMS, WITH_SECRETS, faults, slow_page

FIXED = 7
NUMBER = 3_000
FEWEST = 0.15  # of the documents that must be read without parsing, so that there is something to compare
TEXTS = st.sampled_from(
    ["pi_1", "cus_1", "customer", "payment_intent", "a]b", "},{", "client_secret", "é", "\x7f", "😀"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["id", "object", "created", "customer", "client_secret", "data", "has_more", "metadata", "z"])
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
USUAL = st.fixed_dictionaries(
    {"id": TEXTS, "object": TEXTS, "created": st.integers(0, 10**12 - 1)},
    optional={
        "customer": TEXTS | st.none() | st.fixed_dictionaries({"id": TEXTS}),
        "client_secret": TEXTS,
        "z": VALUES,
    },
)


@pytest.mark.parametrize("seed", [FIXED, None])
def test_mutated_documents(seed: int | None) -> None:
    """O4: whatever the bytes, a page that is not parsed shows in each form exactly what a parsed one shows."""
    seed = secrets.randbits(30) if seed is None else seed
    print(f"python -m tests.fuzz.pages --seed {seed} --documents {NUMBER}")
    documents, random = Documents(seed), Random(seed)  # noqa: S311 - reproducible, not secret
    quick = 0

    for number in range(NUMBER):
        fast, told = judged(documents.document(number), random)
        quick += fast
        assert not told, f"{told}\npython -m tests.fuzz.pages --seed {seed} --only {number}"

    assert quick > FEWEST * NUMBER


@given(st.lists(OBJECTS | USUAL, max_size=4), st.booleans(), st.sampled_from([None, 1, "\t"]), st.randoms())
def test_structures(data: list[dict[str, object]], more: bool, indent: int | str | None, random: Random) -> None:  # noqa: FBT001 - has_more
    """O4: whatever the objects, a page that is not parsed shows in each form exactly what a parsed one shows."""
    page = {"object": "list", "data": data, "has_more": more, "url": "/v1/x"}

    assert faults(json.dumps(page, indent=indent, ensure_ascii=False).encode(), random, always=True)[1] == []


@given(st.lists(USUAL, max_size=4), st.booleans(), st.sampled_from([None, 2]))
def test_usual_pages_are_not_parsed(data: list[dict[str, object]], more: bool, indent: int | None) -> None:  # noqa: FBT001 - has_more
    """What Stripe usually writes is read without parsing."""
    page = {"object": "list", "data": data, "has_more": more, "url": "/v1/x"}

    found = skimmed(json.dumps(page, indent=indent, ensure_ascii=False).encode())

    assert found is not None
    assert (found.more, len(found)) == (more, len(data))


@pytest.mark.parametrize(
    ("content", "more", "number"),
    [
        (b'{"data":[],"has_more":false}', False, 0),
        (b' \t\r\n{ "data" : [ ] , "has_more" : true } \n', True, 0),
        (b'{"has_more":true,"data":[{}]}', True, 1),
        (b'{"has_more":true,"data":[{},{}],"has_more":false}', False, 2),
        (b'{"has_more":true,"has_more":false,"data":[]}', False, 0),
        (b'{"url":"]}","object":"[{","data":[{"a":"]"}],"has_more":true,"url":"}"}', True, 1),
        ('{"data":[{"a":"é😀"}],"has_more":true}'.encode(), True, 1),
    ],
)
def test_read_without_parsing(content: bytes, more: bool, number: int) -> None:  # noqa: FBT001 - has_more
    """A list in any order, with any space between, is read without parsing; of a name that is twice the last counts."""
    page = skimmed(content)

    assert page is not None
    assert (page.more, len(page), page.raw) == (more, number, content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"data":[]}',
        b'{"data":{},"has_more":true}',
        b'{"data":[],"has_more":1}',
        b'{"data":[],"has_more":true}]',
        b'{"data":[],"has_more":true',
        b'x{"data":[],"has_more":true}',
        b'{"data":[],"has_more":true,}',
        b'{"data":[] "has_more":true}',
        b'{"data":[1],"has_more":true}',
        b'{"data":[{}{}],"has_more":true}',
        b'{"data":[{},],"has_more":true}',
        b'{"data":[{}],"data":[],"has_more":true}',
        b'{"data":[{"a":[}],"has_more":true}',
        b'{"data":[{"a":"\\u0061"}],"has_more":true}',
        b'{"data":[{"a":"\xff"}],"has_more":true}',
        b'{"data":[{"a":"\xed\xa0\x80"}],"has_more":true}',
        b'{"data":[],"has_more":true,"url":"\xff"}',
        b'{"data":[],"has_more":true,"url":"\n"}',
        b'{"data":[],"has_more":true,"url":1}',
        b'{"data":[],"has_more":true,"next_page":"a"}',
        b'{"data":[],"has_more":true,"total_count":1}',
        b'\xef\xbb\xbf{"data":[],"has_more":true}',
        b'{"data":\x0c[],"has_more":true}',
        b'{"data":\x0b[],"has_more":true}',
        b'{"data":[],\xc2\xa0"has_more":true}',
        b'{"data":[{"id":1}],"has_more":true}',
        b'{"data":[{"created":true}],"has_more":true}',
        b'{"data":[{"a":NaN}],"has_more":true}',
        b'{"data":[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b'}],"has_more":true}',
        b'"data":[],"has_more":true',
        b'{"data":],"has_more":true,"a":[',
    ],
)
def test_for_parsing_to_judge(content: bytes) -> None:
    """What is not as Stripe writes it is left to parsing."""
    assert skimmed(content) is None


@pytest.mark.parametrize("levels", [200, 900, 1_000, 1_024, 1_025, 5_000, 100_000])
@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
@pytest.mark.parametrize("inner", [b"1", b"1e999", b'{"client_secret":"pi_1_secret_x","b":1}'])
def test_any_depth(levels: int, opened: bytes, closed: bytes, inner: bytes) -> None:
    """However deep a page is nested, it is refused, or passed on as it is without its secrets."""
    deep = opened * levels + inner + closed * levels
    content = b'{"data":[{"id":"x_1","object":"payment_intent","created":1,"a":%s}],"has_more":true}' % deep

    for page in filter(None, (skimmed(content), slow_page(content))):
        for form in FORMS:
            assert _written(page, form.name, secret=False) in {
                None,
                deep.replace(b'"client_secret":"pi_1_secret_x",', b""),
            }
            assert _written(page, form.name, secret=True) in {None, deep}


def _written(page: Page, form: str, *, secret: bool) -> bytes | None:
    """Give the attribute as it was written, None where it was refused."""
    [write] = [one.write for one in FORMS if one.name == form]
    try:
        written = write(page, WITH_SECRETS if secret else EVERYTHING)
    except (StripeUnavailable, RecursionError, TypeError):  # orjson writes 254 levels, and raises TypeError for more
        return None
    return written[
        written.index(b'"a":') + 4 : written.rindex(
            b"}", 0, written.rindex(b"}") if form in {"page", "search"} else None
        )
    ]
