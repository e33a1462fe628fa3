"""Where a request may carry its token, and when that is ambiguous.

The places and their precedence are Directus's: ``Authorization: Bearer``, the query's ``access_token``, the session
cookie; header or query beats the cookie, header and query together are an error (Directus, "Authentication: access
tokens"). Directus alone judges whether a token is valid; this module must not.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sidecar.core.access.claims import claims, issued_claims, user_of
from sidecar.core.access.client_address import subscriber
from sidecar.errors import InvalidPayload, InvalidQuery

MAX_TOKEN_LENGTH = 16_000  # Directus's Node takes 16,384 bytes of target, names and values; ours need some 200 to 380
_TWO_COOKIES = (
    "Two different session cookies were sent under one name. Delete this site's cookies and sign in again. If that "
    "does not last, the cookie was set once with a Domain or Path and once without, as after SESSION_COOKIE_DOMAIN "
    "changed, or another application below the same domain uses the name: give Directus another SESSION_COOKIE_NAME."
)
# Registered ones (iana.org/assignments/http-authschemes), and those that libraries use without being registered.
_OTHER_SCHEMES = {
    name.lower(): name
    for name in (
        *("Basic", "Digest", "DPoP", "HOBA", "Mutual", "Negotiate", "NTLM", "OAuth", "PrivateToken"),
        *("ApiKey", "JWT", "Key", "Token"),
    )
}
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")


class Source(StrEnum):
    """The place of the token; SERVICE is the operator's own token, from the settings."""

    HEADER = "header"
    QUERY = "query"
    COOKIE = "cookie"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Credential:
    """A token and the client's address: Directus's answer depends on both.

    `address` is None for the service token, for which Directus sees the sidecar's own address.
    """

    token: str = field(repr=False)
    source: Source
    address: str | None


@dataclass(frozen=True, slots=True)
class Guest:
    """Whoever asks without a credential. No more is known than the address, and nothing is asked in a guest's name."""

    address: str


def find_credential(
    *, authorization: Sequence[str], access_token: Sequence[str], cookies: Sequence[str | None], address: str
) -> Credential | None:
    """Find the one token among all `Authorization` headers, `access_token` parameters and session cookies.

    A cookie that is None contains JSON that is no text. None as the result means that the request carries no
    credential by Directus's rules. Raises InvalidQuery or InvalidPayload where two tokens could be meant, or where the
    text cannot be a token of Directus.
    """
    header = _from_header(authorization)
    query = _from_query(access_token)
    if header is not None and query is not None:
        raise InvalidPayload("Send the token as the Authorization header or as access_token, not as both.")
    if header is not None:
        return _credential(header, Source.HEADER, address)
    if query is not None:
        return _credential(query, Source.QUERY, address)
    cookie = _from_cookies(cookies)
    return None if cookie is None else _credential(cookie, Source.COOKIE, address)


def why_no_token(authorization: Sequence[str]) -> str:
    """Say what is wrong with an `Authorization` header that carries no token; empty where there is none.

    Only names of schemes are repeated: what stands in their place may be a token.
    """
    match authorization[0].split() if len(authorization) == 1 else []:
        case []:
            return ""
        case [scheme, *_] if scheme.lower() == "bearer":
            return "The Authorization header must be `Bearer`, one space, and the token."
        case [_]:
            return "The Authorization header has no scheme: write `Bearer` and a space before the token."
        case [scheme, *_] if scheme.lower() in _OTHER_SCHEMES:
            return f"The scheme of the Authorization header is {_OTHER_SCHEMES[scheme.lower()]}; it must be Bearer."
        case _:
            return "The scheme of the Authorization header must be Bearer."


def expires_at(token: str) -> float | None:
    """Read the `exp` of a JWT, in seconds since the epoch, without verifying anything; None where there is none.

    Use it only to shorten the life of a stored answer: anybody can write any `exp`.
    """
    exp = claims(token).get("exp")
    if isinstance(exp, bool) or not isinstance(exp, int | float):
        return None
    try:
        return float(exp) if math.isfinite(exp) else None
    except OverflowError:
        return None


def subject(who: Credential | Guest) -> str:
    """Name the caller so that a refreshed session has the same name.

    Use it only after Directus accepted the token: a token that Directus issued names its user or its share, for which
    anybody with the link gets any number of tokens; any other token, whatever it claims, is static and names itself.
    Guests at the addresses of one subscriber have one name.
    """
    if isinstance(who, Guest):
        return f"guest {subscriber(who.address)}"
    claimed = issued_claims(who.token) or {}
    for name, kind in (("id", "user"), ("share", "share")):
        if isinstance(value := claimed.get(name), str):
            return f"{kind} {value}"
    return f"token {who.token}"


def _from_header(values: Sequence[str]) -> str | None:
    if len(values) > 1:
        raise InvalidPayload("Send one Authorization header, not several.")
    match values[0].split(" ") if values else []:
        case [scheme, token] if scheme.lower() == "bearer":
            return token
        case _:
            return None


def _from_query(values: Sequence[str]) -> str | None:
    if len(values) > 1 or "" in values:
        raise InvalidQuery("Send access_token once and not empty, or leave it out.")
    return values[0] if values else None


def _from_cookies(values: Sequence[str | None]) -> str | None:
    """Take the first, as Directus does, unless another one could be somebody else's."""
    first = values[0] if values else ""
    if first is None:
        raise InvalidPayload("The session cookie contains JSON that is no text, so it contains no token.")
    others = set(values) - {first, ""}
    if first and others and not _of_one_user([first, *others]):
        raise InvalidPayload(_TWO_COOKIES)
    return first or None


def _of_one_user(tokens: Sequence[str | None]) -> bool:
    """Whether all are Directus's own tokens that name one user, such as an old and a new session of one person."""
    users = {None if token is None else user_of(token) for token in tokens}
    return len(users) == 1 and None not in users


def _credential(token: str, source: Source, address: str) -> Credential:
    if len(token) > MAX_TOKEN_LENGTH or not _VISIBLE_ASCII.fullmatch(token):
        raise InvalidPayload(f"The {source} does not contain a token: it is too long or has characters no token has.")
    return Credential(token, source, address)
