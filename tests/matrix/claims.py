"""What a cell of the matrix says: the versions that it ran, and claims that hold or do not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.doubles.waiting import eventually

_FELT_WITHIN = 15.0  # seconds; far more than the feed takes, far less than the lifetimes in these cells


@dataclass(frozen=True, slots=True)
class Version:
    """A program and its version, as it says itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence, with what it expects and what was seen."""

    text: str
    expected: object
    seen: object

    @property
    def holds(self) -> bool:
        return self.expected == self.seen

    def __str__(self) -> str:
        if self.holds:
            return f"ok      {self.text}"
        return f"NOT SO  {self.text}: expected {self.expected!r}, seen {self.seen!r}"


Findings = AsyncIterator[Claim | Version]


async def felt(text: str, condition: Callable[[], Awaitable[bool]]) -> Claim:
    """Claim that `condition` becomes true soon."""
    with suppress(AssertionError):
        await eventually(condition, within=_FELT_WITHIN)
        return Claim(text, expected=True, seen=True)
    return Claim(text, expected=True, seen=f"not within {_FELT_WITHIN:.0f} s")
