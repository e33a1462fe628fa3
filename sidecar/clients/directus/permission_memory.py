"""The memories of the permission cache: callers to whom something is granted, and the others.

The second is a tenth of the first: a flood of made-up tokens ends there and evicts nobody in use.
"""

from collections.abc import Callable

from cachetools import TLRUCache

from sidecar.clients.directus.permission_flight import Entry

_REFUSED_SHARE = 10  # the memory of refused callers is this many times smaller


def _expires(_key: bytes, entry: Entry, _now: float) -> float:
    return entry.until


class Memory:
    def __init__(self, size: int, timer: Callable[[], float]) -> None:
        self._granted = TLRUCache[bytes, Entry](size, _expires, timer)
        self._refused = TLRUCache[bytes, Entry](max(1, size // _REFUSED_SHARE), _expires, timer)

    def get(self, key: bytes) -> Entry | None:
        return self._granted.get(key) or self._refused.get(key)

    def granted(self, key: bytes) -> Entry | None:
        """Give the entry of a caller to whom something is granted."""
        return self._granted.get(key)

    def store(self, key: bytes, entry: Entry) -> None:
        """Store it unless the answer to a later question is there: one that everybody gave up may come last."""
        known = self.get(key)
        if known is not None and known.asked > entry.asked:
            return
        memory, other = self._granted, self._refused
        if not entry.grants_something:
            memory, other = other, memory
        other.pop(key, None)
        memory[key] = entry

    def replace(self, key: bytes, entry: Entry) -> None:
        """Put in the place of a granted entry what says the same and more."""
        self._granted[key] = entry

    def clear(self) -> None:
        self._granted.clear()
        self._refused.clear()
