"""Leaves client secrets out of JSON that is not parsed.

In JSON without a backslash a text stands between its quotes as it is, so the bytes `"client_secret"` are always one
whole text: the name of a member where a colon follows, a value otherwise.
"""

import re

NAME = "client_secret"
_WRITTEN = b'"client_secret"'
_SPACE = rb"[ \t\n\r]*"
_VALUE = re.compile(rb'%s:%s(?:"[^"]*"|null)%s,%s' % (_SPACE, _SPACE, _SPACE, _SPACE))


def without_client_secrets(written: bytes) -> bytes | None:
    """Give the objects without their members of that name, at any depth; None where only parsing can tell.

    That is where there is a backslash, where such a member is the last of its object, or is something else than a text
    or null, and where the name is a value.
    """
    if b"\\" in written:
        return None
    first, *behind = written.split(_WRITTEN)
    kept = [first]
    for part in behind:
        value = _VALUE.match(part)
        if value is None:
            return None
        kept.append(part[value.end() :])
    return b"".join(kept)
