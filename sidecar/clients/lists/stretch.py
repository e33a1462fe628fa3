"""One stretch of a list: how far it was followed, and what came of it."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.core.operations.list_query import MOST, Leaf, Span
from sidecar.errors import StripeFailure, StripeRejected, StripeUnavailable


@dataclass(slots=True, eq=False)
class Piece:
    """`trail` are the last page's IDs, less those that Stripe no longer has; the last of them is the cursor.

    `ready` was fetched and not given yet. `fault` ends the piece once all that is ready was given.
    """

    span: Span
    trail: list[str] = field(default_factory=list)
    seen: int = 0
    newest: int = 0
    oldest: int = 0
    ready: deque[Leaf] = field(default_factory=deque)
    task: asyncio.Task[Leaf] | None = None
    begun: bool = False
    over: bool = False
    fault: StripeFailure | None = None
    _cursors: set[str] = field(default_factory=set)

    def query(self) -> dict[str, str]:
        cursor = {"starting_after": self.trail[-1]} if self.trail else {}
        return {"limit": str(MOST), **self.span.filters(), **cursor}

    def goes_on_with(self, leaf: Leaf) -> bool:
        """Whether the page stands in the order of time after what was seen."""
        return leaf.in_order and (self.seen == 0 or not leaf.ids or leaf.newest <= self.oldest)

    def take(self, leaf: Leaf) -> None:
        """Raises StripeUnavailable for a page that cannot be the next one, or leaves no way on."""
        if leaf.more and not leaf.ids:
            raise _unusable("broke off in the middle", "no way on")
        if len({*leaf.ids, *self.trail}) < len(leaf.ids) + len(self.trail) or self._cursors & {*leaf.ids[-1:]}:
            raise _unusable("repeats itself", "an ID came twice")
        if leaf.ids and not (self.span.holds(leaf.newest) and self.span.holds(leaf.oldest)):
            raise _unusable("holds what was not asked for", "outside its time")
        self.over = not leaf.more
        if leaf.ids:
            self._add(leaf)

    def _add(self, leaf: Leaf) -> None:
        self.trail = list(leaf.ids)
        self._cursors.add(leaf.ids[-1])
        if self.seen == 0:
            self.newest = leaf.newest if self.span.until is None else self.span.until
        self.seen += len(leaf.ids)
        self.oldest = leaf.oldest
        self.ready.append(leaf)

    def step_back(self, error: StripeRejected) -> bool:
        """Go on after the object before, if Stripe no longer has the one at the cursor; False if there is none."""
        facts = error.extensions.get("stripe")
        if not isinstance(facts, Mapping) or facts.get("param") != "starting_after" or len(self.trail) < 2:  # noqa: PLR2004 - the cursor and one before it
            return False
        self.trail.pop()
        return True


def _unusable(what: str, detail: str) -> StripeUnavailable:
    return StripeUnavailable(f"Stripe's list {what}. Ask again.", detail=detail)
