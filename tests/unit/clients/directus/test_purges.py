"""Check F6: which changes count together, in virtual time."""

import asyncio

from sidecar.clients.directus.purges import Purges
from tests.doubles.virtual_time import in_virtual_time

WINDOW, SETTLING = 0.25, 1.0


class Heard:
    """What was forgotten, with the time of each."""

    def __init__(self) -> None:
        self.times: list[tuple[float, str]] = []
        self.purges = Purges(self.hear, self.hear, window=WINDOW, settling=SETTLING)

    def hear(self, what: str) -> None:
        self.times.append((round(asyncio.get_running_loop().time(), 6), what))

    def count(self, what: str) -> int:
        return sum(heard == what for _, heard in self.times)


@in_virtual_time
async def test_changes_of_everybody_count_together() -> None:
    """F6: The first change counts at once, those within a window as one at its end, and once more when all is quiet."""
    heard = Heard()
    for pause in (0, 0.1, 0.05):
        await asyncio.sleep(pause)
        heard.purges.change_everybody()
    await asyncio.sleep(5)

    assert heard.times == [(0, "change"), (WINDOW, "change"), (1.15, "settled")]


@in_virtual_time
async def test_a_single_change_counts_at_once() -> None:
    """F6: Two changes with a quiet time between them are each felt at once."""
    heard = Heard()
    for _ in range(2):
        heard.purges.change_everybody()
        await asyncio.sleep(3)

    assert heard.times == [(0, "change"), (1, "settled"), (3, "change"), (4, "settled")]


@in_virtual_time
async def test_changes_without_end() -> None:
    """F6: However many changes there are, at most one in a window is felt, and none is felt later than its window."""
    heard = Heard()
    for _ in range(500):
        heard.purges.change_everybody()
        await asyncio.sleep(0.01)
    await asyncio.sleep(WINDOW)

    assert heard.count("change") == 21
    assert heard.times[-1][0] >= 4.99


@in_virtual_time
async def test_one_users_changes() -> None:
    """F6: 38 edits of one profile in 5 s forget that user some 20 times, another's single change once, nobody else."""
    heard = Heard()
    for number in range(38):
        heard.purges.change_users(["editor"])
        if number == 20:
            heard.purges.change_users(["other"])
        await asyncio.sleep(5 / 38)
    await asyncio.sleep(SETTLING)

    assert heard.count("change") == heard.count("settled") == 0
    assert 19 <= heard.count("editor") <= 22
    assert heard.count("other") == 2  # at once, and when all is quiet


@in_virtual_time
async def test_very_many_users() -> None:
    """F6: More users than are counted one by one count as everybody."""
    heard = Heard()

    heard.purges.change_users([f"user{number}" for number in range(1001)])

    assert heard.times == [(0, "change")]
