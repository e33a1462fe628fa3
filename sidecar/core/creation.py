"""How a customer comes to be, and how its ID finds the item it belongs to.

With write-back the Directus item is there before Stripe is asked, so a crash at any step leaves an item
that can be tried again, and the idempotency key made from that item makes Stripe answer with the same
customer (docs.stripe.com/api/idempotent_requests). Customers are never matched by e-mail address: anyone
can type one.
"""

import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.core.credentials import Credential
from sidecar.core.interfaces import Items, PrimaryKey, Stripe, StripeObject
from sidecar.core.projection import FieldMap
from sidecar.errors import DirectusUnavailable, ItemConflict, ItemRefused, PermissionDenied, StripeFailure

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """`attributes` by Stripe's names; `item` only with write-back, None meaning that one is to be created."""

    attributes: Mapping[str, object]
    item: PrimaryKey | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`created` is False where the item had a customer already; `pending` where its ID still has to be written."""

    customer: StripeObject
    created: bool = True
    item: PrimaryKey | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True)
class WriteBack:
    """`service` writes the ID; without it the caller's own credential does."""

    items: Items
    collection: str
    livemode: bool
    service: Credential | None
    field_map: FieldMap


async def create_customer(
    new: NewCustomer, caller: Credential, stripe: Stripe, write_back: WriteBack | None
) -> Outcome:
    """Create a customer, with an item of its own where `write_back` is on.

    Raises StripeFailure, ItemRefused, ItemConflict, PermissionDenied, DirectusUnavailable. A StripeFailure
    names the item in its extensions, so that a retry with `item` makes no second one.
    """
    if write_back is None:
        return Outcome(await stripe.create_customer(new.attributes, {}, secrets.token_hex(16)))
    if new.item is None:
        item = await write_back.items.create(caller, write_back.field_map.item_values(new.attributes))
        return await _create_for_item(item, new, caller, stripe, write_back)
    existing = await write_back.items.customer_id(caller, new.item)
    if not await write_back.items.may_update(caller, new.item):
        raise PermissionDenied("You may not update this item, so no customer can be created for it.")
    if existing is not None:
        return Outcome(await stripe.retrieve("/v1/customers", existing), created=False, item=new.item)
    return await _create_for_item(new.item, new, caller, stripe, write_back)


async def _create_for_item(
    item: PrimaryKey, new: NewCustomer, caller: Credential, stripe: Stripe, write_back: WriteBack
) -> Outcome:
    metadata = {"directus_collection": write_back.collection, "directus_item": str(item)}
    try:
        customer = await stripe.create_customer(new.attributes, metadata, idempotency_key(write_back, item))
    except StripeFailure as failure:
        failure.extensions["item"] = item
        raise
    customer_id = str(customer["id"])
    writer = write_back.service or caller
    try:
        claimed = await write_back.items.claim(writer, item, customer_id)
        holder = customer_id if claimed else await write_back.items.customer_id(writer, item)
    except (DirectusUnavailable, ItemRefused) as error:
        _log.error(
            "write-back pending",
            extra={"item": item, "customer": customer_id, "reason": error.code, "detail": error.detail},
        )
        return Outcome(customer, item=item, pending=True)
    if holder != customer_id:
        raise ItemConflict(
            "Another customer was put into this item meanwhile; it was left as it is.",
            extensions={"item": item, "customer": customer_id},
        )
    return Outcome(customer, item=item)


def idempotency_key(write_back: WriteBack, item: PrimaryKey) -> str:
    """Name the intent "a customer for this item": the same for every try, from whichever caller or process."""
    parts = ("test" if not write_back.livemode else "live", write_back.collection, str(item))
    digest = hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode())
    return f"directus-item-{digest.hexdigest()}"
