"""The objects of some customers at Stripe, newest first: merged from a list of each, or retrieved one by one."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.clients.lists.fan_out import fan_out
from sidecar.clients.lists.held import Account
from sidecar.clients.lists.merge import Merge, Portion, Source
from sidecar.clients.lists.waiting import Waiting, pack
from sidecar.core.interfaces import Page, Stripe
from sidecar.core.operations.list_query import Span
from sidecar.core.operations.resources import StripeObject, reference
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeRejected, StripeUnavailable


@dataclass(frozen=True, slots=True)
class OwnObjects:
    """The objects whose `attribute` has one of these values; an object with another value is never given.

    What waits to be given is counted in `account`.
    """

    stripe: Stripe
    attribute: str
    values: Sequence[str]
    account: Account
    urgency: Urgency

    def listed(self, path: str, filters: Mapping[str, str], portion: Portion) -> AsyncGenerator[Waiting]:
        sources = [self._source(path, {**filters, self.attribute: value}) for value in self.values]
        return Merge(sources, self.account, portion).objects()

    def _source(self, path: str, filters: Mapping[str, str]) -> Source:
        async def fetch(parameters: Mapping[str, str]) -> Page:
            return await self.stripe.page(path, {**filters, **parameters}, urgency=self.urgency)

        def check(entry: StripeObject) -> None:
            if reference(entry, self.attribute) != filters[self.attribute]:
                raise _another("Stripe listed something else than was asked for.")

        return Source(CursorPages(fetch), check)

    async def retrieved(self, path: str, span: Span) -> AsyncGenerator[Waiting]:
        found = await fan_out([partial(self._retrieve, path, value) for value in self.values])
        present = [entry for entry in found if entry is not None and span.contains(entry.created)]
        for entry in sorted(present, key=lambda one: one.created, reverse=True):
            self.account.remove(entry.size)
            yield entry

    async def _retrieve(self, path: str, object_id: str) -> Waiting | None:
        """Give None for an object that is unknown or deleted: Stripe's own list leaves those out too."""
        try:
            found = await self.stripe.retrieve(path, object_id, urgency=self.urgency)
        except StripeRejected as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        if found.get("id") != object_id:
            raise _another("Stripe answered with something else than was asked for.")
        if found.get("deleted") is True:
            return None
        entry = pack(found)
        self.account.add(entry.size)
        return entry


def _another(message: str) -> StripeUnavailable:
    return StripeUnavailable(message, detail="another's object")
