"""The table in Markdown, and what to know about how it was measured."""

from collections.abc import Sequence
from statistics import median

from tests.benchmarks import report
from tests.benchmarks.fair.machine import load
from tests.benchmarks.fair.outcome import Outcome

_HOW = """
The sidecar is a process of its own with the shipped defaults and a key of the live kind. Stripe is a double that takes
60 ms for each call (in row 8 no time) and refuses none. Directus is a double that takes 5 ms for each question, one
after the other (in rows 5 and 6 no time); in rows 9 and 12 it is a real one. Who asks and who is measured are processes
of their own. The slowest of ten tries counts, taken within 20 s while the one caller is at it."""

machine = report.machine


def line(title: str, number: int, outcome: Outcome | None) -> str:
    if outcome is None:
        return f"| {number} | {title} | could not run | | |"
    return f"| {number} | {title} | {outcome.seen} | {outcome.must} | {'yes' if outcome.met else '**no**'} |"


def table(rows: Sequence[tuple[str, int, Outcome | None]]) -> str:
    head = ["", "| | one caller does | the others see now | must be | met |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(line(*row) for row in rows)])


def circumstances(busy: Sequence[tuple[int, float, float]], *, quick: bool) -> str:
    """`busy` has for each row its number and how busy the processors were before it and during it, in percent."""
    before = [percent for _, percent, _ in busy]
    number, most, _ = max(busy, key=lambda row: row[1])
    seen = (
        f"{median(before):.0f} % (median of what was seen before each row; at most {most:.0f} %, before row {number})"
    )
    with_rows = f"{median(row[2] for row in busy):.0f} %"
    lines = [
        _HOW,
        f"{machine()}. Other work used {seen} of the processors; with the rows' own work it was {with_rows}.",
        f"Load at the end: {load():.1f}.",
    ]
    return "\n".join([*lines, "These are tiny sizes: the figures mean nothing."] if quick else lines)
