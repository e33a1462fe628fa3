"""A number of turns a second, by the generic cell rate algorithm: one moment says all that was used.

In any t seconds there are at most `t * per_second + burst + 1` turns.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` is how many turns may be used at once after a quiet time."""

    per_second: float
    burst: float

    @property
    def gap(self) -> float:
        """The seconds between two turns."""
        return 1 / self.per_second

    def after(self, due: float, now: float) -> float:
        """Give the moment from which on there is another turn, once one was used now; `due` is that moment so far."""
        return max(due, now - self.burst * self.gap) + self.gap
