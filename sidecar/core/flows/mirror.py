"""Which fields of an item repeat what of its customer, and which of Stripe's events can change that. Asks nobody."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.events import FOLLOWED
from sidecar.core.flows.stored_values import is_same
from sidecar.core.secret_values import ALL as SECRETS
from sidecar.core.status.field_values import comparable, fits, in_field
from sidecar.core.status.snapshot import Snapshot
from sidecar.core.status.sources import Origin, Source

_NOT_REPEATED = frozenset({"client_secret", "id", "object", "metadata"})
# A change of a customer at Stripe must not change who may sign in to Directus, as whom, and with which role.
_WHO_IS_WHO = frozenset(
    {"auth_data", "email", "external_identifier", "password", "policies", "provider", "role", "status", "tfa_secret"}
    | {"token"}
)
_USERS = "directus_users"

_OF_SUBSCRIPTIONS = frozenset(
    f"customer.subscription.{happened}"
    for happened in (
        *("created", "updated", "deleted", "paused", "resumed"),
        *("pending_update_applied", "pending_update_expired"),
    )
)
_OF_METHODS = frozenset(
    {f"payment_method.{happened}" for happened in ("attached", "automatically_updated", "detached", "updated")}
    | {f"customer.source.{happened}" for happened in ("created", "deleted", "updated")}
)
_EVENTS: Mapping[Origin, frozenset[str]] = MappingProxyType(
    {
        Origin.SUBSCRIPTION: _OF_SUBSCRIPTIONS,
        Origin.ENTITLEMENTS: frozenset({"entitlements.active_entitlement_summary.updated"}),
        Origin.PAYMENT_METHOD: _OF_METHODS | _OF_SUBSCRIPTIONS,  # a subscription may have a method of its own
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The values that an item should have. `linked`: it keeps its customer's ID, which it loses after all else."""

    values: Mapping[str, object]
    linked: bool = True


@dataclass(frozen=True, slots=True)
class Mirror:
    """`fields`: a field of the collection -> the attributes it may repeat; the first one that a customer has counts.

    `sources`: a field -> what it repeats of that which belongs to a customer. `named`: the operator has named the
    fields, so each of them should be there. `unlinks`: an item loses the ID of a deleted customer.
    """

    id_field: str
    fields: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, Source] = field(default_factory=dict)
    named: bool = False
    unlinks: bool = True

    @classmethod
    def of(
        cls,
        field_map: FieldMap,
        collection: CustomersCollection,
        sources: Mapping[str, Source] = MappingProxyType({}),
        *,
        named: bool = False,
    ) -> "Mirror":
        """Give each attribute to the first field that maps to it, as creating an item does."""
        left_out = unwritten_fields(collection)
        taken = set(_NOT_REPEATED)
        fields: dict[str, tuple[str, ...]] = {}
        for name, attributes in field_map.attributes.items():
            if name not in left_out and (free := tuple(one for one in attributes if one not in taken)):
                fields[name] = free
                taken.update(free)
        status = {name: source for name, source in sources.items() if name not in left_out}
        return cls(collection.id_field, fields, status, named)

    @property
    def of_belongings(self) -> "Mirror":
        """The same without the customer's own attributes, and without taking an ID away."""
        return replace(self, fields={}, unlinks=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Every field that repeats something."""
        return (*self.fields, *self.sources)

    @property
    def origins(self) -> frozenset[Origin]:
        """What has to be read beside a customer."""
        return frozenset(source.origin for source in self.sources.values())

    @property
    def follows(self) -> frozenset[str]:
        """The types of events that can change what items repeat."""
        return FOLLOWED.union(*(_EVENTS[origin] for origin in self.origins))

    def wanted(self, snapshot: Snapshot, types: Mapping[str, str]) -> Wanted:
        """Give the values that an item of this customer should have; `types` are those of the sources' fields.

        A deleted customer has nothing, and its item keeps what is known of its name. An attribute with a secret in it
        is written nowhere: its field stays as it is.
        """
        values = {
            name: in_field(snapshot.value(source), source.type, types.get(name))
            for name, source in self.sources.items()
        }
        if snapshot.deleted:
            return Wanted(values, linked=not self.unlinks)
        customer = SECRETS.left_out(snapshot.customer)
        found = {name: [one for one in attributes if one in customer] for name, attributes in self.fields.items()}
        return Wanted({name: customer[there[0]] for name, there in found.items() if there} | values)

    def lacking(self, wanted: Wanted, current: Mapping[str, object], types: Mapping[str, str]) -> dict[str, object]:
        """Give the values that an item with these ones lacks; fields that Directus did not show are left alone."""
        return {
            name: value
            for name, value in wanted.values.items()
            if name in current
            and not is_same(comparable(current[name], types.get(name)), comparable(value, types.get(name)))
        }

    def unseen(self, wanted: Wanted, current: Mapping[str, object]) -> dict[str, object]:
        """Give the values for named fields that Directus did not show: they are missing, or may not be read."""
        return {name: value for name, value in wanted.values.items() if self.named and name not in current}

    def unfit(self, values: Mapping[str, object], types: Mapping[str, str]) -> dict[str, object]:
        """Give those of these values that do not fit the type of their field."""
        return {
            name: value
            for name, value in values.items()
            if name in self.sources and not fits(value, self.sources[name].type, types.get(name))
        }


def unwritten_fields(collection: CustomersCollection) -> Collection[str]:
    """Name the fields that no map can make repeat anything."""
    who_is_who = _WHO_IS_WHO if collection.name == _USERS else frozenset()
    return {collection.id_field, collection.key_field, *who_is_who}
