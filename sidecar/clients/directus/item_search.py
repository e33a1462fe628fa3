"""Asks Directus for items by SEARCH, or by GET where something in between lets no SEARCH through.

SEARCH has no length limit for its query, and neither Directus nor a cache in between stores its answers; `client` sees
to it that none of them answers a GET.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote, urlencode

import aiohttp

from sidecar.clients.directus.client import DirectusAnswer, DirectusClient, collection_path
from sidecar.clients.directus.refusals import rows_of
from sidecar.core.access.credentials import Credential
from sidecar.errors import DirectusUnavailable

Item = Mapping[str, object]
Query = Mapping[str, object]

# How proxies and CDNs refuse a method. Directus's own refusals have a code; these have none.
_NO_SEARCH = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
_BROKEN_OFF = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)
_NO_CONNECTION = (aiohttp.ClientConnectorError, TimeoutError)  # a GET would meet the same
_SURE = 3  # a restart of Directus also breaks connections off, so it takes several to give SEARCH up
_MOST_BYTES = 4096  # of one list of values in a URL; proxies take lines of 8 KB, and Node 16 KB of headers with the URL

_log = logging.getLogger(__name__)


class ItemSearch:
    """Remembers for its lifetime that no SEARCH gets through; `by_get` says so."""

    def __init__(self, client: DirectusClient, collection: str) -> None:
        self._client, self._path = client, collection_path(collection)
        self.by_get = False
        self._broken_off = 0

    async def items(self, credential: Credential, query: Query, what: str) -> list[Item]:
        """Ask once, with a whole query of Directus's; `what` is what ItemRefused says may not be done.

        Raises ItemRefused and DirectusUnavailable.
        """
        items = rows_of(await self._ask(credential, query), what)
        return [item if isinstance(item, dict) else {} for item in items]

    async def _ask(self, credential: Credential, query: Query) -> DirectusAnswer:
        if self.by_get:
            return await self._get(credential, query)
        try:
            answer = await self._client.request(credential, "SEARCH", self._path, json={"query": query})
        except DirectusUnavailable as error:
            if not isinstance(error.__cause__, _BROKEN_OFF) or isinstance(error.__cause__, _NO_CONNECTION):
                raise
            self._broken_off += 1
            return await self._ask_by_get(credential, query, remember=self._broken_off >= _SURE)
        self._broken_off = 0
        if answer.code is None and answer.status in _NO_SEARCH:
            return await self._ask_by_get(credential, query, remember=True)
        return answer

    async def _ask_by_get(self, credential: Credential, query: Query, *, remember: bool) -> DirectusAnswer:
        answer = await self._get(credential, query)
        directus_answered = answer.status == HTTPStatus.OK or answer.code is not None
        if remember and directus_answered and not self.by_get:
            self.by_get = True
            _log.warning("No SEARCH reaches Directus, so items are read by GET")
        return answer

    async def _get(self, credential: Credential, query: Query) -> DirectusAnswer:
        return await self._client.request(credential, "GET", f"{self._path}?{_in_url(query)}")


def chunks(values: Sequence[str], most: int) -> Iterator[list[str]]:
    """Divide values for `_in` into lists that one page of `most` items answers and one URL carries."""
    chunk: list[str] = []
    length = 0
    for value in values:
        added = len(quote(json.dumps([value], ensure_ascii=False)))
        if chunk and (len(chunk) == most or length + added > _MOST_BYTES):
            yield chunk
            chunk, length = [], 0
        chunk.append(value)
        length += added
    if chunk:
        yield chunk


def _in_url(query: Query) -> str:
    """Directus reads `filter` as JSON and other lists as words with commas (API reference, "Query parameters")."""
    return urlencode({name: _written(value) for name, value in query.items()}, quote_via=quote)


def _written(value: object) -> str:
    match value:
        case list():
            return ",".join(map(str, value))
        case Mapping():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case _:
            return str(value)
