"""Reads all answers on a connection, independent of the service's own HTTP library."""

import re
from collections.abc import Iterator

from tests.doubles.wire import Answer

# aiohttp repeats the version that was asked for, whichever it is.
_HEAD = re.compile(rb"HTTP/[0-9]\.[0-9] ([1-5][0-9]{2}) [ -~]*\Z")
# The parser knows no method when it refuses, so it sends a body.
_REFUSED_BY_PARSER = (b'{"errors": [{"message": "The request is not', b'{"errors": [{"message": "The headers are too')
_SIZE = re.compile(rb"([0-9a-fA-F]+)\Z")
_BODILESS = {204, 304}


class Unreadable(Exception):
    """The bytes are no answers of HTTP/1."""


def answers(raw: bytes, *, to_head: bool, seconds: float = 0) -> Iterator[Answer]:
    """Give the final answers in order; `to_head`: none has a body. Raises Unreadable."""
    while raw:
        head, found, rest = raw.partition(b"\r\n\r\n")
        if not found:
            raise Unreadable("a head without an end")
        status_line, *lines = head.split(b"\r\n")
        match = _HEAD.match(status_line)
        if match is None:
            raise Unreadable("no status line")
        status = int(match[1])
        headers = tuple(_header(line) for line in lines)
        body, whole, after = _body({name.lower(): value for name, value in headers}, rest, status, to_head=to_head)
        if status >= 200:
            yield Answer(raw[: len(raw) - len(after)], status, headers, body, whole, seconds)
        raw = after


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.decode("latin-1").partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise Unreadable("a line that is no header")
    return name, value.strip()


def _body(headers: dict[str, str], rest: bytes, status: int, *, to_head: bool) -> tuple[bytes, bool, bytes]:
    """Give the body, whether it is whole, and what follows it."""
    if (to_head and not rest.startswith(_REFUSED_BY_PARSER)) or status < 200 or status in _BODILESS:
        return b"", True, rest
    if headers.get("transfer-encoding") == "chunked":
        return _chunks(rest)
    length = int(headers.get("content-length", len(rest)))
    return rest[:length], len(rest) >= length, rest[length:]


def _chunks(rest: bytes) -> tuple[bytes, bool, bytes]:
    body = bytearray()
    while True:
        size, found, rest = rest.partition(b"\r\n")
        if not found:
            return bytes(body), False, b""
        if not _SIZE.match(size):
            raise Unreadable("a chunk without a size")
        length = int(size, 16)
        body += rest[:length]
        if len(rest) < length + 2:
            return bytes(body), False, b""
        rest = rest[length + 2 :]
        if length == 0:
            return bytes(body), True, rest
