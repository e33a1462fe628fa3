"""What whole lists take in virtual time: the essential figures of `python -m tests.benchmarks.schedules`."""

from collections.abc import Iterable, Sequence

import pytest

from tests.benchmarks.schedules.__main__ import SEEDS, schedules
from tests.benchmarks.schedules.distributions import NAMES, SMOOTH
from tests.benchmarks.schedules.simulator import Schedule

pytestmark = pytest.mark.slow


def columns(name: str, size: int, seeds: Iterable[int]) -> Sequence[Sequence[Schedule]]:
    return list(zip(*schedules(name, size, seeds), strict=True))


def speed(found: Sequence[Schedule]) -> float:
    return sum(each.plain for each in found) / sum(each.rounds for each in found)


def cost(found: Sequence[Schedule]) -> float:
    return sum(each.requests for each in found) / sum(each.plain for each in found)


@pytest.mark.parametrize("name", NAMES)
def test_short_lists(name: str) -> None:
    """150 objects cost plain paging's requests, 350 and 1,000 one more at most, with and without a shape."""
    for size, more in ((150, 0), (350, 1), (1_000, 1)):
        first, again, grown, _ = columns(name, size, SEEDS)
        short = [*first, *again, *(grown if size < 1_000 else ())]

        assert all(each.requests <= each.plain + more for each in short)


@pytest.mark.parametrize("name", SMOOTH)
def test_long_lists(name: str) -> None:
    """10,000 objects come 4.6 times faster than by plain paging, and 5.4 times when a shape is known, for few more."""
    first, again, grown, _ = columns(name, 10_000, SEEDS)

    assert speed(first) >= 4.6
    assert cost(first) <= 1.10
    assert speed(again) >= 5.4
    assert speed(grown) >= 5.4
    assert max(cost(again), cost(grown)) <= 1.05


@pytest.mark.parametrize("name", NAMES)
def test_wrong_shape(name: str) -> None:
    """The shape of another list costs no more than half of plain paging's requests again, and is no slower."""
    *_, other = columns(name, 10_000, range(1, 3))

    assert cost(other) <= 1.55
    assert speed(other) >= 0.98
