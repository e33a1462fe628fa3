"""The memories of the permission cache: callers to whom something is granted, guests to whom it is, and the others.

The last is a tenth of the first: a flood of made-up tokens ends there and evicts nobody in use. Nor does a flood of
guests, of whom one subscriber has as many as it has addresses.
"""

from collections.abc import Callable

from cachetools import TLRUCache

from sidecar.clients.directus.caller_keys import NOBODY
from sidecar.clients.directus.permission_flight import Entry

_REFUSED_SHARE = 10  # the memory of refused callers is this many times smaller


def _expires(_key: bytes, entry: Entry, _now: float) -> float:
    return entry.until


class Memory:
    def __init__(self, size: int, timer: Callable[[], float]) -> None:
        self._granted = TLRUCache[bytes, Entry](size, _expires, timer)
        self._guests = TLRUCache[bytes, Entry](size, _expires, timer)
        self._refused = TLRUCache[bytes, Entry](max(1, size // _REFUSED_SHARE), _expires, timer)

    def get(self, key: bytes) -> Entry | None:
        return self.granted(key) or self._refused.get(key)

    def granted(self, key: bytes) -> Entry | None:
        """Give the entry of a caller to whom something is granted."""
        return self._granted.get(key) or self._guests.get(key)

    def store(self, key: bytes, entry: Entry) -> None:
        """Store it unless the answer to a later question is there: one that everybody gave up may come last."""
        known = self.get(key)
        if known is not None and known.asked > entry.asked:
            return
        for memory in (self._granted, self._guests, self._refused):
            memory.pop(key, None)
        self._memory_of(entry)[key] = entry

    def replace(self, key: bytes, entry: Entry) -> None:
        """Put in the place of a granted entry what says the same and more."""
        self._memory_of(entry)[key] = entry

    def clear(self) -> None:
        for memory in (self._granted, self._guests, self._refused):
            memory.clear()

    def _memory_of(self, entry: Entry) -> TLRUCache[bytes, Entry]:
        if not entry.grants_something:
            return self._refused
        return self._guests if entry.user == NOBODY else self._granted
