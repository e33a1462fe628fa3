"""The tables in Markdown, and how they were measured."""

from collections.abc import Mapping, Sequence

from tests.benchmarks import report
from tests.benchmarks.fair.machine import load
from tests.benchmarks.speed.outcome import Goal, Load, Reading, Seen, middle, ratio

_HOW = """
Each figure is the median of its rounds, in which all take turns; a ratio is the median of the rounds' own ratios. More
than 1 x is better, except for p99 and requests. CPU is the processor time, user and kernel, of all processes of who is
measured, for an answer or for a page of a list. Of nginx that asks Directus each time it has Directus's too, of the
extension it is Directus's, of plain paging and of the library the client's own. The relay passes bytes on and checks
nothing. nginx asks Directus whether it knows the caller. Neither removes a secret, nor has fields or own rows; nginx
that keeps the verdict for 30 s is the strongest peer. Whole lists of the sidecar are one array; beside them the relay
and nginx pass Stripe's page of the same objects. The service runs without its limits on Stripe and on a caller's
places. Everything is on loopback, also what sends the load, whose processor time is in no figure."""
_LOADS = "| # | page | who | answers/s | p50 ms | p99 ms | CPU µs | of the relay, by CPU | by answers/s | KB |"
_READINGS = "| # | whole list | who | first byte ms | s | CPU µs a page | requests | of plain paging, by time |"
_GOALS = "| # | what | measured | must be | met | aim | met |"


def table(found: Sequence[tuple[int, Seen]]) -> str:
    """Give the tables of loads, of whole lists, and of what should be reached."""
    loads = [line for number, seen in found for line in load_lines(number, seen.loads)]
    readings = [line for number, seen in found for line in reading_lines(number, seen.readings)]
    goals = [goal_line(number, goal) for number, seen in found for goal in seen.goals]
    tables = ((_LOADS, loads), (_READINGS, readings), (_GOALS, goals))
    return "\n\n".join("\n".join([head, _rule(head), *lines]) for head, lines in tables if lines)


def _rule(head: str) -> str:
    return "|" + "---|" * (head.count("|") - 1)


def load_lines(number: int, loads: Mapping[str, Mapping[str, Sequence[Load]]]) -> list[str]:
    return [
        f"| {number} | {asked} | {who} | {middle(own, 'rps'):.0f} | {middle(own, 'p50_ms'):.1f} |"
        f" {middle(own, 'p99_ms'):.1f} | {middle(own, 'cpu_us'):.0f} | {_x(ratio(rounds['relay'], own, 'cpu_us'))} |"
        f" {_x(ratio(own, rounds['relay'], 'rps'))} | {middle(own, 'bytes') / 1000:.0f} |"
        for asked, rounds in loads.items()
        for who, own in rounds.items()
    ]


def reading_lines(number: int, readings: Mapping[str, Mapping[str, Sequence[Reading]]]) -> list[str]:
    return [
        f"| {number} | {title} | {who} | {middle(own, 'first') * 1000:.0f} | {middle(own, 'total'):.2f} |"
        f" {middle(own, 'cpu_us'):.0f} | {middle(own, 'requests'):.0f} | {_x(ratio(rounds['plain'], own, 'total'))} |"
        for title, rounds in readings.items()
        for who, own in rounds.items()
    ]


def goal_line(number: int, goal: Goal) -> str:
    measured = "not in this run" if goal.value is None else amount(goal.value, goal.unit)
    bounds = (f"{_bound(goal, bound)} | {_verdict(goal.met(bound))}" for bound in (goal.must, goal.aim))
    return f"| {number} | {goal.title} | {measured} | {' | '.join(bounds)} |"


def missed(found: Sequence[tuple[int, Seen]]) -> str:
    """Name what is not as it must be, and what was not measured."""
    goals = [(number, goal) for number, seen in found for goal in seen.goals]
    short = [
        f"- {number}: {goal.title}: {amount(goal.value or 0, goal.unit)}, must be {_bound(goal, goal.must)}"
        for number, goal in goals
        if goal.met(goal.must) is False
    ]
    unknown = [f"- {number}: {goal.title}: not in this run" for number, goal in goals if goal.value is None]
    return "\n".join(["Missed:", *(short or ["nothing"]), *(["", "Not measured:", *unknown] if unknown else [])])


def amount(value: float, unit: str) -> str:
    digits = 0 if value == int(value) else 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f} {unit}".rstrip()


def _bound(goal: Goal, bound: float | None) -> str:
    return "" if bound is None else f"{'<=' if goal.at_most else '>='} {amount(bound, goal.unit)}"


def _verdict(met: bool | None) -> str:  # noqa: FBT001 - a verdict is three-valued
    return "" if met is None else "yes" if met else "**no**"


def _x(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} x"


def circumstances(before: float, *, quick: bool) -> str:
    """`before` is the load average when the run began."""
    lines = [_HOW, f"{report.machine()}. Load average before: {before:.1f}, at the end: {load():.1f}."]
    return "\n".join([*lines, "These are tiny sizes: the figures mean nothing."] if quick else lines)
