"""What the service token must be allowed: the one list that `provision` grants and `check` measures by."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar.clients.directus.change_feed import COLLECTIONS
from sidecar.core.access.permissions import Action
from sidecar.settings import DirectusSettings

_CUSTOMER_ID = "^cus_[A-Za-z0-9]+$"


@dataclass(frozen=True, slots=True)
class Right:
    """One permission. `item` is Directus's item rule, empty for every item; `validation` holds for what is written."""

    collection: str
    action: Action
    fields: tuple[str, ...]
    item: Mapping[str, object] = field(default_factory=dict)
    validation: Mapping[str, object] | None = None


def needed(
    settings: DirectusSettings,
    *,
    realtime: bool,
    mirrored: Collection[str] | None = None,
    keys: Mapping[str, str] = MappingProxyType({}),
) -> list[Right]:
    """`mirrored` are the fields that repeat what Stripe says of a customer; None where its events do not come in.

    `keys` are the primary keys of other collections, whose permissions decide on operations, by collection.
    """
    on_items = _on_items(settings) if mirrored is None else _on_items_with_events(settings, mirrored)
    rights = [*on_items, *_on_policies(settings, realtime=realtime)]
    if realtime:
        # Where one of them holds the customers its primary key, which is "id", may be read already.
        read = {right.collection for right in rights}
        rights += [Right(name, Action.READ, ("id",)) for name in COLLECTIONS if name not in read]
    read = {right.collection for right in rights}
    return rights + [_on_existence(name, key) for name, key in keys.items() if name not in read]


def service_policy(settings: DirectusSettings) -> str:
    """One for each collection, so that two sidecars do not change each other's."""
    return f"Stripe sidecar ({settings.stripe_customers_collection})"


def _on_items(settings: DirectusSettings) -> Iterator[Right]:
    """The update rule is Directus's to hold: with it not even this token, in wrong hands, can overwrite an ID."""
    collection, customer_id = settings.stripe_customers_collection, settings.stripe_customer_id_field
    yield Right(collection, Action.READ, (settings.stripe_customers_primary_key, customer_id))
    yield Right(
        collection,
        Action.UPDATE,
        (customer_id,),
        item={customer_id: {"_null": True}},
        validation={customer_id: {"_regex": _CUSTOMER_ID}},
    )


def _on_items_with_events(settings: DirectusSettings, mirrored: Collection[str]) -> Iterator[Right]:
    """The ID of a deleted customer has to go, so here Directus can only hold what is written, not where.

    A field that a change does not name passes its validation.
    """
    collection, customer_id = settings.stripe_customers_collection, settings.stripe_customer_id_field
    yield Right(collection, Action.READ, (settings.stripe_customers_primary_key, customer_id, *mirrored))
    yield Right(
        collection,
        Action.UPDATE,
        (customer_id, *mirrored),
        validation={"_or": [{customer_id: {"_null": True}}, {customer_id: {"_regex": _CUSTOMER_ID}}]},
    )


def _on_existence(collection: str, key: str) -> Right:
    """No item is without its key, so this shows none of them, yet that the collection is there."""
    return Right(collection, Action.READ, (key,), item={key: {"_null": True}})


def _on_policies(settings: DirectusSettings, *, realtime: bool) -> Iterator[Right]:
    """By these `check` finds policies that let callers write the ID field themselves.

    An item rule would hide from the change feed a permission that is moved to another collection, so with
    the feed there is none.
    """
    ours = {} if realtime else {"collection": {"_eq": settings.stripe_customers_collection}}
    fields = ("id", "collection", "action", "fields", "permissions", "policy")
    yield Right("directus_permissions", Action.READ, fields, item=ours)
    yield Right("directus_policies", Action.READ, ("id", "name"))
