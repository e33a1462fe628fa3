"""aioresponses, adapted to the installed aiohttp, and a scripted upstream on top of it.

aioresponses 0.7.9 builds responses without the `stream_writer` that aiohttp 3.14 asks for. Import it from here only.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import ClientResponse
from aioresponses import CallbackResult, aioresponses
from multidict import CIMultiDict
from yarl import URL

SENT_NOTHING: Any = SimpleNamespace(output_size=0)  # all that aiohttp reads of a request's writer


class _Response(ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on to aioresponses unchanged
        super().__init__(*args, stream_writer=SENT_NOTHING, **kwargs)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the client sent it; `headers` contains the session's and the request's own."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    body: bytes | str | None
    redirects_followed: bool

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(str(self.body or ""), keep_blank_values=True, strict_parsing=True)

    @property
    def parsed(self) -> object:
        return orjson.loads(self.body or b"null")


# A response, an error to raise instead, or an awaitable to wait for before either.
Reply = CallbackResult | Exception | Callable[[], Awaitable["Reply"]]


def reply(
    payload: object = None, *, status: int = 200, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Reply:
    """Build a response with `payload` as JSON, or with `body` unchanged."""
    content = json.dumps(payload).encode() if body is None else body
    return CallbackResult(status=status, body=content, headers=dict(headers or {}), response_class=_Response)


def label(value: object) -> str:
    """Name a reply in a test's ID; the name must be the same in every worker process."""
    if isinstance(value, CallbackResult):
        return f"{value.status} {value.body!r:.30}"
    return getattr(value, "__name__", type(value).__name__)


class Upstream:
    """Answers each request with the next of `replies`, and repeats the last one."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = list(replies)
        self.requests: list[Request] = []

    async def answer(self, method: str, url: URL, **kwargs: Any) -> CallbackResult:  # noqa: ANN401 - passed by aioresponses
        headers = CIMultiDict(kwargs.get("headers") or {})
        self.requests.append(Request(method, url, headers, kwargs.get("data"), kwargs["allow_redirects"]))
        next_reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        while not isinstance(next_reply, CallbackResult):
            if isinstance(next_reply, Exception):
                raise next_reply
            next_reply = await next_reply()
        return next_reply


@contextmanager
def upstream(*replies: Reply) -> Iterator[Upstream]:
    """Replace every host while the context is open; no socket is used."""
    double = Upstream(replies)
    with aioresponses() as wire:
        for method in ("GET", "POST", "PATCH", "SEARCH"):
            wire.add(re.compile(""), method=method, callback=_callback(double, method), repeat=True)
        yield double


def _callback(double: Upstream, method: str) -> Callable[..., Awaitable[CallbackResult]]:
    async def callback(url: URL, **kwargs: Any) -> CallbackResult:  # noqa: ANN401 - as above
        return await double.answer(method, url, **kwargs)

    return callback
