"""Fair turns between callers: what one gets depends on how many others ask, not on how often it asks.

Each caller has a count of its turns, and the one with the fewest goes first (start-time fair queuing; Goyal, Vin and
Cheng, 1996). An urgent call is sent as if its caller had had some turns fewer (borrowed virtual time; Duda and
Cheriton, 1999): a change goes before a page and a page before a whole list, yet nobody starves, since urgency lends
turns and does not give them.

Calls wait in lanes, one for each limit. A lane that stands blocks nobody in another.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import count

from sidecar.core.urgency import Urgency

LENT = {Urgency.LIST: 0, Urgency.PAGE: 4, Urgency.CALL: 8}
# How far one may be ahead of the others: turns that nobody else wanted, as in a lane of its own, count no further.
_AHEAD = 1 + max(LENT.values())
_IDLE = 1_000  # callers without a waiting call whose counts are kept
Ready = Callable[[str, str, Urgency], bool]


@dataclass(slots=True, eq=False)
class Waiting:
    """A call that waits. `number` orders the calls of equal rights by their arrival."""

    lane: str
    urgency: Urgency
    number: int = 0
    callers: tuple[str, ...] = ()


@dataclass(slots=True)
class _Line:
    """The calls of one caller; `turns` counts those that it had."""

    turns: float
    calls: dict[tuple[str, Urgency], dict[Waiting, None]] = field(default_factory=dict)

    def put(self, call: Waiting) -> None:
        self.calls.setdefault((call.lane, call.urgency), {})[call] = None

    def take(self, call: Waiting) -> None:
        place = (call.lane, call.urgency)
        calls = self.calls[place]
        del calls[call]
        if not calls:
            del self.calls[place]

    def waiting(self, lane: str | None) -> int:
        return sum(len(calls) for (its, _), calls in self.calls.items() if lane in (None, its))

    def part(self, lane: str | None, most: int) -> float:
        """Give this caller's part of the calls that wait, `most` at the most: of one that ten share it has a tenth."""
        total = 0.0
        for (its, _), calls in self.calls.items():
            for call in calls if lane in (None, its) else ():
                total += 1 / len(call.callers)
                if total >= most:
                    return most
        return total


class FairTurns:
    """A call of several callers waits in the line of each, and the first turn of any of them is its turn."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._numbers = count()
        self._reached = 0.0  # the fewest turns that one of those who could go had had
        self._calls = 0

    def __len__(self) -> int:
        return self._calls

    def add(self, call: Waiting, callers: Collection[str]) -> None:
        call.number = next(self._numbers)
        self._calls += 1
        call.callers = tuple(callers)
        for caller in call.callers:
            self._line(caller).put(call)

    def move(self, call: Waiting, callers: Collection[str]) -> None:
        """Let a waiting call be for these callers from now on; it keeps its place in the lines that it stays in."""
        for caller in {*call.callers} - {*callers}:
            self._lines[caller].take(call)
        for caller in {*callers} - {*call.callers}:
            self._line(caller).put(call)
        call.callers = tuple(callers)

    def remove(self, call: Waiting) -> None:
        for caller in call.callers:
            self._lines[caller].take(call)
        self._calls -= 1

    def next(self, ready: Ready, in_lane: str | None = None) -> tuple[Waiting, str] | None:
        """Give the call that goes next and the caller whose turn it is, None where none of them is `ready`.

        `ready` is asked with a caller, a lane and an urgency. Nothing is taken out of the lines. Where the turn is for
        one lane, those who could go in others miss it, and keep what they have not had.
        """
        best: tuple[float, int, Waiting, str] | None = None
        reached = float("inf")
        for caller, line in self._lines.items():
            for (lane, urgency), calls in line.calls.items():
                if not ready(caller, lane, urgency):
                    continue
                line.turns = max(line.turns, self._reached)  # what it missed while its lane stood is not made up for
                reached = min(reached, line.turns)
                if in_lane not in (None, lane):
                    continue
                call = next(iter(calls))
                rank = (line.turns - LENT[urgency], call.number)
                if best is None or rank < best[:2]:
                    best = (*rank, call, caller)
        if best is None:
            return None
        self._reached = max(self._reached, reached)
        return best[2], best[3]

    def count_turn(self, caller: str) -> None:
        """Count a turn of this caller, whether or not its call had to wait."""
        line = self._line(caller)
        line.turns = min(max(line.turns, self._reached) + 1, self._reached + _AHEAD)

    def ahead(self, callers: Collection[str], lane: str | None) -> int:
        """Estimate how many calls go before another one of these callers; `lane` None means in all lanes.

        Each other caller goes before it as often as it has calls, but not more often than the caller itself has turns
        until then. A call that several share is one call.
        """
        own = min((self.waiting(caller, lane) for caller in callers), default=0)
        return round(sum(line.part(lane, own + 1) for line in self._lines.values()))

    def waiting(self, caller: str, lane: str | None) -> int:
        """Count the calls of this caller that wait in a lane, or with None in all of them."""
        return self._lines[caller].waiting(lane) if caller in self._lines else 0

    def _line(self, caller: str) -> _Line:
        line = self._lines.get(caller)
        if line is None:
            if len(self._lines) >= _IDLE:
                self._forget_idle()
            line = self._lines[caller] = _Line(self._reached)
        return line

    def _forget_idle(self) -> None:
        for caller in list(self._idle()):
            del self._lines[caller]

    def _idle(self) -> Iterator[str]:
        """Those who wait for nothing; forgetting one gives it back at most `_AHEAD` turns."""
        return (caller for caller, line in self._lines.items() if not line.calls)
