"""Reads cookies as Directus does: with the packages cookie-parser 1.4 and, in it, cookie 0.7.

Node joins several `Cookie` headers with "; ". Only spaces and tabs around a name or value are dropped, one pair of
quotes around a value too; escapes are decoded, and a value that then begins with `j:` is JSON.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from sidecar.core.access.strict_json import parse

_BLANK = " \t"
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def cookie_values(headers: Iterable[str], name: str) -> list[str | None]:
    """Give every value of `name`, in order; Directus takes the first. None is a value that is JSON and not a text."""
    pairs = (pair.partition("=") for pair in "; ".join(headers).split(";"))
    return [_read(value.strip(_BLANK)) for key, equals, value in pairs if equals and key.strip(_BLANK) == name]


def _read(value: str) -> str | None:
    if value.startswith('"') and value.endswith('"'):
        value = value[1:-1]
    value = _unescaped(value)
    return _from_json(value) if value.startswith("j:") else value


def _unescaped(value: str) -> str:
    """Decode as JavaScript's decodeURIComponent, which fails as a whole; the package then leaves the value as it is."""
    if _BROKEN_ESCAPE.search(value):
        return value
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        return value


def _from_json(value: str) -> str | None:
    """Parse what follows `j:`. The package leaves the value as it is if that is no JSON, or JSON that is "falsy"."""
    try:
        parsed = parse(value.removeprefix("j:"), parse_int=float)
    except RecursionError:
        return None  # JavaScript would parse it, to nested lists or objects
    except ValueError:
        return value
    match parsed:
        case "" | None | False | 0:
            return value
        case str():
            return parsed
        case _:
            return None
