"""The objects of some customers at Stripe, newest first: merged from a list of each, or retrieved one by one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.clients.lists.fan_out import fan_out
from sidecar.clients.lists.held import Account
from sidecar.clients.lists.merge import Merge, Portion, Source
from sidecar.clients.lists.starts import Wanted
from sidecar.clients.lists.waiting import Waiting, size_of, waiting
from sidecar.core.flows.customer_state import lacks_customer
from sidecar.core.interfaces import Choice, StripeReads, UnknownCustomers
from sidecar.core.operations.list_query import Span
from sidecar.core.operations.resources import reference
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeRejected, StripeUnavailable

_GONE = "Stripe's list broke off in the middle. Ask again."


@dataclass(frozen=True, slots=True)
class OwnObjects:
    """The objects of a choice; one with another value is never given.

    What waits to be given is counted in `account`. `unknown` is told of customers that the Stripe account does not
    have.
    """

    stripe: StripeReads
    choice: Choice
    account: Account
    urgency: Urgency
    unknown: UnknownCustomers

    async def listed(self, wanted: Wanted, portion: Portion) -> Merge:
        """Begin the list of each value. Raises StripeFailure, and ItemConflict."""
        absent: set[str] = set()
        sources = [self._source(wanted, value, absent) for value in sorted(self.choice.values)]
        merge = Merge(sources, self.account, portion)
        await merge.begin()
        self._require_any_but(absent)
        return merge

    async def page(self, wanted: Wanted, limit: int, before: str | None = None) -> Page:
        """Give one page of the only list as Stripe gives it, after the start, or before the cursor `before`.

        Raises StripeFailure, and ItemConflict.
        """
        absent: set[str] = set()
        [value] = self.choice.values
        if before is None:
            page = await self._pages(wanted, value, absent).next(limit)
        else:
            page = await self._fetch(wanted, value, absent, {"limit": str(limit), "ending_before": before})
        self._require_any_but(absent)
        self._check(value, page)
        return page

    def _source(self, wanted: Wanted, value: str, absent: set[str]) -> Source:
        return Source(self._pages(wanted, value, absent), partial(self._check, value))

    def _pages(self, wanted: Wanted, value: str, absent: set[str]) -> CursorPages:
        return CursorPages(partial(self._fetch, wanted, value, absent), wanted.after(value))

    async def _fetch(self, wanted: Wanted, value: str, absent: set[str], parameters: Mapping[str, str]) -> Page:
        chosen = {} if self.choice.in_path else {self.choice.attribute: value}
        try:
            return await self.stripe.page(
                wanted.path, {**wanted.parameters(value), **chosen, **parameters}, urgency=self.urgency
            )
        except StripeRejected as rejected:
            if not lacks_customer(rejected, wanted.path):
                raise
            if "starting_after" in parameters:  # a page of it was given, so the list is not whole
                raise StripeUnavailable(_GONE, detail="a customer is gone") from rejected
        absent.add(value)
        return Page([], more=False)

    def _check(self, value: str, page: Page) -> None:
        if self.choice.told and any(referred != value for referred in _referred(page, self.choice.attribute)):
            raise _another("Stripe listed something else than was asked for.")

    async def retrieved(self, path: str, span: Span) -> "Retrieved":
        """Retrieve each object, and give those of the span. Raises StripeFailure, and ItemConflict."""
        absent: set[str] = set()
        found = await fan_out([partial(self._retrieve, path, value, absent) for value in sorted(self.choice.values)])
        self._require_any_but(absent)
        return Retrieved([entry for entry in found if entry is not None and span.contains(entry.created)], self.account)

    async def _retrieve(self, path: str, object_id: str, absent: set[str]) -> Waiting | None:
        """Give None for an object that is unknown or deleted: Stripe's own list leaves those out too."""
        try:
            found = await self.stripe.retrieve(path, object_id, urgency=self.urgency)
        except StripeRejected as rejected:
            if not lacks_customer(rejected, path):
                raise
            absent.add(object_id)
            return None
        if found.get("id") != object_id:
            raise _another("Stripe answered with something else than was asked for.")
        if found.get("deleted") is True:
            return None
        [entry] = waiting(Page([found], more=False))
        self.account.add(entry.size)
        return entry

    def _require_any_but(self, absent: Collection[str]) -> None:
        """Tell of the customers that are absent. Raises ItemConflict if all are."""
        conflicts = [self.unknown.unknown(customer) for customer in sorted(absent)]
        if conflicts and len(conflicts) == len(self.choice.values):
            raise conflicts[0]


class Retrieved:
    """Objects that were retrieved one by one, newest first; those that wait are counted in `account`."""

    def __init__(self, entries: Sequence[Waiting], account: Account) -> None:
        self._entries = sorted(entries, key=lambda one: one.created, reverse=True)
        self._account = account

    @property
    def more(self) -> bool:
        """Whether there are objects that were not given."""
        return bool(self._entries)

    async def take(self, count: int) -> list[Waiting]:
        """Give the next objects, fewer than `count` only where there are no more."""
        taken, self._entries = self._entries[:count], self._entries[count:]
        self._account.remove(size_of(taken))
        return taken


def _referred(page: Page, attribute: str) -> Iterable[str | None]:
    """Give what the attribute of each object refers to; for another than the customer the objects are parsed."""
    if attribute == "customer":
        return {entry.customer_id for entry in page.listed}
    return {reference(entry, attribute) for entry in page}


def _another(message: str) -> StripeUnavailable:
    return StripeUnavailable(message, detail="another's object")
