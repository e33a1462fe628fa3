"""The table that ``link`` prints: who gets whom, what is ambiguous, what is left; then what became of it."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.commands.link_file import LineFault
from sidecar.core.flows.matching import Ambiguous, Left, Match, Pair

_EVERY = 5.0  # seconds between two lines of progress
_MOST_NAMED = 5  # items or customers of one address
_WIDEST = 40  # of the column of items


@dataclass(slots=True)
class Table:
    """Prints its lines and counts them. `to_decide`: a person has to."""

    counted: Counter[str] = field(default_factory=Counter)
    _said: float = field(default_factory=time.monotonic)

    def progress(self, doing: str) -> None:
        if time.monotonic() - self._said > _EVERY:
            self._said = time.monotonic()
            print(doing, file=sys.stderr, flush=True)

    @property
    def to_decide(self) -> int:
        return self.counted["ambiguous"] + self.counted["DECIDE"]

    def plan(self, matches: Sequence[Match], faults: Sequence[LineFault] = ()) -> list[Pair]:
        """Print what would be done, and give it."""
        pairs = [match for match in matches if isinstance(match, Pair)]
        width = min(_WIDEST, max((len(_shown(pair.item)) for pair in pairs), default=0))
        for pair in pairs:
            self._line("to link", f"item {_shown(pair.item):<{width}}  {pair.customer}  ({_shown(pair.by)})")
        for match in matches:
            if isinstance(match, Ambiguous):
                items, customers = _named(match.items), _named(match.customers)
                self._line("ambiguous", f"{_shown(match.address)}: items {items}; customers {customers}")
        for fault in faults:
            self._line("DECIDE", f"line {fault.number}: {fault.text}")
        for match in sorted((one for one in matches if isinstance(one, Left)), key=lambda left: left.harmless):
            self._left(match)
        return pairs

    def linked(self, pair: Pair) -> None:
        self._line("linked", f"item {_shown(pair.item)}  {pair.customer}")

    def failed(self, left: Left) -> None:
        self._left(left)

    def sum(self, *names: str) -> str:
        return ", ".join(f"{self.counted[name]} {name.lower().replace('decide', 'to decide')}" for name in names)

    def _left(self, left: Left) -> None:
        about = ", ".join(_shown(part) for part in (left.customer, left.by) if part)
        text = f"item {_shown(left.item)}: {left.why}" + (f" ({about})" if about else "")
        self._line("left" if left.harmless else "DECIDE", text)

    def _line(self, word: str, text: str) -> None:
        self.counted[word] += 1
        print(f"{word:<9}  {text}", flush=True)


def _named(keys: Sequence[str]) -> str:
    shown = ", ".join(map(_shown, keys[:_MOST_NAMED]))
    return f"{shown} and {len(keys) - _MOST_NAMED} more" if len(keys) > _MOST_NAMED else shown


def _shown(text: str) -> str:
    """Escape text that anybody may have written, so that it cannot forge lines."""
    return text if text.isprintable() else ascii(text)
