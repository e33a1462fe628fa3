"""The arithmetic of the table of speeds, and its lines."""

import pytest

from tests.benchmarks.speed import report
from tests.benchmarks.speed.outcome import Goal, Load, Reading, Seen, middle, of_relay, ratio


def loads(*cpu: float, rps: float = 100) -> list[Load]:
    return [Load(rps=rps, p50_ms=1, p99_ms=2, cpu_us=one, bytes=1000) for one in cpu]


def test_ratio_of_disturbed_rounds() -> None:
    """A ratio compares what was measured in one round, so that a disturbed round disturbs both sides of it."""
    ours, theirs = loads(200, 2000, 210), loads(100, 1000, 105)

    assert ratio(theirs, ours, "cpu_us") == 0.5
    assert of_relay({"sidecar": ours, "relay": theirs}) == 0.5
    assert middle(ours, "cpu_us") == 210


def test_ratio_to_nothing() -> None:
    """What took too little time to be measured has no ratio."""
    assert ratio(loads(100, 100), loads(100, 0), "cpu_us") is None


@pytest.mark.parametrize(
    ("goal", "met", "aimed"),
    [
        (Goal("", 0.5, 0.45, 0.6), True, False),
        (Goal("", 0.6, 0.45, 0.6), True, True),
        (Goal("", 0.4, 0.45), False, None),
        (Goal("", 5, 5, 4, at_most=True), True, False),
        (Goal("", 6, 5, at_most=True), False, None),
        (Goal("", None, 3), None, None),
    ],
)
def test_goals(goal: Goal, met: bool | None, aimed: bool | None) -> None:  # noqa: FBT001 - three-valued
    """A goal is met at its bound and beyond, and neither met nor missed where one of both is missing."""
    assert (goal.met(goal.must), goal.met(goal.aim)) == (met, aimed)


def test_lines_of_goals() -> None:
    """A goal's line has what was measured, what must be, the aim, and of both whether they are met."""
    goals = [Goal("page", 0.5, 0.45, 0.6), Goal("requests", 5, 4, unit="", at_most=True), Goal("member", None, 3.0)]

    assert [report.goal_line(3, goal) for goal in goals] == [
        "| 3 | page | 0.50 x | >= 0.45 x | yes | >= 0.60 x | **no** |",
        "| 3 | requests | 5 | <= 4 | **no** |  |  |",
        "| 3 | member | not in this run | >= 3 x |  |  |  |",
    ]


def test_what_is_missed() -> None:
    """The list of what was missed has neither what is only not the aim, nor what was not measured."""
    goals = [Goal("page", 0.5, 0.45, 0.6), Goal("requests", 5, 4, unit="", at_most=True), Goal("member", None, 3.0)]

    assert report.missed([(3, Seen(goals=goals))]).splitlines() == [
        "Missed:",
        "- 3: requests: 5, must be <= 4",
        "",
        "Not measured:",
        "- 3: member: not in this run",
    ]
    assert report.missed([(3, Seen(goals=goals[:1]))]).splitlines() == ["Missed:", "nothing"]


def test_tables() -> None:
    """Every line has as many cells as the head of its table, and ratios to the relay or to plain paging."""
    rounds = {"sidecar": loads(200, rps=50), "relay": loads(100)}
    lists = {"sidecar": [Reading(0.06, 1.5, 500, 110, 100)], "plain": [Reading(0.06, 6, 90, 100, 100)]}
    seen = Seen(loads={"page": rounds}, readings={"list": lists}, goals=[Goal("page", 0.5, 0.45)])

    tables = [table.splitlines() for table in report.table([(1, seen)]).split("\n\n")]

    assert [len(lines) for lines in tables] == [4, 4, 3]
    assert all(len({line.count("|") for line in lines}) == 1 for lines in tables)
    assert tables[0][2] == "| 1 | page | sidecar | 50 | 1.0 | 2.0 | 200 | 0.50 x | 0.50 x | 1 |"
    assert tables[1][2] == "| 1 | list | sidecar | 60 | 1.50 | 500 | 110 | 4.00 x |"
