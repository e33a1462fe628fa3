"""The table in Markdown, and how it was measured."""

from collections.abc import Sequence

from tests.benchmarks import report
from tests.benchmarks.fair.machine import load
from tests.benchmarks.replicas.outcome import Seen

machine = report.machine
_HEAD = ["", "| | | ideal | without Redis | with Redis | must be |", "|---|---|---|---|---|---|"]
_HOW = """
Three replicas, each a process of its own. The logouts of row 1 and all of rows 8 and 9 go through the shipped nginx; in
the other rows the replicas are asked in turn. Directus is a double that answers 180 questions a second, one after the
other, with its change feed. Stripe is a double; in rows 3, 4 and 9 it has Stripe's limits, in any second 100 calls in
live mode, 25 in a sandbox, and 25 to each endpoint. Redis is a redis-server that keeps nothing. What a caller may do
is remembered for 5 s in row 1, for 30 s in rows 2 to 6, and for an hour in the others, which would else see it end."""


def line(number: int, title: str, ideal: str, columns: tuple[str, str], must: str) -> str:
    return f"| {number} | {title} | {ideal} | {columns[0]} | {columns[1]} | {must} |"


def cell(seen: Seen | None, *, failed: bool, marked: bool) -> str:
    """Say what one column of a row has; where it is `marked`, also that it missed what must be."""
    if seen is None:
        return "could not run" if failed else ""
    return f"**MISSED** {seen.words}" if marked and not seen.met else seen.words


def table(lines: Sequence[str]) -> str:
    return "\n".join([*_HEAD, *lines])


def circumstances(*, quick: bool) -> str:
    lines = [_HOW, f"{machine()}. Load at the end: {load():.1f}."]
    return "\n".join([*lines, "These are tiny sizes: the figures mean nothing."] if quick else lines)
