"""Whose call goes next: shares, urgency, lanes that stand, shared calls, and what is kept of a caller."""

from collections import Counter
from collections.abc import Collection, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sidecar.core.traffic.fair_turns import LENT, FairTurns, Waiting
from sidecar.core.urgency import Urgency


def always(_caller: str, _lane: str, _urgency: Urgency) -> bool:
    return True


def add(turns: FairTurns, *callers: str, lane: str = "lane", urgency: Urgency = Urgency.PAGE) -> Waiting:
    call = Waiting(lane, urgency)
    turns.add(call, callers)
    return call


def serve(turns: FairTurns, number: int = 1, lanes: Collection[str] = ("lane",)) -> list[str]:
    """Let so many calls go, and give the callers whose turns they were."""
    served = []
    for _ in range(number):
        found = turns.next(lambda _caller, lane, _urgency: lane in lanes)
        if found is None:
            break
        call, caller = found
        turns.remove(call)
        turns.count_turn(caller)
        served.append(caller)
    return served


def test_in_the_order_of_arrival() -> None:
    """Calls of one caller go in their order, and so do the first calls of several."""
    turns = FairTurns()
    calls = [add(turns, caller) for caller in "abca"]

    going = []
    while found := turns.next(always):
        turns.remove(found[0])
        turns.count_turn(found[1])
        going.append(found[0])

    assert going == calls
    assert len(turns) == 0


@given(st.lists(st.integers(1, 60), min_size=2, max_size=8))
def test_equal_shares(waiting: list[int]) -> None:
    """F1: while all have something waiting, no caller has had two turns more than another, however much waits."""
    turns = FairTurns()
    for number, calls in enumerate(waiting):
        for _ in range(calls):
            add(turns, str(number))

    served = Counter(serve(turns, min(waiting) * len(waiting)))

    assert max(served.values()) - min(served.values()) <= 1


@pytest.mark.parametrize(("urgent", "other"), [(Urgency.CALL, Urgency.PAGE), (Urgency.PAGE, Urgency.LIST)])
def test_urgency_lends_turns(urgent: Urgency, other: Urgency) -> None:
    """Urgent calls go before less urgent ones of callers with as many turns, for as many turns as are lent."""
    turns = FairTurns()
    for _ in range(40):
        add(turns, "urgent", urgency=urgent)
        add(turns, "other", urgency=other)
    lent = LENT[urgent] - LENT[other]

    served = serve(turns, 60)

    assert served[:lent] == ["urgent"] * lent
    assert abs(Counter(served[lent + 1 :])["urgent"] - Counter(served[lent + 1 :])["other"]) <= 1


def test_what_is_ready() -> None:
    """Only calls go that may go now, by their caller, their lane and their urgency."""
    turns = FairTurns()
    calls = {
        (caller, lane, urgency): add(turns, caller, lane=lane, urgency=urgency)
        for caller in "ab"
        for lane in "xy"
        for urgency in Urgency
    }

    for wanted, call in calls.items():
        found = turns.next(lambda *asked, only=wanted: asked == only)

        assert found == (call, wanted[0])


def test_own_urgent_calls_first() -> None:
    """Of one caller's calls the most urgent goes first."""
    turns = FairTurns()
    add(turns, "a", urgency=Urgency.LIST)
    call = add(turns, "a", urgency=Urgency.CALL)

    found = turns.next(always)

    assert found == (call, "a")


def test_a_lane_that_stands() -> None:
    """F4: who waits in a lane that stands keeps nobody waiting in another, and makes up for nothing later."""
    turns = FairTurns()
    for _ in range(50):
        add(turns, "waits", lane="standing")
        add(turns, "goes")
    assert serve(turns, 50) == ["goes"] * 50

    for _ in range(30):
        add(turns, "goes", lane="standing")
    served = serve(turns, 40, lanes=["standing"])

    assert Counter(served)["waits"] <= 20 + 10


def test_turns_that_are_for_one_lane() -> None:
    """F1: who could go in another lane loses nothing while turns are given to this one, and has them afterwards."""
    turns = FairTurns()
    for _ in range(20):
        add(turns, "busy", urgency=Urgency.CALL)
        add(turns, "patient", lane="another", urgency=Urgency.LIST)
    had = []
    for _ in range(20):
        wanted = turns.next(always)
        assert wanted is not None
        found = turns.next(always, wanted[0].lane)
        assert found is not None
        turns.remove(found[0])
        turns.count_turn(found[1])
        had.append(found[1])

    assert had.count("patient") >= 6
    assert turns.next(always, "empty") is None


def test_a_late_caller() -> None:
    """Who begins late starts with the fewest turns that anybody else had, not with none."""
    turns = FairTurns()
    for _ in range(100):
        add(turns, "early")
        add(turns, "too")
    serve(turns, 100)

    for _ in range(50):
        add(turns, "late")
    served = Counter(serve(turns, 60))

    assert max(served.values()) - min(served.values()) <= 1


def test_turns_that_nobody_wanted() -> None:
    """Turns that a caller had while it was alone count for as many as urgency lends and one."""
    turns = FairTurns()
    for _ in range(100):
        turns.count_turn("alone")
    for _ in range(40):
        add(turns, "alone")
        add(turns, "late")

    served = serve(turns, 40)

    assert served[: 1 + LENT[Urgency.CALL]].count("alone") <= 1
    assert served.count("alone") >= 15


def test_a_shared_call() -> None:
    """A call of several callers goes at the first turn of any of them, and is that one's turn."""
    turns = FairTurns()
    for _ in range(5):
        add(turns, "busy")
    shared = add(turns, "busy", "idle")

    assert serve(turns) == ["busy"]

    assert turns.next(always) == (shared, "idle")


def test_a_call_that_others_join_and_leave() -> None:
    """A call waits in the lines of those whose call it is now, and keeps its place in those that it stays in."""
    turns = FairTurns()
    moved, behind = add(turns, "a"), add(turns, "a")
    add(turns, "b")

    turns.move(moved, ["a", "c"])
    assert turns.next(always) == (moved, "a")
    turns.move(moved, ["c"])
    assert turns.next(always) == (moved, "c")
    turns.move(moved, [])

    assert turns.next(always) == (behind, "a")
    assert len(turns) == 3


def test_ahead() -> None:
    """Before a caller's next call go its own, and of each other caller as many as it has, but no more than it."""
    turns = FairTurns()
    for _ in range(10):
        add(turns, "many")
    for _ in range(2):
        add(turns, "few")
    add(turns, "elsewhere", lane="other")

    assert turns.ahead(["new"], "lane") == 1 + 1
    assert turns.ahead(["new"], None) == 3
    assert turns.ahead(["few"], "lane") == 2 + 3
    assert turns.ahead(["many"], "lane") == 10 + 2
    assert turns.ahead(["elsewhere"], "lane") == 2
    assert turns.ahead(["many", "new"], "lane") == 2


def test_callers_are_forgotten() -> None:
    """C9: callers that wait for nothing are forgotten, so their number has a bound."""
    turns = FairTurns()
    call = add(turns, "waiting")

    for number in range(5_000):
        turns.count_turn(str(number))

    assert len(turns._lines) <= 1_001
    assert turns.next(always) == (call, "waiting")


class AnyOrder(RuleBasedStateMachine):
    """Calls come, go, move and leave in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = FairTurns()
        self.calls: dict[Waiting, set[str]] = {}

    @rule(
        callers=st.sets(st.sampled_from("abcd"), min_size=1),
        lane=st.sampled_from("xy"),
        urgency=st.sampled_from(list(Urgency)),
    )
    def come(self, callers: set[str], lane: str, urgency: Urgency) -> None:
        self.calls[add(self.turns, *sorted(callers), lane=lane, urgency=urgency)] = callers

    @precondition(lambda self: self.calls)
    @rule(callers=st.sets(st.sampled_from("abcd")), number=st.integers(0, 99))
    def move(self, callers: set[str], number: int) -> None:
        call = list(self.calls)[number % len(self.calls)]
        self.turns.move(call, sorted(callers))
        self.calls[call] = callers

    @precondition(lambda self: self.calls)
    @rule(number=st.integers(0, 99))
    def leave(self, number: int) -> None:
        call = list(self.calls)[number % len(self.calls)]
        self.turns.remove(call)
        del self.calls[call]

    @rule(lanes=st.sets(st.sampled_from("xy")))
    def go(self, lanes: set[str]) -> None:
        found = self.turns.next(lambda _caller, lane, _urgency: lane in lanes)
        could = [call for call, callers in self.calls.items() if callers and call.lane in lanes]
        assert (found is None) is (not could)
        if found is not None:
            call, caller = found
            assert caller in self.calls[call]
            assert call.lane in lanes
            self.turns.remove(call)
            self.turns.count_turn(caller)
            del self.calls[call]

    @invariant()
    def counted(self) -> None:
        assert len(self.turns) == len(self.calls)
        assert _in_lines(self.turns) == {call for call, callers in self.calls.items() if callers}


def _in_lines(turns: FairTurns) -> set[Waiting]:
    lines: Iterable[dict[Waiting, None]] = (calls for line in turns._lines.values() for calls in line.calls.values())
    return {call for calls in lines for call in calls}


TestAnyOrder = AnyOrder.TestCase
