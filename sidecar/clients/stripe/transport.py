"""The stripe library's aiohttp transport with our rules: whole bodies of bounded length, no redirects.

The library reads a body after its retry loop has ended, so a body that breaks off escapes both its retries and its
error classes. Here reading the body is part of the attempt.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
import stripe
from yarl import URL

from sidecar.clients.http import read_bounded

_ANSWER_LIMIT = 16 * 1024 * 1024  # a page of a hundred objects is some 0.3 MiB


@dataclass(slots=True)
class Attempts:
    """`unanswered`: one of a call's attempts was sent and got no answer, so Stripe may have done what it asks for."""

    unanswered: bool = False


_watching: ContextVar[Attempts] = ContextVar("attempts")  # the library hides its attempts


@contextmanager
def watched() -> Iterator[Attempts]:
    """Give what becomes of the attempts of the call that is made meanwhile."""
    attempts = Attempts()
    token = _watching.set(attempts)
    try:
        yield attempts
    finally:
        _watching.reset(token)


class Transport(stripe.AIOHTTPClient):
    """Makes one attempt; the library's `request_with_retries_async` decides whether there is another."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__(timeout=None, session=session)
        self._pool = session

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Raises stripe.APIConnectionError, marked as worth a retry, unless a whole answer comes."""
        try:
            async with self._pool.request(
                method, URL(url, encoded=True), headers=headers, data=post_data, allow_redirects=False
            ) as response:
                return await read_bounded(response, _ANSWER_LIMIT), response.status, response.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            attempts = _watching.get(None)
            if attempts is not None and not isinstance(error, aiohttp.ClientConnectorError):  # then nothing was sent
                attempts.unanswered = True
            raise stripe.APIConnectionError("not reached", should_retry=True) from error  # type: ignore[no-untyped-call]  # the library has no annotations here
