"""The objects of some customers at Stripe, newest first: merged from a list of each, or retrieved one by one."""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.clients.lists.fan_out import fan_out
from sidecar.clients.lists.held import Account
from sidecar.clients.lists.merge import Merge, Portion, Source
from sidecar.clients.lists.waiting import Waiting, waiting
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

    async def listed(self, path: str, filters: Mapping[str, str], portion: Portion) -> AsyncGenerator[Waiting]:
        """Begin the list of each value, and give their objects. Raises StripeFailure, and ItemConflict."""
        absent: set[str] = set()
        sources = [self._source(path, filters, value, absent) for value in sorted(self.choice.values)]
        merge = Merge(sources, self.account, portion)
        await merge.begin()
        self._require_any_but(absent)
        return merge.objects()

    def _source(self, path: str, filters: Mapping[str, str], value: str, absent: set[str]) -> Source:
        attribute = self.choice.attribute
        chosen = {} if self.choice.in_path else {attribute: value}

        async def fetch(parameters: Mapping[str, str]) -> Page:
            try:
                return await self.stripe.page(path, {**filters, **chosen, **parameters}, urgency=self.urgency)
            except StripeRejected as rejected:
                if not lacks_customer(rejected, path):
                    raise
                if "starting_after" in parameters:  # it was there, and what was given of it may not be all
                    raise StripeUnavailable(_GONE, detail="a customer is gone") from rejected
            absent.add(value)
            return Page([], more=False)

        def check(page: Page) -> None:
            if self.choice.told and any(referred != value for referred in _referred(page, attribute)):
                raise _another("Stripe listed something else than was asked for.")

        return Source(CursorPages(fetch), check)

    async def retrieved(self, path: str, span: Span) -> AsyncGenerator[Waiting]:
        """Retrieve each object, and give those of the span. Raises StripeFailure, and ItemConflict."""
        absent: set[str] = set()
        found = await fan_out([partial(self._retrieve, path, value, absent) for value in sorted(self.choice.values)])
        self._require_any_but(absent)
        return self._newest_first([entry for entry in found if entry is not None and span.contains(entry.created)])

    async def _newest_first(self, present: Sequence[Waiting]) -> AsyncGenerator[Waiting]:
        for entry in sorted(present, key=lambda one: one.created, reverse=True):
            self.account.remove(entry.size)
            yield entry

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


def _referred(page: Page, attribute: str) -> Iterable[str | None]:
    """Give what the attribute of each object refers to; for another than the customer the objects are parsed."""
    if attribute == "customer":
        return (entry.customer_id for entry in page.listed)
    return (reference(entry, attribute) for entry in page)


def _another(message: str) -> StripeUnavailable:
    return StripeUnavailable(message, detail="another's object")
