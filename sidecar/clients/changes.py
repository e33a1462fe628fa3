"""What may be joined after a change at Stripe: nobody who asks after it is given what began to be fetched before it."""

import asyncio
import math
from typing import Protocol

from sidecar.party import Party


class Changes(Protocol):
    """The changes that any replica made at Stripe, or heard of from Stripe."""

    async def tell(self) -> None:
        """Let nobody who asks after this, at any replica, join what began before it. Raises nothing, and soon ends."""

    async def none_since(self, began: float) -> bool:
        """Say whether none was told since then, in the event loop's time. False also where that cannot be known."""


class Alone:
    """One process. It may have two applications for a while, the former one with changes under way."""

    def __init__(self) -> None:
        self._last = -math.inf  # when a change was told, in the event loop's time

    async def tell(self) -> None:
        self._last = asyncio.get_running_loop().time()

    async def none_since(self, began: float) -> bool:
        """What began at the very moment of a change is judged by who made it, who forgets what it fetched."""
        return began >= self._last


class Fetch(Protocol):
    """`made` is when it was made, in the event loop's time."""

    @property
    def party(self) -> Party: ...

    @property
    def made(self) -> float: ...


async def joinable(fetch: Fetch, changes: Changes) -> bool:
    """Say whether somebody who asks now may have what this fetches. What still waits for its turn begins after now."""
    if fetch.party.waits:
        return True
    began = fetch.party.began
    return await changes.none_since(fetch.made if began is None else began)
