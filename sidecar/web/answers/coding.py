"""gzip for long lists (RFC 9110, 12.5.3): which clients take it, and a stream that can be read page by page.

Level 1 of zlib makes a list some nine times smaller for a third of a millisecond a page; higher ones cost twice that
for little, and a list is bounded by the pages that Stripe gives. Nothing here decides what may be compressed.
"""

import re
import zlib
from collections.abc import Iterator, Sequence

_LEVEL = 1
_WITH_HEADER = 16 + zlib.MAX_WBITS  # zlib's way to say gzip
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_PIECE = 2**16  # bytes that are compressed without a pause: some 0.2 ms


def takes_gzip(accepted: Sequence[str]) -> bool:
    """Say whether a client with these values of `Accept-Encoding` takes gzip, and not rather what is as it is."""
    weights: dict[str, float] = {}
    for element in ",".join(accepted).split(","):
        coding, *parameters = (part.strip().lower() for part in element.split(";"))
        weights[coding] = min((_weight(each) for each in parameters), default=1.0)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    return float(value) if name == "q" and _WEIGHT.fullmatch(value) else 0.0


class Gzip:
    """One compressed stream. Without `end` it is cut off, as every reader of gzip sees."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WITH_HEADER)

    def page(self, payload: bytes) -> Iterator[bytes]:
        """Compress in pieces, some of them empty; after the last one the client can read all of the page."""
        rest = memoryview(payload)
        while len(rest) > _PIECE:
            yield self._stream.compress(rest[:_PIECE])
            rest = rest[_PIECE:]
        yield self._stream.compress(rest) + self._stream.flush(zlib.Z_SYNC_FLUSH)

    def end(self, payload: bytes) -> bytes:
        return self._stream.compress(payload) + self._stream.flush()
