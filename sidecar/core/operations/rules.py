"""Which operations are on, and whose permissions decide on each.

The operator's file, which says so, is read by ``settings.operations_file``; nothing here knows what it looks like.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.core.operations.operator_values import OperatorValues, client_parameters
from sidecar.core.operations.parameters import Parameter, ReturnUrl, declared
from sidecar.core.operations.resources import CUSTOMER
from sidecar.core.operations.row import Kind, Operation, Scoping
from sidecar.core.operations.table import OPERATIONS

_SEEING = frozenset({Action.READ, Action.SHARE})


@dataclass(frozen=True, slots=True)
class Rule:
    """One operation that is on. `prices` are those that may be asked for, None meaning any of the account.

    `public`: a request without a credential may ask for it, as far as Directus's public policy permits. `field_map`
    maps the collection's fields to attributes.
    """

    operation: Operation
    collection: str
    action: Action
    field_map: FieldMap
    amounts: bool = False
    prices: frozenset[str] | None = None
    public: bool = False
    operator: OperatorValues = field(default_factory=OperatorValues)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What a request may carry under this rule."""
        return client_parameters(self.operation, self.operator, amounts=self.amounts)

    @property
    def one_of(self) -> list[str]:
        """Exactly one of these must be in a request; none where the operator decided which one is sent."""
        if not self.operator.fixed.keys().isdisjoint(self.operation.one_of):
            return []
        names = {parameter.name for parameter in self.parameters}
        return [name for name in self.operation.one_of if name in names]

    def requirement(self, customers: CustomersCollection) -> Requirement:
        """Give what Directus must grant a caller; make it once for each rule."""
        return Requirement(
            self.collection,
            self.action,
            customers,
            names_customer=self.operation.path_resource is CUSTOMER,
            scopable=self.operation.scoping is not Scoping.REFUSED,
            unscoped=self.unscoped_action,
            everything=self.operation.kind is Kind.SEARCH,
            plain_read=self.operation.plain_read and (self.collection, self.action) == (customers.name, Action.READ),
            public=self.public,
        )

    @property
    def unscoped_action(self) -> Action | None:
        """The action that acting for every customer takes, where the operator lets readers act for their own."""
        lowered = self.action in _SEEING and self.operation.action not in _SEEING
        return self.operation.action if lowered else None

    @property
    def returns(self) -> bool:
        """Whether it makes a page at Stripe, from which a browser has to be sent back."""
        makes_page = bool(self.operation.resource.links)
        return makes_page and any(isinstance(kind, ReturnUrl) for kind in declared(self.parameters))


def default_rules(customers: CustomersCollection, field_map: FieldMap) -> tuple[Rule, ...]:
    """Give the rules that apply without a file: the basic operations, on the customers collection."""
    return tuple(Rule(row, customers.name, row.action, field_map) for row in OPERATIONS if row.basic)


def unknown_collections(rules: Sequence[Rule], permissions: Permissions, customers: str) -> list[str]:
    """Say which rules name a collection that Directus does not show to the service.

    `permissions` are the service's own; `provision` lets it see each collection that is named.
    """
    return [
        f"[{rule.operation.name}]: Directus shows no collection {rule.collection} to the service token; "
        "create it, then run `provision`"
        for rule in rules
        if rule.collection != customers and not permissions.grant(rule.collection, Action.READ).usable
    ]


def unknown_fields(
    rules: Sequence[Rule], customers: CustomersCollection, ours: FieldMap, fields: Mapping[str, Collection[str]]
) -> list[str]:
    """Say which rules name a field that their collection does not have.

    `ours` is the customers collection's own map, whose fields need not be there. `fields` has the fields of each
    collection that could be looked at; rules on others are not judged. The ID field has checks of its own.
    """
    return [
        f"[{rule.operation.name}]: fields: {rule.collection} has no field {name}{suggestion(name, there)}"
        for rule in rules
        if rule.field_map != ours and (there := fields.get(rule.collection)) is not None
        for name in rule.field_map.attributes
        if name not in there and (rule.collection, name) != (customers.name, customers.id_field)
    ]


def suggestion(name: str, names: Collection[str]) -> str:
    """Ask whether a similar name was meant; empty where none is similar."""
    close = get_close_matches(name, sorted(names), n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else ""
