"""Reads the claims of a JWT without verifying them: anybody can write any claim. Directus alone judges a token."""

import binascii
import re
from base64 import urlsafe_b64decode

from sidecar.core.access.strict_json import parse

_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


def claims(token: str) -> dict[str, object]:
    """Read a JWT's payload, empty for a text that Directus takes for a static token."""
    if not _JWT.fullmatch(token):
        return {}
    header, payload = (_json_part(part) for part in token.split(".")[:2])
    return payload if isinstance(header, dict) and isinstance(payload, dict) else {}


def issued_claims(token: str) -> dict[str, object] | None:
    """Read the payload of a token that says it is Directus's; None for a static one."""
    found = claims(token)
    return found if found.get("iss") == "directus" else None


def user_of(token: str) -> str | None:
    """Read the user's ID in a token of Directus, None for a static one."""
    user = (issued_claims(token) or {}).get("id")
    return user if isinstance(user, str) else None


def _json_part(part: str) -> object:
    """Parse strictly: Directus takes a token for static if JavaScript cannot parse its parts."""
    try:
        return parse(urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode())
    except (binascii.Error, ValueError, RecursionError):
        return None
