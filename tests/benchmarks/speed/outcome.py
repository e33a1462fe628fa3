"""What came out of a row: figures beside each other, and what they should be.

Each figure is the median of its rounds. A ratio is the median of the rounds' own ratios, since what disturbs a round
disturbs everybody in it; more is always better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import truediv
from statistics import median


@dataclass(frozen=True, slots=True)
class Load:
    """One round of one entrant: answers a second, latencies, processor time for an answer, bytes of a body."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One round of reading a whole list; `cpu_us` is for a page of it, `requests` are those at Stripe."""

    first: float
    total: float
    cpu_us: float
    requests: float
    pages: int


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` is None where the run does not tell it. `must` and `aim` bound it from below, `at_most` from above."""

    title: str
    value: float | None
    must: float | None = None
    aim: float | None = None
    unit: str = "x"
    at_most: bool = False

    def met(self, bound: float | None) -> bool | None:
        """Tell whether the value keeps a bound; None where one of them is missing."""
        if self.value is None or bound is None:
            return None
        return self.value <= bound if self.at_most else self.value >= bound


@dataclass(frozen=True, slots=True)
class Seen:
    """`loads` and `readings` have all rounds of each entrant, by what was asked for and by its name."""

    loads: Mapping[str, Mapping[str, Sequence[Load]]] = field(default_factory=dict)
    readings: Mapping[str, Mapping[str, Sequence[Reading]]] = field(default_factory=dict)
    goals: Sequence[Goal] = ()


def middle(rounds: Sequence[Load] | Sequence[Reading], figure: str) -> float:
    return float(median(getattr(one, figure) for one in rounds))


def ratio(
    ours: Sequence[Load] | Sequence[Reading], theirs: Sequence[Load] | Sequence[Reading], figure: str
) -> float | None:
    """Give the median of ours / theirs, round by round; None where theirs was too little to be measured."""
    pairs = [(getattr(a, figure), getattr(b, figure)) for a, b in zip(ours, theirs, strict=True)]
    return median(truediv(*pair) for pair in pairs) if all(b for _, b in pairs) else None


def of_relay(rounds: Mapping[str, Sequence[Load]], who: str = "sidecar") -> float | None:
    """Say what part of the relay's answers would come from the same processor time."""
    return ratio(rounds["relay"], rounds[who], "cpu_us")
