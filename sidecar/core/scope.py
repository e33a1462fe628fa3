"""Which customers a caller may touch. The zero value is none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Either `everything`, or exactly these customers."""

    customers: tuple[str, ...] = ()
    everything: bool = False


EVERYTHING = Scope(everything=True)
