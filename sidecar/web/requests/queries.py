"""Reads the queries of requests; bodies have a module of their own."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from aiohttp import web
from cachetools import LRUCache

from sidecar.core.operations.list_query import ListQuery, parse_list_query
from sidecar.errors import InvalidQuery
from sidecar.web.admission.gate import TOKEN_PARAMETER
from sidecar.web.requests.bodies import Reader

_MOST = 256
_LONGEST = 500  # characters


class Queries:
    """Reads what requests of one operation ask for in their queries, and remembers it by a query's text.

    It follows from the text and the operation alone. A query with a token in it is not kept, nor one that is refused.
    """

    def __init__(self, reader: Reader, most: int = _MOST) -> None:
        self._reader, self._operation = reader, reader.rule.operation
        self._read: LRUCache[str, tuple[ListQuery, Mapping[str, str]]] = LRUCache(most)

    def __len__(self) -> int:
        """Count what is remembered."""
        return len(self._read)

    def of(self, request: web.Request) -> tuple[ListQuery, Mapping[str, str]]:
        """Raises InvalidQuery."""
        text = request.rel_url.raw_query_string
        found = self._read.get(text)
        if found is None:
            found = self._parsed([(name, value) for name, value in request.query.items() if name != TOKEN_PARAMETER])
            if TOKEN_PARAMETER not in request.query and len(text) <= _LONGEST:
                self._read[text] = found
        return found

    def _parsed(self, parameters: Sequence[tuple[str, str]]) -> tuple[ListQuery, Mapping[str, str]]:
        if self._operation.in_query:
            query, others = parse_list_query(parameters, self._operation)
            return query, MappingProxyType(self._reader.filters(others))
        if parameters:
            raise InvalidQuery("This route takes no parameters.")
        return ListQuery(), MappingProxyType({})
