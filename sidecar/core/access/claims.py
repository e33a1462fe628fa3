"""Reads the claims of a JWT without verifying them: anybody can write any claim. Directus alone judges a token.

What Directus takes for a JWT of its own is read as it reads it: with the package jsonwebtoken and Node's `Buffer`,
which decode bytes and numbers that a strict reader refuses.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping

from sidecar.core.access.strict_json import parse

_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_FALSY = (None, False, 0, "")
_TOO_DEEP = {"iss": "directus"}


def claims(token: str) -> dict[str, object]:
    """Read a JWT's payload, empty for a text that Directus takes for a static token.

    What is nested too deeply to be read here counts as a token of Directus that names nobody.
    """
    if not _JWT.fullmatch(token):
        return {}
    header, payload, _ = token.split(".")
    try:
        if parse(_decoded(header).decode("latin-1"), parse_int=float) in _FALSY:
            return {}
        found = parse(_decoded(payload).decode(errors="replace"), parse_int=float)
        if isinstance(found, str):  # the package parses a text in the payload once more
            found = parse(found, parse_int=float)
    except RecursionError:
        return dict(_TOO_DEEP)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def issued_claims(token: str) -> dict[str, object] | None:
    """Read the payload of a token that says it is Directus's; None for a static one."""
    found = claims(token)
    return found if is_issued(found) else None


def is_issued(found: Mapping[str, object]) -> bool:
    """Whether the claims say that Directus issued the token."""
    return found.get("iss") == "directus"


def user_of(token: str) -> str | None:
    """Read the user's ID in a token of Directus, None for a static one and for one that names no user."""
    return user_in(issued_claims(token) or {})


def user_in(found: Mapping[str, object]) -> str | None:
    """Give the user's ID among the claims of a token of Directus, None for one that names no user."""
    user = found.get("id")
    return user if isinstance(user, str) and user else None


def _decoded(part: str) -> bytes:
    """Decode base64 as Node does, which drops a last character that is not a whole byte."""
    whole = part[:-1] if len(part) % 4 == 1 else part
    return urlsafe_b64decode(whole + "=" * (-len(whole) % 4))
