"""The shape of a list: what is taken down, what may be read as one, and where it says to cut."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.shapes import (
    MOST_BYTES,
    MOST_POINTS,
    LocalShapes,
    Shape,
    ShapeRecord,
    list_name,
    read_shape,
)
from sidecar.core.operations.list_query import RenderedPage, Span

SHAPE = Shape(((500, 100), (400, 200), (400, 300), (20, 350)))


def page(oldest: int, number: int = 100) -> RenderedPage:
    return RenderedPage(b"", tuple(map(str, range(number))), more=True, newest=oldest, oldest=oldest)


def test_what_is_taken_down() -> None:
    """A shape has the oldest time of each page and the running count, and nothing else of the objects."""
    record = ShapeRecord()

    for each in (page(500), page(400), page(400), page(20, 50)):
        record.add(each)

    assert (record.shape, record.pages) == (SHAPE, 4)
    assert record.shape.write() == b"[[500,100],[400,200],[400,300],[20,350]]"


def test_very_long_lists() -> None:
    """The shape of a list of any length has a bounded number of points and bytes, its last page among them."""
    record = ShapeRecord()

    for number in range(5_000):
        record.add(page(10**12 - 1 - number))

    shape = record.shape
    assert MOST_POINTS // 2 <= len(shape.points) <= MOST_POINTS
    assert shape.count == 500_000
    assert len(shape.write()) <= MOST_BYTES
    assert read_shape(shape.write()) == shape


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no JSON",
        b"{}",
        b"[]",
        b"null",
        b"[1,2]",
        b"[[1]]",
        b"[[1,2,3]]",
        b'[["1",2]]',
        b"[[1,true]]",
        b"[[1.0,2]]",
        b"[[1,0]]",
        b"[[-1,2]]",
        b"[[1000000000000,2]]",
        b"[[1,1000000001]]",
        b"[[1,2],[2,3]]",
        b"[[2,2],[1,2]]",
        b"[[2,2],[1,1]]",
        b"[[1,2],null]",
        b"[" + b",".join(b"[1,%d]" % (number + 1) for number in range(MOST_POINTS + 1)) + b"]",
        b" " * MOST_BYTES + b"[[1,2]]",
        b"[" * 5_000 + b"]" * 5_000,
    ],
)
def test_what_is_no_shape(content: bytes) -> None:
    """Whatever no list can have is read as none."""
    assert read_shape(content) is None


@given(st.binary(max_size=60) | st.text("[],0123456789.-e ", max_size=60).map(str.encode))
def test_any_bytes(content: bytes) -> None:
    """What is read as a shape is in order and within bounds, and is written as what it was read from."""
    shape = read_shape(content)

    if shape is not None:
        assert read_shape(shape.write()) == shape
        assert all(0 <= second < 10**12 and 0 < count <= 10**9 for second, count in shape.points)


POINTS = st.lists(st.tuples(st.integers(0, 10**12 - 1), st.integers(1, 10**5)), min_size=1, max_size=MOST_POINTS)


def in_order(steps: list[tuple[int, int]]) -> Shape:
    counts, count = [], 0
    for _, number in steps:
        count += number
        counts.append(count)
    return Shape(tuple(zip(sorted((second for second, _ in steps), reverse=True), counts, strict=True)))


@settings(max_examples=200)
@given(POINTS.map(in_order), st.none() | st.integers(0, 10**12), st.integers(2, 32))
def test_borders(shape: Shape, until: int | None, concurrency: int) -> None:
    """Borders get older, lie within the shape and before its end, and are bounded in number."""
    borders = list(shape.borders(until, concurrency))

    moments = [border for border, _ in borders]
    assert moments == sorted(set(moments), reverse=True)
    assert all(shape.points[-1][0] < moment <= shape.points[0][0] + 1 for moment in moments)
    assert until is None or all(moment < until for moment in moments)
    assert all(0 < count < shape.count for _, count in borders)
    assert len(borders) <= min(500, shape.count // 92 + 1)


def test_shape_that_says_a_billion() -> None:
    """A shape cannot make a list be cut into more than some hundred pieces."""
    shape = read_shape(b"[[999999999999,1],[0,1000000000]]")

    assert shape is not None
    assert len(list(shape.borders(None, 6))) == 500


def test_equal_pieces() -> None:
    """An even list is cut into pieces of whole pages, the first of one, the last ones smaller."""
    shape = Shape(tuple((100_000 - 1_000 * number, 100 * number) for number in range(1, 101)))

    counts = [count for _, count in shape.borders(None, 6)]

    sizes = [count - before for before, count in pairwise(counts)]
    assert counts[0] == 100
    assert sizes[0] == 592
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 92


def test_names_of_lists() -> None:
    """Lists have one name only if path, filters and span are the same."""
    names = [
        list_name("/v1/a", {}, Span()),
        list_name("/v1/b", {}, Span()),
        list_name("/v1/a", {"x": "1"}, Span()),
        list_name("/v1/a", {"x": "2"}, Span()),
        list_name("/v1/a", {}, Span(1)),
        list_name("/v1/a", {}, Span(None, 1)),
    ]

    assert len(set(names)) == len(names)
    assert list_name("/v1/a", {"x": "1", "y": "2"}, Span()) == list_name("/v1/a", {"y": "2", "x": "1"}, Span())


async def test_few_are_kept() -> None:
    """Of many lists the shapes of the last ones are kept, and nowhere else is looked."""
    shapes = LocalShapes()

    for number in range(1_000):
        shapes.keep((str(number),), SHAPE)

    assert shapes.known(("0",)) is None
    assert shapes.known(("999",)) == SHAPE
    assert sum(shapes.known((str(number),)) is not None for number in range(1_000)) == 256
    assert await shapes.find(("0",)) is None
