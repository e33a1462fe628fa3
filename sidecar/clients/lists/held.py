"""Counts the bytes of lists that wait in memory, over the whole process, and says which list may fetch ahead.

What a reader waits for is always fetched, so no list stands still because of another. Only what is fetched ahead of
its reader needs room: a list may have as many bytes as are free after that (Choudhury and Hahne, "Dynamic Queue Length
Thresholds for Shared-Memory Packet Switches", 1998). So one list alone may have half of all, n lists have 1/(n + 1)
each, there is always room for one more, and nobody has to know how many there are.
"""

from collections.abc import Iterator
from contextlib import contextmanager

MOST_HELD = 64 * 2**20  # bytes


class HeldBytes:
    """`most` bytes may be fetched ahead. `total` is what is held now, also what readers wait for or are being sent."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self.most = most
        self.total = 0

    def account(self) -> "Account":
        return Account(self)

    @contextmanager
    def holding(self, count: int) -> Iterator[None]:
        """Count these bytes while the block runs, such as while a page is being sent."""
        self.total += count
        try:
            yield
        finally:
            self.total -= count


class Account:
    """The bytes of one list. The list closes it at its end, or removes all bytes that it added."""

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self.own = 0

    @property
    def share(self) -> int:
        """Give the bytes that this list may have in all, with as much left free for others."""
        others = self._held.total - self.own
        return max(0, self._held.most - others) // 2

    def has_room_for(self, count: int) -> bool:
        return self.own + count <= self.share

    def add(self, count: int) -> None:
        self.own += count
        self._held.total += count

    def remove(self, count: int) -> None:
        self.add(-count)

    @contextmanager
    def expecting(self, count: int) -> Iterator[None]:
        """Count these bytes while they are asked for."""
        self.add(count)
        try:
            yield
        finally:
            self.remove(count)

    def close(self) -> None:
        """Give everything back."""
        self.remove(self.own)
