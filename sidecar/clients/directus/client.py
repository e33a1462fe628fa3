"""Sends one request to Directus as a caller, and writes names and keys into its URL.

A request has one of three outcomes: an answer, a refusal with Directus's own code, or DirectusUnavailable. A reply that
is not clearly an answer or a refusal means DirectusUnavailable. Every request waits for its turn in the line.

No answer is one that was given before. Directus with CACHE_ENABLED keeps its answers to GET, also those about
permissions, and without CACHE_AUTO_PURGE it keeps them through every change. It never stores an export (its `respond`
middleware), so each GET asks for one; and each has an address of its own, for caches in between.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import orjson
from yarl import URL

from sidecar.clients.directus.line import Line, Place, Ready, at_once
from sidecar.clients.directus.question import Question
from sidecar.clients.http import OversizedAnswer, read_bounded, retry_after, traced_call
from sidecar.context import request_id
from sidecar.core.access.client_address import subscriber
from sidecar.core.access.credentials import Credential
from sidecar.errors import DirectusUnavailable
from sidecar.metrics import Metrics

_ANSWER_LIMIT = 8 * 1024 * 1024  # an administrator's permissions on a thousand collections are under 1 MiB
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class DirectusAnswer:
    """`body` is parsed JSON, None where there is none; `code` is Directus's error code, None where it gave none.

    `exported`: the body is the data itself, as a list always is.
    """

    status: int
    body: object
    code: str | None
    retry_after: int | None
    exported: bool = False

    @property
    def data(self) -> object:
        return data_in(self.body, exported=self.exported)

    def unavailable(self, why: str) -> DirectusUnavailable:
        return DirectusUnavailable(f"{why}: status {self.status}, code {self.code}", retry_after=self.retry_after)


class _ForeignAnswer(ValueError):
    """Something else answered, such as a page to sign in at; the text has nothing of its body."""


class DirectusClient:
    """`address_header` is the header in which Directus looks for the client's address.

    Without a `line` the session's timeout alone bounds an answer.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        *,
        address_header: str,
        line: Line | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._session = session
        self._base = base
        self._address_header = address_header
        self._line = line or Line()
        self._metrics = metrics or Metrics()

    async def request(self, credential: Credential, method: str, path: str, *, json: object = None) -> DirectusAnswer:
        """Send one request as the caller, with the credential as `Authorization: Bearer` and nowhere else.

        Raises DirectusUnavailable unless a whole, readable answer comes within the line's budget. The request itself
        goes on after that, and also if the caller is canceled, once it is sent.
        """
        question = Question(
            lambda sent: self.request_patiently(credential, method, path, json=json, sent=lambda _: sent())
        )
        return await question.answer(self._line.budget)

    async def request_patiently(
        self,
        credential: Credential | None,
        method: str,
        path: str,
        *,
        json: object = None,
        sent: Callable[[Place], None],
        ready: Ready = at_once,
        shown: str | None = None,
    ) -> DirectusAnswer:
        """As above, and wait for as long as the request lasts; without a credential it is sent as nobody's.

        When its turn has come `ready` is awaited, and what it raises is passed on; then `sent` is called. `shown`
        stands in the log for a path that is a secret.
        """
        body = None if json is None else orjson.dumps(json)
        target = fresh(path) if method == "GET" else path
        url, headers = URL(self._base + target, encoded=True), self._headers(credential, body)
        address = None if credential is None else credential.address
        try:
            async with self._line.turn(address and subscriber(address), ready) as place:
                sent(place)
                with traced_call(f"{method} {_template(path)}", method, url) as span, self._metrics.timed("directus"):
                    async with self._session.request(
                        method, url, data=body, headers={**headers, **span.headers}, allow_redirects=False
                    ) as response:
                        span.answered(response.status)
                        return _read(response, await read_bounded(response, _ANSWER_LIMIT))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            why = error if isinstance(error, _ForeignAnswer | OversizedAnswer) else type(error).__name__
            raise DirectusUnavailable(f"{method} {shown or path.partition('?')[0]}: {why}") from error

    def _headers(self, credential: Credential | None, body: bytes | None) -> dict[str, str]:
        headers = {"Cache-Control": "no-store"}
        if credential is not None:
            headers["Authorization"] = f"Bearer {credential.token}"
        if (identity := request_id.get()) is not None:
            headers["X-Request-Id"] = identity
        if credential is not None and credential.address is not None:
            headers[self._address_header] = credential.address
        if body is not None:
            headers["Content-Type"] = "application/json"
        return headers


def _template(path: str) -> str:
    """Give of a path what names neither an item, nor a user, nor a share or Flow, whose IDs are secrets."""
    whole = path.partition("?")[0]
    first, more, _ = whole[1:].partition("/")
    return whole if whole.endswith("/me") else f"/{first}{more and '/…'}"


def _read(response: aiohttp.ClientResponse, content: bytes) -> DirectusAnswer:
    """Raises ValueError for a success or redirect that is not JSON. A failure may have any body, such as HTML."""
    body: object = None
    if content and response.content_type == "application/json":
        body = _json(content, required=response.status < HTTPStatus.BAD_REQUEST)
    elif content and response.status < HTTPStatus.BAD_REQUEST:
        raise _ForeignAnswer(f"status {response.status} with {response.content_type}, which is not Directus's")
    exported = is_export(response.status, response.headers)
    return DirectusAnswer(response.status, body, _code(body), retry_after(response.headers), exported)


def _json(content: bytes, *, required: bool) -> object:
    try:
        return orjson.loads(content)
    except ValueError:
        if required:
            raise
        return None


def _code(body: object) -> str | None:
    """Give `errors[0].extensions.code` where it looks like a code of Directus's, None otherwise."""
    match body:
        case {"errors": [{"extensions": {"code": str(code)}}, *_]} if _CODE.fullmatch(code):
            return code
        case _:
            return None


def collection_path(collection: str) -> str:
    """Give the path of a collection's items; a system collection has its own (`directus_users` is at `/users`)."""
    system = collection.removeprefix("directus_")
    return f"/items/{segment(collection)}" if system == collection else f"/{segment(system)}"


def segment(text: int | str) -> str:
    """Percent-encode a name or a key, so that it stays one segment of a path. It leaves `.` and `..` as they are."""
    return quote(str(text), safe="")


def field_list(names: Iterable[str]) -> str:
    """Write `fields` for a query string."""
    return ",".join(map(segment, names))


def fresh(path: str) -> str:
    """Give the same question of Directus's in a form that no cache has an answer to; `is_export` tells its answer."""
    return f"{path}{'&' if '?' in path else '?'}export=json&fresh={uuid4()}"


def data_in(body: object, *, exported: bool) -> object:
    """Give the data of a parsed body: an export and a list are the data, other bodies have it as `data`."""
    if exported or isinstance(body, list):
        return body
    return body.get("data") if isinstance(body, dict) else None


def is_export(status: int, headers: Mapping[str, str]) -> bool:
    """Say whether the body is the data itself, as of an export, and not an object that has it as `data`."""
    return status == HTTPStatus.OK and headers.get("Content-Disposition", "").startswith("attachment")
