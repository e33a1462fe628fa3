"""What a row measured in one column, and the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seen:
    """`met`: it is what it must be. `figures` are the same for programs, times in seconds."""

    words: str
    met: bool
    figures: Mapping[str, object] = field(default_factory=dict)


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 0.995 else f"{value:.1f} s"
