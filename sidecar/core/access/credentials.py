"""Where a request may carry its token, and when that is ambiguous.

The places and their precedence are Directus's: ``Authorization: Bearer``, the query's ``access_token``, the session
cookie; header or query beats the cookie, header and query together are an error (Directus, "Authentication: access
tokens"). Directus alone judges whether a token is valid; this module must not.
"""

import binascii
import json
import math
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

from sidecar.errors import InvalidPayload, InvalidQuery

MAX_TOKEN_LENGTH = 4096
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
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


def find_credential(
    *, authorization: Sequence[str], access_token: Sequence[str], cookies: Sequence[str], address: str
) -> Credential | None:
    """Find the one token among all `Authorization` headers, `access_token` parameters and session cookies.

    None means that the request carries no credential by Directus's rules. Raises InvalidQuery or InvalidPayload where
    two tokens could be meant, or where the text cannot be a token of Directus.
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


def cookie_values(headers: Iterable[str], name: str) -> list[str]:
    """Give every value of `name` in the `Cookie` headers, in order, without quotes around it."""
    pairs = (pair.strip().partition("=") for header in headers for pair in header.split(";"))
    return [value.strip().strip('"') for key, _, value in pairs if key.strip() == name]


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


def subject(credential: Credential) -> str:
    """Name the caller so that a refreshed session has the same name.

    Use it only after Directus accepted the token: a token that Directus issued names its user; any other token,
    whatever it claims, is static and names itself.
    """
    user = user_id(credential)
    return f"token {credential.token}" if user is None else f"user {user}"


def user_id(credential: Credential) -> str | None:
    """Read the user's ID in a token of Directus, None for a static one; as with `subject`, only once it is accepted."""
    found = claims(credential.token)
    user = found.get("id")
    return user if found.get("iss") == "directus" and isinstance(user, str) else None


def claims(token: str) -> dict[str, object]:
    """Read a JWT's payload, empty for a text that Directus takes for a static token."""
    if not _JWT.fullmatch(token):
        return {}
    header, payload = (_json_part(part) for part in token.split(".")[:2])
    return payload if isinstance(header, dict) and isinstance(payload, dict) else {}


def _json_part(part: str) -> object:
    """Parse strictly: Directus takes a token for static if JavaScript cannot parse its parts."""
    try:
        text = urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
        return json.loads(text, parse_constant=_no_constant)
    except (binascii.Error, ValueError, RecursionError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


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


def _from_cookies(values: Sequence[str]) -> str | None:
    if len(set(values)) > 1:
        raise InvalidPayload("Send one session cookie; two different ones were sent under its name.")
    return values[0] if values and values[0] else None


def _credential(token: str, source: Source, address: str) -> Credential:
    if len(token) > MAX_TOKEN_LENGTH or not _VISIBLE_ASCII.fullmatch(token):
        raise InvalidPayload(f"The {source} does not contain a token: it is too long or has characters no token has.")
    return Credential(token, source, address)
