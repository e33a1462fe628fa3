"""Creates a customer at Stripe and, with write-back, puts its ID into the item that it belongs to.

With write-back the Directus item exists before Stripe is asked. So a crash at any step leaves an item that can be
tried again, and the idempotency key made from that item lets Stripe answer with the same customer
(docs.stripe.com/api/idempotent_requests). Customers are never matched by e-mail address: anybody can type one.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from sidecar.core.access.credentials import Credential
from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.idempotency import client_key, digest
from sidecar.core.interfaces import Items, PrimaryKey, Sent, Stripe
from sidecar.core.operations.resources import CUSTOMER, StripeObject, is_customer_id
from sidecar.errors import (
    DirectusUnavailable,
    ItemConflict,
    ItemRefused,
    StripeFailure,
    StripeRejected,
    StripeUnavailable,
)

_NOT_YOURS = "You may not update this item, so no customer can be created for it."
_NO_ID = (
    "You may not update the field of the customer ID, and this service has no token of its own to write it with, so no "
    "customer can be created."
)
_MOST_DELETED = 10  # customers of one item within a day
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """`attributes` by Stripe's names; `item` only with write-back, where None means that one is to be created."""

    attributes: Mapping[str, object]
    item: PrimaryKey | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The customer, and with write-back its `item`.

    `created`: this call created it, and no other call says so. `found`: the item had it already, so the caller sees of
    it only what it may read. `pending`: its ID still has to be written.
    """

    customer: StripeObject
    item: PrimaryKey | None = None
    created: bool = True
    pending: bool = False
    found: bool = False


@dataclass(frozen=True, slots=True)
class Creator:
    """The caller who creates. `may_read`: it may read the customers of its items, so it may see an existing one.

    `may_write_id`: it may itself update the field of the ID. `key` is the client's own Idempotency-Key, None where it
    sent none.
    """

    credential: Credential
    may_read: bool
    may_write_id: bool = True
    key: str | None = None


@dataclass(frozen=True, slots=True)
class WriteBack:
    """`project` distinguishes several Directus on one Stripe account. `service` writes the ID, or else the caller."""

    items: Items
    project: str
    collection: str
    service: Credential | None
    field_map: FieldMap


async def create_customer(new: NewCustomer, creator: Creator, stripe: Stripe) -> Outcome:
    """Create a customer without an item, once for each of the creator's keys. Raises StripeFailure."""
    named = None if creator.key is None else client_key(creator.credential, "customers.create", creator.key)
    return Outcome((await _at_stripe(stripe, new.attributes, {}, named or secrets.token_hex(16))).object)


async def create_customer_for_item(
    new: NewCustomer, creator: Creator, stripe: Stripe, write_back: WriteBack
) -> Outcome:
    """Create the one customer of an item; the item is created first where `new` names none.

    Raises ItemRefused, ItemConflict, DirectusUnavailable, and StripeFailure with the item in its extensions, so that a
    retry makes no second item.
    """
    items, caller = write_back.items, creator.credential
    if write_back.service is None and not creator.may_write_id:
        raise ItemRefused(_NO_ID, status=HTTPStatus.FORBIDDEN, code="FORBIDDEN")
    if new.item is None:
        item = await items.create(caller, write_back.field_map.item_values(new.attributes))
        existing = None
    else:
        item, existing = new.item, await items.customer_id(caller, new.item)
    if new.item is not None or write_back.service is None:
        await _require_update(item, caller, items)
    if existing is None and write_back.service is not None:
        existing = await _held(item, write_back.service, items)
    if existing is not None:
        return await _existing(existing, item, creator, stripe)
    return await _create_for(item, new, creator, stripe, write_back)


async def _require_update(item: PrimaryKey, caller: Credential, items: Items) -> None:
    if not await items.may_update(caller, item):
        raise ItemRefused(_NOT_YOURS, status=HTTPStatus.FORBIDDEN, code="FORBIDDEN", extensions={"item": item})


async def _held(item: PrimaryKey, service: Credential, items: Items) -> str | None:
    """Read the ID as the service: Directus may show the field as null to a caller, though the item has a customer."""
    try:
        return await items.customer_id(service, item)
    except ItemRefused as refused:
        raise DirectusUnavailable(f"the service token may not read item {item} ({refused.code})") from refused


async def _create_for(
    item: PrimaryKey, new: NewCustomer, creator: Creator, stripe: Stripe, write_back: WriteBack
) -> Outcome:
    try:
        sent = await _living(item, new, stripe, write_back)
    except StripeFailure as failure:
        failure.extensions["item"] = item
        raise
    customer_id = str(sent.object["id"])
    holder = await _claim(item, customer_id, write_back.service or creator.credential, write_back.items)
    if holder is None:
        _log.error("write-back pending", extra={"item": item, "customer": customer_id})
    elif holder != customer_id:
        _log.error("a customer belongs to no item", extra={"item": item, "customer": customer_id, "holder": holder})
        return await _existing(holder, item, creator, stripe)
    return Outcome(sent.object, item, created=sent.first, pending=holder is None)


async def _living(item: PrimaryKey, new: NewCustomer, stripe: Stripe, write_back: WriteBack) -> Sent:
    """Give Stripe's answer about the item's one customer that is not deleted.

    For a day Stripe repeats its first answer to a key, even if that customer was deleted since. Then the next key is
    made from the deleted customer's ID, by every process alike, so again all get the same customer.
    """
    metadata, key = item_metadata(write_back, item), idempotency_key(write_back, item)
    for _ in range(_MOST_DELETED):
        sent = await _at_stripe(stripe, new.attributes, metadata, key)
        customer_id = str(sent.object["id"])
        if not sent.replayed or not await _gone(customer_id, stripe):
            return sent
        _log.warning("a customer was deleted, its item gets another", extra={"item": item, "customer": customer_id})
        key = idempotency_key(write_back, item, after=customer_id)
    raise ItemConflict("This item's customers are deleted again and again. Try tomorrow.", extensions={"item": item})


async def _gone(customer_id: str, stripe: Stripe) -> bool:
    """Say whether a customer that Stripe created was deleted; test data can be deleted without a trace."""
    try:
        return (await stripe.retrieve(CUSTOMER.path, customer_id)).get("deleted") is True
    except StripeRejected as rejected:
        if rejected.status == HTTPStatus.NOT_FOUND:
            return True
        raise


async def _claim(item: PrimaryKey, customer_id: str, writer: Credential, items: Items) -> str | None:
    """Put the ID into the item if it has none; give the ID there now, None if unknown. Raises ItemConflict.

    This is no compare-and-set: Directus first finds the empty item and then changes it, so two writers at once can
    both be told that they did it. Therefore the item is read again in any case, and Stripe, not the claim, tells which
    call created the customer.
    """
    claimed = False
    try:
        claimed = await items.claim(writer, item, customer_id)
    except (DirectusUnavailable, ItemRefused) as error:
        _log.warning("an ID was not written", extra={"item": item, "code": error.code, "detail": error.detail})
        if error.code == "RECORD_NOT_UNIQUE":
            raise ItemConflict("Another item has this item's customer.", extensions={"item": item}) from error
    try:
        return await items.customer_id(writer, item)
    except (DirectusUnavailable, ItemRefused):
        return customer_id if claimed else None


async def _existing(customer_id: str, item: PrimaryKey, creator: Creator, stripe: Stripe) -> Outcome:
    if not creator.may_read:
        raise ItemConflict("This item has a customer already, which you may not read.", extensions={"item": item})
    if not is_customer_id(customer_id):  # a user who may write the field must not choose the URL at Stripe
        raise ItemConflict("This item's customer ID is not one of Stripe's. Correct it.", extensions={"item": item})
    return Outcome(await stripe.retrieve(CUSTOMER.path, customer_id), item, created=False, found=True)


def item_metadata(write_back: WriteBack, item: PrimaryKey) -> dict[str, str]:
    """Give the metadata by which a customer names its item; `reconcile` pairs the two by it."""
    return {
        "directus_project": write_back.project,
        "directus_collection": write_back.collection,
        "directus_item": str(item),
    }


def named_item(write_back: WriteBack, metadata: object) -> str | None:
    """Read the item that a customer's metadata names; None for an item of another project or collection."""
    item = metadata.get("directus_item") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(item, str):
        return None
    return item if item_metadata(write_back, item).items() <= metadata.items() else None


def idempotency_key(write_back: WriteBack, item: PrimaryKey, *, after: str | None = None) -> str:
    """Name the intent "a customer for this item", the same for every try, caller and process.

    `after` is the item's former customer, which was deleted. Stripe separates keys by account and mode itself.
    """
    intent = (write_back.project, write_back.collection, str(item))
    return digest("item", *intent) if after is None else digest("item", *intent, after)


async def _at_stripe(stripe: Stripe, attributes: Mapping[str, object], metadata: Mapping[str, str], key: str) -> Sent:
    sent = await stripe.send("POST", CUSTOMER.path, {**attributes, "metadata": metadata}, key)
    if not is_customer_id(sent.object.get("id")):
        raise StripeUnavailable("Stripe answered without a customer.", detail="no id")
    return sent
