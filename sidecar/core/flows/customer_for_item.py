"""Creates the one customer of an item, and puts its ID into the item.

The item exists before Stripe is asked. So a crash at any step leaves an item that can be tried again, and the
idempotency key made from that item lets Stripe answer with the same customer (docs.stripe.com/api/idempotent_requests).
While SIDECAR_SECRET is replaced, an earlier try may have used the key of the other secret: then the customers of the
last day are looked through for one that was created for the item.
"""

import logging
from dataclasses import dataclass, replace
from http import HTTPStatus

from sidecar.core.flows.create_customer import Creator, NewCustomer, Outcome, create_at_stripe
from sidecar.core.flows.customer_state import CustomerState, find_customer, is_alive, no_living_customer, state_of
from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.flows.write_back import WriteBack
from sidecar.core.interfaces import PrimaryKey, Sent, StripeCalls
from sidecar.core.operations.resources import is_customer_id
from sidecar.errors import ItemConflict, ItemRefused, StripeFailure

_NOT_YOURS = "You may not update this item, so no customer can be created for it."
_NO_ID = (
    "You may not update the field of the customer ID, and this service has no token of its own to write it with, so no "
    "customer can be created."
)
_NOT_READABLE = (
    "This item has a customer already, which you may not read. If it was deleted at Stripe, have an administrator "
    "empty the field of its ID, then create the item's next customer."
)
_MOST_DELETED = 10  # customers of one item within a day
_log = logging.getLogger(__name__)


async def create_customer_for_item(
    new: NewCustomer, creator: Creator, stripe: StripeCalls, write_back: WriteBack
) -> Outcome:
    """Create the one customer of an item; the item is created first where `new` names none.

    Raises ItemRefused, ItemConflict, DirectusUnavailable, and StripeFailure with the item in its extensions, so that a
    retry makes no second item.
    """
    items, caller = write_back.items, creator.credential
    if write_back.service is None and not creator.may_write_id:
        raise ItemRefused(_NO_ID, status=HTTPStatus.FORBIDDEN, code="FORBIDDEN")
    links = await write_back.links(caller)
    if new.item is None:
        item = await items.create(caller, write_back.field_map.item_values(new.attributes))
        existing = None
    else:
        item, existing = new.item, await items.customer_id(caller, new.item)
    of_item = _CustomerOfItem(item, creator, stripe, write_back, links)
    if new.item is not None or write_back.service is None:
        await of_item.require_update()
    if existing is None and write_back.service is not None:
        existing = await write_back.held(item, write_back.service)
    if existing is not None:
        return await of_item.existing(existing)
    if new.item is not None and links.replacing and (earlier := await write_back.earlier(item, links)) is not None:
        return await of_item.link(earlier)
    return await of_item.create(new)


@dataclass(frozen=True, slots=True)
class _CustomerOfItem:
    item: PrimaryKey
    creator: Creator
    stripe: StripeCalls
    write_back: WriteBack
    links: ItemLinks

    async def require_update(self) -> None:
        if not await self.write_back.items.may_update(self.creator.credential, self.item):
            raise ItemRefused(_NOT_YOURS, status=HTTPStatus.FORBIDDEN, code="FORBIDDEN", extensions={"item": self.item})

    async def existing(self, customer_id: str) -> Outcome:
        """Give the customer that the item has. Raises ItemConflict where there is no living one to be shown."""
        if not self.creator.may_read:
            raise self._conflict(_NOT_READABLE)
        if not is_customer_id(customer_id):  # a user who may write the field must not choose the URL at Stripe
            raise self._conflict("This item's customer ID is not one of Stripe's. Correct it.")
        customer = await find_customer(self.stripe, customer_id)
        state = state_of(customer)
        if customer is None or state is not CustomerState.ALIVE:
            raise no_living_customer(customer_id, self.item, state)
        return Outcome(customer, self.item, created=False, found=True)

    async def link(self, customer_id: str) -> Outcome:
        """Write the ID that an earlier try could not write, and answer as for an item that had it already."""
        holder = await self.write_back.claim(self.item, customer_id, self.creator.credential)
        outcome = await self.existing(holder or customer_id)
        return replace(outcome, pending=holder is None, linked=holder == customer_id)

    async def create(self, new: NewCustomer) -> Outcome:
        try:
            sent = await self._living(new)
        except StripeFailure as failure:
            failure.extensions["item"] = self.item
            raise
        customer_id = str(sent.object["id"])
        holder = await self.write_back.claim(self.item, customer_id, self.creator.credential)
        facts = {"item": self.item, "customer": customer_id}
        if holder is None:
            _log.error("write-back pending", extra=facts)
        elif holder != customer_id:
            _log.error("a customer belongs to no item", extra={**facts, "holder": holder})
            return await self.existing(holder)
        return Outcome(sent.object, self.item, created=sent.first, pending=holder is None, linked=holder is not None)

    async def _living(self, new: NewCustomer) -> Sent:
        """Give Stripe's answer about the item's one customer that is not deleted.

        For a day Stripe repeats its first answer to a key, even if that customer was deleted since. Then the next key
        is made from the deleted customer's ID, by every process alike, so again all get the same customer.
        """
        metadata, key = self.links.metadata(self.item), self.links.idempotency_key(self.item)
        for _ in range(_MOST_DELETED):
            sent = await create_at_stripe(self.stripe, new.sent(self.item), metadata, key)
            customer_id = str(sent.object["id"])
            if not sent.replayed or await is_alive(self.stripe, customer_id):
                return sent
            facts = {"item": self.item, "customer": customer_id}
            _log.warning("a customer was deleted, its item gets another", extra=facts)
            key = self.links.idempotency_key(self.item, after=customer_id)
        raise self._conflict("This item's customers are deleted again and again. Try tomorrow.")

    def _conflict(self, message: str) -> ItemConflict:
        return ItemConflict(message, extensions={"item": self.item})
