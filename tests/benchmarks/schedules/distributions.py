"""How the objects of an account may lie in time: each makes so many moments within two years, newest first."""

import math
import random
from collections.abc import Callable, Sequence

NOW = 1_790_000_000
YEAR, DAY = 365 * 86_400, 86_400
_BURST = 150  # objects of one second
Times = list[int]


def _uniform(dice: random.Random) -> int:
    return NOW - dice.randrange(2 * YEAR)


def _exponential(dice: random.Random) -> int:
    """Fewer and fewer the longer ago, as in an account that doubles every seven weeks."""
    return NOW - int(dice.expovariate(1 / (70 * DAY)))


def _growth(dice: random.Random) -> int:
    """As many more each month as the month before."""
    return NOW - int(2 * YEAR * (1 - math.sqrt(dice.random())))


def _day_and_night(dice: random.Random) -> int:
    """Nine of ten within twelve hours of the day."""
    second = dice.randrange(DAY // 2) if dice.random() < 0.9 else DAY // 2 + dice.randrange(DAY // 2)
    return NOW - DAY * dice.randrange(2 * 365) - second


def _two_eras(dice: random.Random) -> int:
    """Half in the last ten days, the others in the year before last."""
    return NOW - dice.randrange(10 * DAY) if dice.random() < 0.5 else NOW - YEAR - dice.randrange(YEAR)


def _gaps(dice: random.Random) -> int:
    """Twenty weeks of business with weeks without any between them."""
    return NOW - 5 * 7 * DAY * dice.randrange(20) - dice.randrange(7 * DAY)


def _four_seconds(dice: random.Random) -> int:
    return NOW - dice.randrange(4)


def _one_second(_dice: random.Random) -> int:
    return NOW


_SPREADS: dict[str, Callable[[random.Random], int]] = {
    "uniform": _uniform,
    "exponential": _exponential,
    "growth": _growth,
    "day and night": _day_and_night,
    "two eras": _two_eras,
    "gaps": _gaps,
    "four seconds": _four_seconds,
    "one second": _one_second,
}
NAMES = (*list(_SPREADS)[:6], "bursts", *list(_SPREADS)[6:])
SMOOTH = NAMES[:4]


def moments(name: str, number: int, seed: int = 1) -> Times:
    """Give the times of creation of so many objects, newest first."""
    dice = random.Random(f"{name} {seed}")  # noqa: S311 - repeatable, not secret
    if name == "bursts":
        when = [NOW - dice.randrange(YEAR) for _ in range(1 + number // _BURST)]
        return sorted((dice.choice(when) for _ in range(number)), reverse=True)
    return sorted((_SPREADS[name](dice) for _ in range(number)), reverse=True)


def grown(times: Sequence[int], share: float, seed: int = 2) -> Times:
    """Add this share of objects, as dense as the newest were, and take half as many away anywhere."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    number = round(len(times) * share)
    newest, span = times[0], times[0] - times[min(len(times) - 1, number)]
    kept = [moment for moment in times if dice.random() >= share / 2]
    return sorted((newest + dice.randrange(span + 1) for _ in range(number)), reverse=True) + kept
