"""Faults of the operator's file, and how they show the names that stand in it: on one line, of bounded length."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.core.operations.rules import suggestion

_LONGEST = 100  # characters of a name that is shown; the file may contain names of any length
Place = tuple[str | int, ...]  # by names, and by positions in lists


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a value, or of all of them where `place` is empty.

    `missing`: Stripe requires something in this place, and the file has nothing there.
    """

    place: Place
    what: str
    missing: bool = False

    def __str__(self) -> str:
        return f"{written(self.place)}: {self.what}" if self.place else self.what


def written(place: Place) -> str:
    """Write a place as `items[0].price`."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return shown(steps.removeprefix("."))


def meant(name: str, names: Sequence[str]) -> str:
    """Ask whether a similar name was meant, or else say which there are."""
    return similar(name, names) or f"; there are {', '.join(names)}"


def similar(name: str, names: Sequence[str]) -> str:
    """Ask whether a similar name was meant; empty where none is similar."""
    return suggestion(name[:_LONGEST], names)


def shown(text: str) -> str:
    """Shorten a name and escape it, so that it stays on one line."""
    plain = text if text.isprintable() else ascii(text)[1:-1]
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…"
