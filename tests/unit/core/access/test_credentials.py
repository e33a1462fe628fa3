"""Checks A1-A5: where a token may be sent, and when two tokens are ambiguous."""

import base64
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.credentials import (
    MAX_TOKEN_LENGTH,
    Credential,
    Guest,
    Source,
    expires_at,
    find_credential,
    subject,
)
from sidecar.errors import InvalidPayload, InvalidQuery, RequestError

ADDRESS = "192.0.2.7"
VISIBLE = [chr(code) for code in range(0x21, 0x7F)]


def find(
    *,
    authorization: list[str] | None = None,
    access_token: list[str] | None = None,
    cookies: Sequence[str | None] | None = None,
) -> Credential | None:
    return find_credential(
        authorization=authorization or [], access_token=access_token or [], cookies=cookies or [], address=ADDRESS
    )


def directus(authorization: str | None, access_token: str | None, cookie: str | None) -> str | None:
    """Read a request as Directus 11 does (its middleware "extract-token"); ValueError is its 400."""
    token = access_token or None
    parts = (authorization or "").split(" ")
    if len(parts) == 2 and parts[0].lower() == "bearer":
        if token is not None:
            raise ValueError("two tokens")
        token = parts[1]
    return token if token is not None else cookie or None


@pytest.mark.parametrize(
    ("places", "token", "source"),
    [
        ({"authorization": ["Bearer h"]}, "h", Source.HEADER),
        ({"access_token": ["q"]}, "q", Source.QUERY),
        ({"cookies": ["c"]}, "c", Source.COOKIE),
        ({"cookies": ["c", "c"]}, "c", Source.COOKIE),
        ({"cookies": ["c", ""]}, "c", Source.COOKIE),
        ({"cookies": ["c", "", "c"]}, "c", Source.COOKIE),
        ({"authorization": ["Bearer h"], "cookies": ["c"]}, "h", Source.HEADER),
        ({"authorization": ["Bearer h"], "cookies": ["c", "d"]}, "h", Source.HEADER),
        ({"access_token": ["q"], "cookies": ["c"]}, "q", Source.QUERY),
        ({"authorization": ["Basic dTpw"], "access_token": ["q"]}, "q", Source.QUERY),
        ({"authorization": ["Basic dTpw"], "cookies": ["c"]}, "c", Source.COOKIE),
    ],
)
def test_each_place_and_their_precedence(places: dict[str, list[str]], token: str, source: Source) -> None:
    """A1: Header, query and cookie are each accepted, and header or query take precedence over the cookie."""
    assert find(**places) == Credential(token, source, ADDRESS)


def test_header_and_query_together_are_refused() -> None:
    """A1: A token in the header together with one in the query is refused, even if they are equal."""
    with pytest.raises(InvalidPayload, match="access_token"):
        find(authorization=["Bearer x"], access_token=["x"])


@pytest.mark.parametrize(
    ("places", "error"),
    [
        ({"authorization": ["Bearer x", "Bearer x"]}, InvalidPayload),
        ({"authorization": ["Basic x", "Bearer y"]}, InvalidPayload),
        ({"cookies": ["c", "d"]}, InvalidPayload),
        ({"cookies": ["c", "", "d"]}, InvalidPayload),
        ({"cookies": ["c", None]}, InvalidPayload),
        ({"access_token": ["x", "x"]}, InvalidQuery),
        ({"access_token": [""]}, InvalidQuery),
        ({"access_token": [""], "authorization": ["Bearer x"]}, InvalidQuery),
    ],
)
def test_more_than_one_is_refused(places: dict[str, list[str]], error: type[RequestError]) -> None:
    """A2: If two tokens are possible, none is chosen."""
    with pytest.raises(error, match=r"Authorization|access_token|cookie"):
        find(**places)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_may_be_in_any_case(scheme: str) -> None:
    """A3: The word Bearer is accepted in any case."""
    credential = find(authorization=[f"{scheme} x"])

    assert credential is not None
    assert credential.token == "x"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer  x", "Bearer a b", " Bearer x", "Bearer\tx", "Basic dTpw", "x", "Token x"]
)
def test_other_headers_are_no_credential(header: str) -> None:
    """A3: A header that Directus does not read as a bearer token is no credential here either."""
    assert find(authorization=[header]) is None


def test_nothing_is_no_credential() -> None:
    """A4: A request without any token, or whose first session cookie is empty, carries no credential."""
    assert find() is None
    assert find(cookies=[""]) is None
    assert find(cookies=["", "c"]) is None
    assert find(cookies=["", None, "c", "d"]) is None


def test_json_is_no_token() -> None:
    """A5: A cookie that is JSON and no text is refused, whatever follows it."""
    for cookies in ([None], [None, "c"], [None, None]):
        with pytest.raises(InvalidPayload, match="JSON"):
            find(cookies=cookies)


@pytest.mark.parametrize("source", ["authorization", "access_token", "cookies"])
@pytest.mark.parametrize("token", ["a\x00b", "a\nb", "a\x7f", "tök", "x\u2028", "x" * (MAX_TOKEN_LENGTH + 1)])
def test_an_impossible_token_is_refused_and_not_repeated(source: str, token: str) -> None:
    """A5: Control characters, non-ASCII and oversize tokens are refused, and the message does not repeat them."""
    value = f"Bearer {token}" if source == "authorization" else token

    with pytest.raises(InvalidPayload, match="token") as refusal:
        find(**{source: [value]})

    assert token not in str(refusal.value)


def test_the_longest_token_is_accepted() -> None:
    """A5: A token of the greatest length is accepted; only a longer one is refused."""
    assert find(cookies=["x" * MAX_TOKEN_LENGTH]) is not None


def test_a_credential_shows_no_token() -> None:
    """S1: A credential that ends up in a log line does not show its token."""
    assert "hush" not in repr(Credential("hush", Source.HEADER, ADDRESS))


tokens = st.sampled_from(["", "x", "y", "a b", "tök", "a\x01"]) | st.text(VISIBLE, max_size=8)
schemes = st.sampled_from(["Bearer ", "bearer ", "BEARER ", "Bearer  ", "Basic ", "Bearer", ""])
authorizations = st.lists(st.tuples(schemes, tokens).map("".join), max_size=2)
values = st.lists(tokens, max_size=2)


@given(authorization=authorizations, access_token=values, cookies=values)
def test_nothing_is_read_that_directus_would_read_otherwise(
    authorization: list[str], access_token: list[str], cookies: list[str]
) -> None:
    """A1-A5: Any combination gives exactly the token that Directus finds in it, or is refused."""
    try:
        found = find(authorization=authorization, access_token=access_token, cookies=cookies)
    except RequestError:
        return

    assert len(authorization) < 2
    assert len(access_token) < 2
    expected = directus(*(places[0] if places else None for places in (authorization, access_token, cookies)))
    assert (found.token if found else None) == expected


@given(token=st.text(VISIBLE, min_size=1), place=st.sampled_from(["authorization", "access_token", "cookies"]))
def test_one_proper_token_is_never_refused(token: str, place: str) -> None:
    """A1: Any visible text that is alone in one place is the credential."""
    credential = find(**{place: [f"Bearer {token}" if place == "authorization" else token]})

    assert credential is not None
    assert credential.token == token


def jwt(payload: bytes) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.sig"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ('{"exp": 1700000000}', 1700000000.0),
        ('{"exp": 1700000000.5}', 1700000000.5),
        ('{"exp": -1}', -1.0),
        ('{"exp": true}', None),
        ('{"exp": "1700000000"}', None),
        ('{"exp": null}', None),
        ('{"exp": Infinity}', None),
        ('{"exp": 1e999}', None),
        ('{"exp": NaN}', None),
        ('{"exp": 1' + "0" * 400 + "}", None),
        ('{"exp": 1' + "0" * 5000 + "}", None),
        ("{}", None),
        ("[1]", None),
        ("7", None),
        ("{", None),
        ("[" * 100_000, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_expiry_of_a_jwt(claims: str, expected: float | None) -> None:
    """C8: The expiry is the claim `exp` if that is a finite number, and unknown otherwise."""
    assert expires_at(jwt(claims.encode())) == expected


@pytest.mark.parametrize("token", ["", "static-token", "a.b", "a.b.c.d", "..", "a.!!.c", "a.é.c", jwt(b"\xff\xfe\x00")])
def test_other_tokens_have_no_known_expiry(token: str) -> None:
    """C8: Text that is not a JWT has no expiry."""
    assert expires_at(token) is None


@given(st.text() | st.binary().map(jwt) | st.recursive(st.none() | st.floats(), st.lists).map(json.dumps).map(str))
def test_reading_an_expiry_never_fails(token: str) -> None:
    """C8: Anyone can write any token, so any token gives a number or nothing."""
    assert isinstance(expires_at(token), float | None)


OLD = jwt(b'{"iss": "directus", "id": "7d1c", "session": "a", "exp": 1700000000}')
NEW = jwt(b'{"iss": "directus", "id": "7d1c", "session": "b", "exp": 1700003600}')
OTHERS = {
    "another user": jwt(b'{"iss": "directus", "id": "7d1d"}'),
    "another issuer": jwt(b'{"iss": "other", "id": "7d1c"}'),
    "no user": jwt(b'{"iss": "directus", "share": "s"}'),
    "null": jwt(b'{"iss": "directus", "id": null}'),
    "static": "static-token",
    "JSON": None,
}


@pytest.mark.parametrize("cookies", [[OLD, NEW], [NEW, OLD], [OLD, "", NEW, OLD], [OLD, OLD, NEW]])
def test_two_sessions_of_one_user(cookies: list[str | None]) -> None:
    """A2: Of several sessions that name one user the first counts, as in Directus."""
    assert find(cookies=cookies) == Credential(str(cookies[0]), Source.COOKIE, ADDRESS)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_two_sessions_that_may_be_of_two_users(other: str | None) -> None:
    """A2: Next to a session of another user, or of no user, none is chosen; the message names likely causes."""
    for cookies in ([OLD, other], [OLD, NEW, other], [OLD, "", other]):
        with pytest.raises(InvalidPayload, match=r"SESSION_COOKIE_DOMAIN.*SESSION_COOKIE_NAME"):
            find(cookies=cookies)


def test_two_tokens_without_a_user() -> None:
    """A2: Two tokens that name no user do not count as tokens of one user."""
    share, other = jwt(b'{"iss": "directus", "share": "s"}'), jwt(b'{"iss": "directus", "share": "t"}')

    with pytest.raises(InvalidPayload, match="Two different"):
        find(cookies=[share, other])


USER = jwt(b'{"iss": "directus", "id": "7d1c"}')
BODY = USER.split(".")[1]


def caller(token: str) -> str:
    return subject(Credential(token, Source.HEADER, ADDRESS))


def test_a_refreshed_session_is_the_same_caller() -> None:
    """W5: Two tokens that Directus issued to one user identify one caller; a token of another user, another one."""
    later = jwt(b'{"iss": "directus", "id": "7d1c", "exp": 1700000000}')

    assert caller(USER) == caller(later)
    assert caller(USER) != caller(jwt(b'{"iss": "directus", "id": "7d1d"}'))


def test_a_share_is_one_caller() -> None:
    """F1: Whoever holds a link to a share gets as many tokens as it likes: they are one caller, and no user's."""
    first, second, other = (
        jwt(b'{"iss": "directus", "share": "%b", "iat": %d}' % (share, number))
        for number, share in enumerate((b"s", b"s", b"7d1c"))
    )

    assert caller(first) == caller(second)
    assert len({caller(first), caller(other), caller(USER)}) == 3


@pytest.mark.parametrize(
    "claims", [b"{}", b'{"iss": "directus"}', b'{"iss": "other", "id": "7d1c"}', b'{"iss": "directus", "id": 7}', b"[]"]
)
def test_any_other_token_names_itself(claims: bytes) -> None:
    """W5: Tokens without Directus as issuer and without a user never identify the same caller."""
    first, second = (f"{head}.{jwt(claims).split('.')[1]}.sig" for head in ("e30", "e31"))

    assert caller(first) != caller(second)
    assert caller(first) != caller(USER)


@pytest.mark.parametrize(
    "token", [f"x.{BODY}.sig", f"e30.!{BODY}.sig", f".{BODY}.sig", f"e30.{BODY}=.sig"], ids=lambda token: str(token)[:5]
)
def test_a_static_token_cannot_claim_to_be_a_user(token: str) -> None:
    """W5: A token that Directus's JWT reader cannot read is a static token, which its owner may choose freely."""
    assert caller(token) != caller(USER)


def test_guests_go_by_their_addresses() -> None:
    """F1: The guests of one IPv4 address, and of one IPv6 subscriber, are one caller; no token is the same as any."""
    names = [subject(Guest(address)) for address in ("192.0.2.7", "192.0.2.8", "2001:db8::1", "2001:db8::2:0:0:1")]
    other = subject(Guest("2001:db8:0:1::1"))

    assert len({*names, other, caller("192.0.2.7"), caller("guest 192.0.2.7")}) == 6
    assert names[2] == names[3]
