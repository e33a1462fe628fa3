"""What is known of a page's objects without parsing them is what parsing tells."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.operations.resources import RESOURCES, reference
from sidecar.core.pages import Listed, Page, listed_in, texts
from sidecar.errors import StripeUnavailable

TEXTS = st.sampled_from(["pi_1", "", "customer", "coupon", "é"])
SCALARS: st.SearchStrategy[object] = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
ANY: st.SearchStrategy[object] = st.one_of(
    SCALARS, st.lists(TEXTS, max_size=1), st.fixed_dictionaries({}, optional={"id": SCALARS, "a": SCALARS})
)
TIMES = st.sampled_from([0, 1, 1_760_000_000, 10**12 - 1, 10**12, -1, 2**63, 2**64, True, False, 1.0, 1e12])
OBJECTS = st.fixed_dictionaries(
    {}, optional={"id": ANY, "created": st.one_of(TIMES, ANY), "object": ANY, "customer": ANY, "other": ANY}
)


def _usual(value: dict[str, object]) -> bool:
    created, customer = value.get("created"), value.get("customer")
    customer = customer.get("id") if isinstance(customer, dict) else customer
    timed = created is None or (type(created) is int and 0 <= created < 10**12)
    return timed and all(isinstance(one, str | None) for one in (value.get("id"), value.get("object"), customer))


@given(OBJECTS)
def test_listed(value: dict[str, object]) -> None:
    """Read or parsed, the same is known of an object; where something has an unusual type, only parsing reads it."""
    parsed = Listed.of(value)
    try:
        [read] = listed_in(json.dumps([value]).encode())
    except ValueError:
        read = None

    assert parsed.customer_id == reference(value, "customer")
    assert (read is not None) == _usual(value)
    if read is not None:
        assert (read.id, read.created, read.object) == (parsed.id, parsed.created, parsed.object)
        assert (read.customer_id, read.time) == (parsed.customer_id, parsed.time)


@pytest.mark.parametrize(
    ("created", "time"),
    [
        (0, 0),
        (10**12 - 1, 10**12 - 1),
        (10**12, None),
        (-1, None),
        (True, None),
        (1.0, None),
        ("1", None),
        (None, None),
    ],
)
def test_created(created: object, time: int | None) -> None:
    """A time is whole seconds of at most twelve digits, which is what `created` can be compared with."""
    assert Listed.of({"created": created}).time == time


@pytest.mark.parametrize("value", [10**12, -1, True, 1.0, "1"])
def test_created_that_is_none(value: object) -> None:
    """An object whose time is none is left to parsing."""
    with pytest.raises(ValueError, match="created"):
        listed_in(orjson.dumps([{"created": value}]))


def test_kinds_without_a_date() -> None:
    """Objects of a kind that has no date are all of the same time."""
    [kind, *_] = [name for name, resource in RESOURCES.items() if not resource.has_date]

    assert Listed(object=kind).time == Listed(object=kind, created=5).time == 0
    assert (Listed(object="customer").time, Listed().time, Listed(object="no kind").time) == (None, None, None)
    assert (Listed(object="customer", created=5).time, Listed(created=5).time) == (5, 5)


def test_customers() -> None:
    """A customer is named by its ID, or is the whole customer, or none."""
    read = listed_in(b'[{"customer":"cus_1"},{"customer":{"id":"cus_2","a":1}},{"customer":{}},{"customer":null},{}]')

    assert [one.customer_id for one in read] == ["cus_1", "cus_2", None, None, None]


def test_page_of_objects() -> None:
    """A page of objects knows each, and gives it as a text."""
    page = Page(({"id": "a", "created": 1}, {"id": "b"}), more=True, next_page="c")

    assert (len(page), [one["id"] for one in page], [one.id for one in page.listed]) == (2, ["a", "b"], ["a", "b"])
    assert list(map(json.loads, page.texts)) == page.data
    assert (page.written, page.raw, page.next_page, page.more) == (None, None, "c", True)


def test_page_that_is_not_parsed() -> None:
    """A page as Stripe wrote it is parsed once, when somebody looks into it."""
    written = b'{"id": "a"} ,\n {"id": "b", "n": 1e999}'
    page = Page.skimmed(written, listed_in(b"[" + written + b"]"), more=False)

    assert page.texts == texts(written) == [b'{"id": "a"}', b'{"id": "b", "n": 1e999}']
    assert ([one.id for one in page.listed], page.written, page.more) == (["a", "b"], written, False)
    assert page.data is page.data
    assert orjson.dumps(page.data) == b'[{"id":"a"},{"id":"b","n":1e999}]'
    assert [entry["id"] for entry in page] == ["a", "b"]


def test_page_that_cannot_be_parsed() -> None:
    """A page that is nested too deeply to be parsed is an answer that cannot be read."""
    page = Page.skimmed(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", [Listed()], more=False)

    with pytest.raises(StripeUnavailable, match="cannot be read"):
        _ = page.data


def test_texts_are_made_once() -> None:
    """Several requests may share a page: its objects are taken apart for the first of them, and for all."""
    written = b'{"id":"pi_1"}, {"id":"pi_2"}'
    page = Page.skimmed(written, listed_in(b"[" + written + b"]"), more=False)

    first = page.texts

    assert first == [b'{"id":"pi_1"}', b'{"id":"pi_2"}']
    assert page.texts is first
