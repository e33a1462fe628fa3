"""The shape of a whole list: how its objects were spread over time when it was last read to its end.

It has numbers only, and is a guess about the next such list: a wrong one costs time and a bounded number of requests.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import orjson
from cachetools import TTLCache

from sidecar.core.operations.list_query import MOST, RenderedPage, Span

LIFE = 7 * 86_400  # seconds after which a shape is forgotten
MOST_POINTS = 200
MOST_BYTES = MOST_POINTS * 32
_KEPT = 256  # shapes; all together some 2 MB at most
_PIECE = 6  # pages of a piece, at most
_MOST_PIECES = 500
_SHORT = 10 * MOST  # objects of a list that is cut into two pieces only
_MARGIN = 8  # objects that the last page of a piece should lack, so that no other follows
_LATEST = 10**12  # seconds; as the API's own parameters
_LARGEST = 10**9  # objects
ListName = tuple[str, ...]


def list_name(path: str, filters: Mapping[str, str], span: Span) -> ListName:
    """Name a list by everything that decides which objects it has."""
    bounds = ("" if bound is None else str(bound) for bound in (span.since, span.until))
    return (path, *bounds, *(word for item in sorted(filters.items()) for word in item))


@dataclass(frozen=True, slots=True)
class Shape:
    """`points`, newest first: the second of the oldest object so far, and how many objects came until then."""

    points: tuple[tuple[int, int], ...]

    @property
    def count(self) -> int:
        return self.points[-1][1] if self.points else 0

    def borders(self, until: int | None, concurrency: int) -> Iterator[tuple[int, int]]:
        """Give where to cut what is older than `until`, each with the number of objects before it, newest first.

        The first piece has one page, to which come all objects that are new. Pieces get smaller so that all end
        together. Their number is bounded, whatever the shape says. A short list is cut once: then it costs one request
        more than plain paging at most, however wrong the shape is.
        """
        if self.count <= _SHORT:
            yield from self._middle(until)
            return
        last, tries = until, 0
        wanted = MOST + (0 if until is None else self._count_until(until))
        for (newer, before), (older, count) in pairwise(self.points):
            while wanted < count and tries < _MOST_PIECES:
                tries += 1
                border = 1 + _second_of(max(before, wanted), (newer, before), (older, count))
                if last is None or border < last:
                    yield border, wanted
                    last = border
                pages = min(_PIECE, math.ceil((self.count - wanted) / MOST / concurrency))
                wanted += MOST * pages - _MARGIN

    def _middle(self, until: int | None) -> Iterator[tuple[int, int]]:
        seen = 0 if until is None else self._count_until(until)
        pages = math.ceil((self.count - seen) / MOST)
        room = pages * MOST - (self.count - seen)
        wanted = seen + MOST * math.ceil(pages / 2) - min(_MARGIN, room)
        for (newer, before), (older, count) in pairwise(self.points):
            if before <= wanted < count:
                border = _second_of(wanted, (newer, before), (older, count))
                if self.points[-1][0] < border and (until is None or border < until):
                    yield border, wanted

    def _count_until(self, second: int) -> int:
        return max((count for oldest, count in self.points if oldest >= second), default=0)

    def write(self) -> bytes:
        return orjson.dumps(self.points)


def _second_of(number: int, newer: tuple[int, int], older: tuple[int, int]) -> int:
    """Estimate when the object was created that is this number of the list, between two points."""
    (second, before), (oldest, count) = newer, older
    return second - (second - oldest) * (number - before) // (count - before)


def read_shape(content: bytes) -> Shape | None:
    """Read what `write` wrote; None for anything that no list can have."""
    if len(content) > MOST_BYTES:
        return None
    try:
        found = orjson.loads(content)
    except ValueError:
        return None
    if not isinstance(found, list) or not 0 < len(found) <= MOST_POINTS or not all(map(_is_point, found)):
        return None
    points = tuple((second, count) for second, count in found)
    in_order = all(older <= newer and more > fewer for (newer, fewer), (older, more) in pairwise(points))
    return Shape(points) if in_order else None


def _is_point(value: object) -> bool:
    match value:
        case [int(second), int(count)] if type(second) is type(count) is int:
            return 0 <= second < _LATEST and 0 < count <= _LARGEST
        case _:
            return False


class ShapeRecord:
    """Takes down the shape of a list while its pages are given; of a very long one every other point goes."""

    def __init__(self) -> None:
        self.pages = 0
        self._count = 0
        self._points: list[tuple[int, int]] = []

    def add(self, page: RenderedPage) -> None:
        self.pages += 1
        self._count += len(page.ids)
        if len(self._points) == MOST_POINTS:
            self._points = self._points[1::2]
        self._points.append((page.oldest, self._count))

    @property
    def shape(self) -> Shape:
        return Shape(tuple(self._points))


class Shapes(Protocol):
    """What is known about lists. Raises nothing."""

    def known(self, name: ListName) -> Shape | None:
        """Give a list's shape if it is known here."""

    async def find(self, name: ListName) -> Shape | None:
        """Look for it elsewhere, not for long."""

    def keep(self, name: ListName, shape: Shape) -> None: ...


class LocalShapes:
    """The shapes of the lists that this process read, in the form in which they are shared, which is the smallest."""

    def __init__(self) -> None:
        self._kept: TTLCache[ListName, bytes] = TTLCache(_KEPT, LIFE)

    def known(self, name: ListName) -> Shape | None:
        content = self._kept.get(name)
        return None if content is None else read_shape(content)

    async def find(self, name: ListName) -> Shape | None:  # noqa: ARG002 - the interface's
        return None

    def keep(self, name: ListName, shape: Shape) -> None:
        self._kept[name] = shape.write()


@dataclass(frozen=True, slots=True)
class Guide:
    """What is known about one list, and where its shape is kept."""

    shapes: Shapes
    name: ListName

    def known(self) -> Shape | None:
        return self.shapes.known(self.name)

    async def find(self) -> Shape | None:
        return self.known() or await self.shapes.find(self.name)

    def keep(self, shape: Shape) -> None:
        self.shapes.keep(self.name, shape)
