"""`python -m tests.benchmarks.schedules`: what whole lists take, for each distribution and size, beside plain paging.

Requests as a multiple of plain paging's, and how many times faster; the first time, again, again after a growth of 2 %,
and with the shape of another list, as after a restored account. In virtual time, so the figures are the same anywhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy

from sidecar.clients.lists.shapes import LocalShapes
from tests.benchmarks.schedules.distributions import NAMES, grown, moments
from tests.benchmarks.schedules.simulator import Schedule, read

SIZES = (150, 350, 1_000, 10_000)
SEEDS = range(1, 11)
_OTHER = {"uniform": "two eras"}  # whose shape a list is read with in the last column; of the others it is "uniform"


def schedules(name: str, size: int, seeds: Iterable[int] = SEEDS) -> Iterator[tuple[Schedule, ...]]:
    """Give, for each seed, the first reading, the second, the one after growth, and the one with another's shape."""
    for seed in seeds:
        shapes, others = LocalShapes(), LocalShapes()
        times = moments(name, size, seed)
        read(moments(_OTHER.get(name, "uniform"), 2 * size, seed), others)
        first, after_first = read(times, shapes), deepcopy(shapes)
        yield first, read(times, shapes), read(grown(times, 0.02, seed), after_first), read(times, others)


def mean(found: Sequence[Schedule]) -> str:
    cost, speed = (
        sum(values) / len(found) for values in ((each.cost for each in found), (each.speed for each in found))
    )
    return f"{cost:.2f}, {speed:.1f} x"


def main() -> None:
    print("| objects | distribution | first time | again | grown by 2 % | with another list's shape |")
    print("|---|---|---|---|---|---|")
    for size in SIZES:
        for name in NAMES:
            columns = zip(*schedules(name, size), strict=True)
            print(f"| {size:,} | {name} | {' | '.join(map(mean, columns))} |")


if __name__ == "__main__":
    main()
