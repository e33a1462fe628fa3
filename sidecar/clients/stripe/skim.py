"""Reads of a page only what a list needs to know, and proves that the rest is JSON: a third of the work of parsing it.

It reads what is written as Stripe writes it, and gives None for everything else, which is then parsed. JSON without a
backslash holds a text exactly between its quotes, so bytes tell where the objects begin and end.
"""

import re

from sidecar.core.pages import Page

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
    if head is None or tail is None or end < head.end():
        return None
    more = tail[1] or head[1]
    if more is None:
        return None
    written = content[head.end() : end]
    try:
        return Page.skimmed(written, more=more == b"true", raw=content)
    except (ValueError, RecursionError):
        return None


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
