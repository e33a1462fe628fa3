"""Measures requests as they arrive, which aiohttp's parser does not tell: how long a head is, and where a request ends.

aiohttp bounds each line of a head and their number, not the sum. It keeps a chunked body's trailers, which are lines
too, and knows no difference between a connection that waits for a request and one that has half of it.
"""

from typing import Any

from aiohttp.http import HttpProcessingError, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

_BLANK_LINE = b"\r\n\r\n"
_MOST = 80 * 1024  # bytes of one head: a target and four headers of 16 KiB; Directus's Node takes 16 KiB in all
_FRAMING = 512 * 1024  # bytes around the parts of a chunked body, beyond 16 for each byte in it

_Parsed = tuple[list[tuple[RawRequestMessage, StreamReader]], bool, bytes]


class HeadTooLong(HttpProcessingError):
    """The lines of a head are too long together."""


class MeasuredParser:
    """Takes the place of aiohttp's parser, and passes all on to it."""

    def __init__(self, parser: Any) -> None:  # noqa: ANN401 - aiohttp has two parsers, one of them without types
        self._parser = parser
        self._failed = False
        self._body: StreamReader = EMPTY_PAYLOAD
        self._end = b""
        self._begin()

    def _begin(self, *, half: bool = False) -> None:
        """Count from here; `half` says that the next head has begun already."""
        self._half = half
        self._read = self._head = self._length = self._requests = 0
        self._chunked = False
        self._end = self._end if half else b""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever aiohttp asks of its parser
        return getattr(self._parser, name)

    @property
    def between(self) -> bool:
        """Whether all that arrived are whole requests. A request behind another one is only seen if it is a whole one.

        False where that cannot be told, as when the end of a body came together with other requests.
        """
        return self._read == 0 and not self._half

    @property
    def excessive(self) -> bool:
        """Whether a chunked body has far more around its parts, or behind them, than in them."""
        if not self._chunked:
            return False
        around = self._read - self._head - self._body.total_bytes
        return around > _FRAMING + 16 * self._body.total_bytes

    def feed_data(self, data: bytes) -> _Parsed:
        """Parse. Raises HttpProcessingError, and nothing is parsed afterwards."""
        if self._failed:
            return [], False, b""
        try:
            parsed: _Parsed = self._parser.feed_data(data)
            self._measure(data, parsed[0])
        except HttpProcessingError:
            self._failed = True
            raise
        return parsed

    def _measure(self, data: bytes, requests: list[tuple[RawRequestMessage, StreamReader]]) -> None:
        if not self._head and (found := (self._end + data).find(_BLANK_LINE)) >= 0:
            self._head = self._read - len(self._end) + found + len(_BLANK_LINE)
        self._read += len(data)
        self._end = (self._end + data[-4:])[-4:]
        if requests:
            request, self._body = requests[-1]
            self._requests += len(requests)
            self._chunked = request.chunked
            self._length = int(request.headers.get("Content-Length", "0"))
        if self._first_head() > _MOST:
            raise HeadTooLong(message="The head is too long.")
        if self._requests and self._body.is_eof():
            self._begin(half=not self._at_end())

    def _first_head(self) -> int:
        """Give the length, so far, of the first head since a request ended; others came in one read with it."""
        return self._read if self._requests == 0 else self._head

    def _at_end(self) -> bool:
        """Whether nothing came behind the last request, whose body is complete."""
        if self._end == _BLANK_LINE:
            return True
        return self._requests == 1 and not self._chunked and self._read == self._head + self._length
