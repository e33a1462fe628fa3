"""Reads of a page only what a list needs to know, and proves that the rest is JSON: a third of the work of parsing it.

It reads what is written as Stripe writes it, and gives None for everything else, which is then parsed. JSON without a
backslash holds a text exactly between its quotes, so bytes tell where the objects begin and end.
"""

import re

from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page, listed_in
from sidecar.errors import StripeUnavailable

_SPACE = rb"[ \t\n\r]*"
_TEXT = rb'"[^"\x00-\x1f]*"'
_BESIDE = rb"(?:\"(?:object|url)\"%s:%s%s|\"has_more\"%s:%s(true|false))" % (_SPACE, _SPACE, _TEXT, _SPACE, _SPACE)
_HEAD = re.compile(rb"%s\{%s(?:%s%s,%s)*\"data\"%s:%s\[" % (_SPACE, _SPACE, _BESIDE, _SPACE, _SPACE, _SPACE, _SPACE))
_TAIL = re.compile(rb"(?:%s,%s%s)*%s\}%s" % (_SPACE, _SPACE, _BESIDE, _SPACE, _SPACE))


def skimmed(content: bytes) -> Page | None:
    """Give a list as Stripe wrote it; None where that is for parsing to judge."""
    if b"\\" in content or not _is_text(content):
        return None
    head, end = _HEAD.match(content), content.rfind(b"]")
    tail = None if head is None else _TAIL.fullmatch(content, end + 1)
    if head is None or tail is None:
        return None
    more = tail[1] or head[1]
    if more is None:
        return None
    try:
        listed = listed_in(memoryview(content)[head.end() - 1 : end + 1])
    except (ValueError, RecursionError):
        return None
    return Page.skimmed(content[head.end() : end], listed, more=more == b"true", raw=content)


def parsed_page(content: bytes, body: StripeObject) -> Page:
    """Give a list that was parsed. Raises StripeUnavailable where it is none."""
    match body:
        case {"data": list(data), "has_more": bool(more)} if all(isinstance(entry, dict) for entry in data):
            following = body.get("next_page")
            return Page(data, more=more, raw=content, next_page=following if isinstance(following, str) else None)
        case _:
            raise StripeUnavailable("Stripe's answer is not a list. Ask again.", detail="no list")


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
