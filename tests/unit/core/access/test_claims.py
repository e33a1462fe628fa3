"""What Directus takes for its own token is read as Directus reads it, so that no claim hides from this service."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.core.access.claims import claims, issued_claims, user_of
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.identity import Standing, share_of, standing

SHARE = "15f2673a-3a9a-4829-8961-3cb3343c1a2b"
ISSUED = b'{"iss":"directus","share":"%b"}' % SHARE.encode()
HEADER = b'{"alg":"HS256","typ":"JWT"}'


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")


def jwt(payload: bytes, header: bytes = HEADER) -> str:
    return f"{encoded(header)}.{encoded(payload)}.signature"


def credential(token: str) -> Credential:
    return Credential(token, Source.HEADER, "192.0.2.7")


def text_within(payload: bytes) -> bytes:
    return json.dumps(payload.decode()).encode()


# Each but "too deep" was signed with Directus's secret, and Directus 11.17 took it for a share's token.
DIRECTUS_READS = {
    "plain": jwt(ISSUED),
    "header in Latin-1": jwt(ISSUED, HEADER[:-1] + b',"x":"\xff"}'),
    "header without type": jwt(ISSUED, b'{"alg":"HS256"}'),
    "bytes that are not UTF-8": jwt(ISSUED[:-1] + b',"x":"\xff"}'),
    "a long number": jwt(ISSUED[:-1] + b',"x":' + b"9" * 5000 + b"}"),
    "blanks": jwt(b" \n\t" + ISSUED + b"\r "),
    "an escaped name": jwt(ISSUED.replace(b'"share"', b'"\\u0073h\\u0061re"')),
    "a second name": jwt(ISSUED[:-1] + b',"share":null}'),
    "a second issuer": jwt(b'{"iss":"other",' + ISSUED[1:]),
    "a text within": jwt(text_within(ISSUED)),
}


@pytest.mark.parametrize("token", DIRECTUS_READS.values(), ids=DIRECTUS_READS)
def test_read_as_directus_does(token: str) -> None:
    """O1: However Directus's own JWT package reads a token, the share in it is seen."""
    assert issued_claims(token) is not None
    assert standing(credential(token)) is Standing.SHARE


def test_a_last_character_of_no_byte() -> None:
    """O1: Node drops a last character of base64 that is not a whole byte, and Directus reads the rest."""
    whole = ISSUED + b" " * (-len(ISSUED) % 3)
    header, payload, signature = jwt(whole).split(".")

    assert claims(f"{header}.{payload}A.{signature}") == json.loads(ISSUED)


DIRECTUS_READS_NOT = {
    "a byte order mark": jwt(b"\xef\xbb\xbf" + ISSUED),
    "a text within a text": jwt(text_within(text_within(ISSUED))),
    "a list": jwt(b"[" + ISSUED + b"]"),
    "no header": f"x.{encoded(ISSUED)}.signature",
    "a header of nothing": jwt(ISSUED, b"null"),
    "two parts": jwt(ISSUED).rpartition(".")[0],
    "padding": jwt(ISSUED).replace(".signature", "=.signature"),
    "not JSON": jwt(ISSUED[:-1] + b',"x":NaN}'),
}


@pytest.mark.parametrize("token", DIRECTUS_READS_NOT.values(), ids=DIRECTUS_READS_NOT)
def test_static_for_directus(token: str) -> None:
    """A token that Directus takes for a static one has no claims here either."""
    assert claims(token) == {}
    assert standing(credential(token)) is Standing.SOMEBODY


@pytest.mark.parametrize("part", [b"[", b'{"a":'], ids=["lists", "objects"])
@pytest.mark.parametrize("place", ["payload", "header", "text"])
def test_too_deep_to_read(part: bytes, place: str) -> None:
    """O1: Directus reads what is nested too deeply to be read here, so such a token is refused."""
    end = {b"[": b"]", b'{"a":': b"}"}[part]
    depth = 1100 if place == "text" else 1800
    deep = part * depth + (b"" if part == b"[" else b"1") + end * depth
    payload, header = ISSUED[:-1] + b',"x":' + deep + b"}", HEADER[:-1] + b',"x":' + deep + b"}"
    tokens = {"payload": jwt(payload), "header": jwt(ISSUED, header), "text": jwt(text_within(payload))}

    assert standing(credential(tokens[place])) is not Standing.SOMEBODY


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
blanks = st.text(" \t\n\r", max_size=2)


@st.composite
def names(draw: st.DrawFn, name: str) -> str:
    """Write a name with any of its letters escaped, in any case."""
    letters = (draw(st.sampled_from([x, f"\\u{ord(x):04x}", f"\\u{ord(x):04X}"])) for x in name)
    return f'"{"".join(letters)}"'


@st.composite
def payloads(draw: st.DrawFn, *, shared: bool) -> bytes:
    """Write claims as no serializer would; with `shared` one of them is a share."""
    others = [n for n in ("id", "role", "iss", "shares", "Share", "session", "__proto__") if draw(st.booleans())]
    members = [*others, *others[:1], *(["share"] * draw(st.integers(1, 2)) if shared else [])]
    written = [
        draw(blanks) + draw(names(name)) + draw(blanks) + ":" + draw(blanks) + json.dumps(draw(values)) + draw(blanks)
        for name in draw(st.permutations(members))
    ]
    return (draw(blanks) + "{" + ",".join(written) + "}" + draw(blanks)).encode()


@given(payloads(shared=True), st.booleans())
@example(b'{"share":false}', False)  # noqa: FBT003 - an example is positional
def test_a_share_is_always_seen(payload: bytes, within: bool) -> None:  # noqa: FBT001 - see above
    """O1: A share among the claims is seen whatever its value, its spelling, its issuer and what stands beside it."""
    assert standing(credential(jwt(text_within(payload) if within else payload))) is Standing.SHARE


@given(payloads(shared=False))
def test_nothing_else_is_a_share(payload: bytes) -> None:
    """O1: Without a claim of that very name no token is a share's."""
    assert standing(credential(jwt(payload))) is not Standing.SHARE


@given(st.text() | st.binary().map(jwt) | st.tuples(st.binary(), st.binary()).map(lambda parts: jwt(*parts)))
def test_reading_never_fails(token: str) -> None:
    """Anyone can write any token, so any token has a standing."""
    assert isinstance(standing(credential(token)), Standing)
    assert isinstance(claims(token), dict)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"iss":"directus","id":"ada","role":null}', Standing.SOMEBODY),
        (b'{"iss":"directus","id":null,"role":"clerk"}', Standing.NOBODY),
        (b'{"iss":"directus","id":"","role":"clerk"}', Standing.NOBODY),
        (b'{"iss":"directus","id":5,"role":"clerk"}', Standing.NOBODY),
        (b'{"iss":"directus","id":["ada"],"role":"clerk"}', Standing.NOBODY),
        (b'{"iss":"directus","role":"clerk"}', Standing.NOBODY),
        (b'{"iss":"directus","email":"ada@example.com","scope":"password-reset"}', Standing.NOBODY),
        (b'{"iss":"Directus","role":"clerk"}', Standing.SOMEBODY),
        (b'{"role":"clerk"}', Standing.SOMEBODY),
        (b'{"iss":"other","share":"s"}', Standing.SHARE),
        (b'{"iss":"directus","id":"ada","role":"clerk","share":null}', Standing.SHARE),
    ],
)
def test_whose_it_is(payload: bytes, expected: Standing) -> None:
    """O1: A token of Directus is somebody's only if it names a user and no share; a static one is somebody's."""
    assert standing(credential(jwt(payload))) is expected


def test_an_empty_id_is_no_user() -> None:
    """A2: Two tokens with an empty ID are not of one user."""
    assert user_of(jwt(b'{"iss":"directus","id":""}')) is None


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (ISSUED, SHARE),
        (
            ISSUED.upper().replace(b"DIRECTUS", b"directus").replace(b"ISS", b"iss").replace(b"SHARE", b"share"),
            SHARE.upper(),
        ),
        (ISSUED[:-1] + b',"id":"ada"}', None),
        (ISSUED.replace(b"directus", b"other"), None),
        (b'{"iss":"directus","share":["%b"]}' % SHARE.encode(), None),
        (b'{"iss":"directus","share":"../../users/me?"}', None),
        (b'{"iss":"directus","share":"%b/x"}' % SHARE.encode(), None),
        (b'{"iss":"directus","share":null}', None),
    ],
)
def test_which_share(payload: bytes, expected: str | None) -> None:
    """O1: Only a share's ID as Directus writes it is used in a path, and only of a token that names no user."""
    assert share_of(credential(jwt(payload))) == expected
