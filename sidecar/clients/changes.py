"""What may be joined after a change at Stripe: nobody who asks after it is given what began to be fetched before it."""

from typing import Protocol

from sidecar.party import Party


class Changes(Protocol):
    """The changes that any replica made at Stripe, or heard of from Stripe."""

    async def tell(self) -> None:
        """Let nobody who asks after this, at any replica, join what began before it. Raises nothing, and soon ends."""

    async def none_since(self, began: float) -> bool:
        """Say whether none was told since then, in the event loop's time. False also where that cannot be known."""


class Alone:
    """One process, whose own changes are enough: what it fetched before them it forgets by itself."""

    async def tell(self) -> None:
        pass

    async def none_since(self, _began: float) -> bool:
        return True


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
