"""What came out of one row, and the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.benchmarks.fair.plan import Tally


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seen` and `must` are in words; `figures` are the same for programs, times in seconds."""

    seen: str
    must: str
    met: bool
    figures: Mapping[str, object] = field(default_factory=dict)


def took(tally: Tally) -> str:
    """Say how long the slowest answer took, or how long one was waited for."""
    unanswered = tally.waiting and max(tally.waiting) >= tally.worst
    return f"{'no answer in ' if unanswered else ''}{seconds(tally.worst)}"


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 0.1 else f"{value:.1f} s"


def worst(others: Mapping[str, Tally]) -> str:
    """Say each group's slowest answer, or how many were no success."""
    return ", ".join(f"{name} {failures({name: tally}) or took(tally)}" for name, tally in others.items())


def failures(tallies: Mapping[str, Tally]) -> str:
    """Name the answers that were no success, such as `3 x 503`."""
    found: dict[str, int] = {}
    for tally in tallies.values():
        for status, number in tally.statuses.items():
            if status not in {"200", "201"}:
                found[status] = found.get(status, 0) + number
    return ", ".join(f"{number} x {status}" for status, number in sorted(found.items()))


def served(others: Mapping[str, Tally], within: float) -> bool:
    """Say whether every request of every group was a success within this many seconds."""
    return all(tally.only(200, 201) and tally.worst < within for tally in others.values())


def figures(tallies: Mapping[str, Tally]) -> dict[str, object]:
    return {
        name: {
            "worst": round(tally.worst, 3),
            "sent": tally.sent,
            "statuses": dict(sorted(tally.statuses.items())),
            "unanswered": len(tally.waiting),
        }
        for name, tally in tallies.items()
    }
