"""Bodies that anybody may send, and that are verified once they are whole. Bounds them by number and by bytes in all.

At a bound the body that has been read for longest is ended. So slow senders make room for quick ones: a
body that arrives at once, as Stripe's do, gets through however many strangers send slowly.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sidecar.errors import ContentTooLarge, Overloaded, RequestTimeout

LONGEST = 1024 * 1024  # bytes; an event contains a whole object of Stripe's
_MOST = 256
_MOST_BYTES = 16 * LONGEST
_SECONDS = 10.0


@dataclass(eq=False, slots=True)
class _Body:
    deadline: asyncio.Timeout
    content: bytearray = field(default_factory=bytearray)


class UnverifiedBodies:
    """At most `most` bodies with `most_bytes` in all are read at once, each for `seconds`."""

    def __init__(self, most: int = _MOST, most_bytes: int = _MOST_BYTES, seconds: float = _SECONDS) -> None:
        self._most, self._most_bytes, self._seconds = most, most_bytes, seconds
        self._reading: dict[_Body, None] = {}  # the one that has been read for longest first
        self._bytes = 0

    async def read(self, chunks: AsyncIterator[bytes], length: int | None) -> bytes:
        """Give the whole body; `length` is the declared one, if any.

        Raises ContentTooLarge, RequestTimeout when its time is up, and Overloaded when it had to make room.
        """
        if (length or 0) > LONGEST:
            raise _too_long()
        body = _Body(asyncio.timeout(self._seconds))
        try:
            async with body.deadline:
                self._admit(body)
                async for chunk in chunks:
                    self._add(body, chunk)
        except TimeoutError:
            if body in self._reading:
                raise RequestTimeout("The body did not arrive in time.") from None
            raise Overloaded("Too many bodies are arriving. Send this one again, at once.", retry_after=1) from None
        finally:
            self._drop(body)
        return bytes(body.content)

    def _admit(self, body: _Body) -> None:
        self._reading[body] = None
        if len(self._reading) > self._most:
            self._end_oldest()

    def _add(self, body: _Body, chunk: bytes) -> None:
        body.content += chunk
        if body in self._reading:  # otherwise it was ended, unless the rest of it is here already
            self._bytes += len(chunk)
        if len(body.content) > LONGEST:
            raise _too_long()
        while self._bytes > self._most_bytes:
            self._end_oldest()

    def _end_oldest(self) -> None:
        oldest = next(iter(self._reading))
        self._drop(oldest)
        oldest.deadline.reschedule(asyncio.get_running_loop().time())

    def _drop(self, body: _Body) -> None:
        if body in self._reading:
            del self._reading[body]
            self._bytes -= len(body.content)


def _too_long() -> ContentTooLarge:
    return ContentTooLarge(f"The body is longer than {LONGEST} bytes.")
