"""The lines that commands print, one for each finding, and the exit code that they cause."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    OK = "ok"
    NOTE = "note"
    FAULT = "FAULT"
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    TO_CREATE = "to create"
    TO_CHANGE = "to change"


@dataclass(frozen=True, slots=True)
class Line:
    """`text` contains no secret; the text of a FAULT says how to mend it."""

    word: Word
    text: str


def show(lines: Iterable[Line]) -> int:
    """Print each line as it comes and give the exit code: 1 if any of them is a fault."""
    faults = 0
    for line in lines:
        print(f"{line.word:<9}  {line.text}", flush=True)
        faults += line.word is Word.FAULT
    return 1 if faults else 0
