"""Claims as the sidecar reads them, compared with the package that Directus reads them with."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.core.access.claims import claims, issued_claims, user_of
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.identity import Standing, standing
from tests.integration.packages import Packages, packages
from tests.unit.core.access.test_claims import DIRECTUS_READS, DIRECTUS_READS_NOT, ISSUED, jwt


@pytest.fixture(scope="module")
def jsonwebtoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packages]:
    with packages(Path(__file__).with_name("claims.mjs"), tmp_path_factory.mktemp("claims")) as opened:
        yield opened


PIECES = [
    *('"iss":"directus"', '"iss":"Directus"', '"iss":null', '"\\u0069ss":"direct\\u0075s"', '"id":"ada"', '"id":""'),
    *('"share":"s"', '"share":null', '"sh\\u0061re":0', '"Share":1', '"__proto__":{"share":"s"}', '"role":null'),
    *('"x":NaN', '"x":1e999', '"x":-0', '"x":01', '"x":"\\ud800"', '"x":"\t"', '"x":[[1]]', f'"x":{"9" * 5000}'),
]
members = st.lists(st.sampled_from(PIECES), max_size=5).map(",".join)
objects = members.map(lambda some: "{" + some + "}")
texts = st.one_of(
    objects,
    objects.map(json.dumps),
    objects.map(json.dumps).map(json.dumps),
    objects.map(lambda one: f"[{one}]"),
    st.tuples(st.sampled_from([" ", "\n\t", "\ufeff", "\xa0", "x", "\0"]), objects).map("".join),
    objects.map(lambda one: f"{one} \r"),
)
payloads = st.one_of(texts.map(str.encode), texts.map(lambda text: text.encode().replace(b"ada", b"\xff\xfe")))
headers = st.sampled_from(
    [b'{"alg":"HS256","typ":"JWT"}', b'{"alg":"HS256"}', b'{"x":"\xff"}', b"[]", b"0", b"null", b'"x"']
)
tails = st.sampled_from(["", "", "A", "AA", "=", "-", "."])


@st.composite
def tokens(draw: st.DrawFn) -> str:
    parts = [urlsafe_b64encode(draw(part)).decode().rstrip("=") + draw(tails) for part in (headers, payloads)]
    return ".".join([*parts, draw(st.sampled_from(["signature", "", "s=", "s.t"]))])


def agree(told: dict[str, object], token: str) -> None:
    """Fail unless the token is Directus's own for both, with the same user, and no share hides."""
    own = issued_claims(token) is not None
    named = told["user"] if isinstance(told["user"], str) else None
    assert own == told["own"]
    assert user_of(token) == (named or None if own else None)
    whose = standing(Credential(token, Source.HEADER, None))
    if told["own"] and "share" in list(told["names"]):  # type: ignore[call-overload]  # the script writes a list
        assert whose is Standing.SHARE
    if told["own"] and not named:
        assert whose is not Standing.SOMEBODY
    assert (whose is Standing.SHARE) == ("share" in claims(token))


@settings(derandomize=True, max_examples=2000)
@given(tokens())
@example(jwt(ISSUED + b" " * (-len(ISSUED) % 3)).replace(".signature", "A.signature"))
def test_read_as_directus_does(jsonwebtoken: Packages, token: str) -> None:
    """O1: Directus's own token, its user and a share in it are the same for Directus and for the sidecar."""
    agree(jsonwebtoken.ask(token), token)


@pytest.mark.parametrize("token", [*DIRECTUS_READS.values(), *DIRECTUS_READS_NOT.values()])
def test_examples(jsonwebtoken: Packages, token: str) -> None:
    """O1: So are the examples of the unit tests."""
    agree(jsonwebtoken.ask(token), token)
