"""The rights that the service token needs: `provision` grants this list, and `check` compares with it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sidecar.clients.directus import project
from sidecar.clients.directus.change_feed import COLLECTIONS
from sidecar.clients.directus.policies import READ
from sidecar.core.access.permissions import Action
from sidecar.core.flows.event_rules import EventRule, changed, flows_of, written
from sidecar.settings import DirectusSettings, OperationsSettings

FLOWS = "directus_flows"
FLOW_FIELDS = ("id", "status", "trigger", "options")
_CUSTOMER_ID = "^cus_[A-Za-z0-9]+$"


@dataclass(frozen=True, slots=True)
class Right:
    """One permission. `item` is Directus's item rule, empty for every item; `validation` limits written values."""

    collection: str
    action: Action
    fields: tuple[str, ...]
    item: Mapping[str, object] = field(default_factory=dict)
    validation: Mapping[str, object] | None = None


def needed(
    settings: OperationsSettings,
    *,
    realtime: bool,
    mirrored: Collection[str] | None = None,
    keys: Mapping[str, str] = MappingProxyType({}),
    identity: bool = True,
    also_read: str | None = None,
) -> list[Right]:
    """List the rights. `mirrored` are the fields that repeat Stripe's attributes; None without Stripe's events.

    `keys` has the primary key of each other collection that decides on operations. `identity`: Directus has a
    `project_id`, by which the service tells it from another one on the same Stripe account. `also_read` is a field of
    the items by which `link` finds their customers.
    """
    on_items = list(_on_items(settings) if mirrored is None else _on_items_with_events(settings, mirrored))
    if also_read is not None:
        first = on_items[0]
        on_items[0] = replace(first, fields=tuple(dict.fromkeys((*first.fields, also_read))))
    rights = [*on_items, *_on_policies(), *_of_events(settings.event_rules)]
    if identity:
        rights.append(Right(project.COLLECTION, Action.READ, (project.FIELD,)))
    if realtime:
        # If one of them is the customers collection, its key, which is "id", is in the list already.
        read = {right.collection for right in rights}
        rights += [Right(name, Action.READ, ("id",)) for name in COLLECTIONS if name not in read]
    read = {right.collection for right in rights}
    return rights + [_on_existence(name, key) for name, key in keys.items() if name not in read]


def _on_items(settings: DirectusSettings) -> Iterator[Right]:
    """Directus enforces the update rule: so not even a thief of this token can overwrite an ID."""
    collection, customer_id = settings.stripe_customers_collection, settings.stripe_customer_id_field
    yield Right(collection, Action.READ, (settings.stripe_customers_primary_key, customer_id))
    yield Right(
        collection,
        Action.UPDATE,
        (customer_id,),
        item={customer_id: {"_empty": True}},
        validation={customer_id: {"_regex": _CUSTOMER_ID}},
    )


def _on_items_with_events(settings: DirectusSettings, mirrored: Collection[str]) -> Iterator[Right]:
    """The service must clear the ID of a deleted customer, so Directus can limit the values, but not the items.

    A field that a change does not name passes the validation.
    """
    collection, customer_id = settings.stripe_customers_collection, settings.stripe_customer_id_field
    yield Right(collection, Action.READ, (settings.stripe_customers_primary_key, customer_id, *mirrored))
    yield Right(
        collection,
        Action.UPDATE,
        (customer_id, *mirrored),
        validation={
            "_or": [
                {customer_id: {"_null": True}},
                {customer_id: {"_empty": True}},
                {customer_id: {"_regex": _CUSTOMER_ID}},
            ]
        },
    )


def _of_events(rules: Sequence[EventRule]) -> Iterator[Right]:
    """Let the service write what events write, and let `check` see the Flows that they start, and no other Flow."""
    for collection, fields in written(rules).items():
        named = tuple(sorted(fields))
        yield Right(collection, Action.READ, named)
        yield Right(collection, Action.CREATE, named)
        yield Right(collection, Action.UPDATE, tuple(sorted(changed(rules, collection))))
    if flows := flows_of(rules):
        yield Right(FLOWS, Action.READ, FLOW_FIELDS, item={"id": {"_in": flows}})


def _on_existence(collection: str, key: str) -> Right:
    """No item lacks its key, so this right shows no item; but it shows that the collection exists."""
    return Right(collection, Action.READ, (key,), item={key: {"_null": True}})


def _on_policies() -> Iterator[Right]:
    """Let the service tell who has whole access, and `check` find policies that let callers write the ID field.

    There is no item rule: it would hide a part of what a caller holds, and from the change feed the change of a
    permission that is moved to another collection.
    """
    for collection, fields in READ.items():
        yield Right(collection, Action.READ, fields)
