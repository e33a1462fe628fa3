"""The columns of the table of operations; ``core.operations.table`` has the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from sidecar.core.access.permissions import Action
from sidecar.core.operations.parameters import Parameter, Reference
from sidecar.core.operations.resource import found_at
from sidecar.core.operations.resources import CUSTOMER, Resource, StripeObject, address
from sidecar.core.urgency import Urgency
from sidecar.errors import RouteNotFound


class Kind(Enum):
    """Selects the handler of an operation."""

    LIST = auto()
    SEARCH = auto()  # by a query; new objects are found late
    RETRIEVE = auto()
    CREATE_CUSTOMER = auto()
    CREATE = auto()  # answers 201
    ACT = auto()  # changes or computes something, and answers 200


class Scoping(Enum):
    """How a caller with partial access is limited to the customers in its own rows; the default refuses it."""

    REFUSED = auto()
    FILTER = auto()  # the Stripe list takes a `customer`
    IDENTITY = auto()  # the object is the customer
    OWNED = auto()  # the object is read first, and names its customer
    FILLED = auto()  # the request's `customer` is filled in, or verified
    REFERRED = auto()  # a parameter names an object, which is read first and names its customer


class CustomerParameter(Enum):
    """Whether the request takes a `customer`; a caller with partial access may always leave it out."""

    NOT_TAKEN = auto()
    OPTIONAL = auto()
    REQUIRED = auto()


DELETED: Mapping[str, object] = MappingProxyType({"deleted": True})  # what Stripe shows of what it has no more


@dataclass(frozen=True, slots=True)
class Done:
    """How Stripe's object shows that an operation on it is done: by this value of an attribute.

    `gone`: or by not being there any more, which tells only of an object that was there before, so it is read first.
    """

    attribute: str
    value: object
    gone: bool = False

    def is_shown_by(self, value: StripeObject) -> bool:
        if self.gone and DELETED.items() <= value.items():
            return True
        return self.attribute in value and value[self.attribute] == self.value


_USUALLY = ("customer",)


@dataclass(frozen=True, slots=True)
class Operation:
    """`path` is below SIDECAR_PREFIX. `action` is what Directus must grant, unless the operator names another one.

    `on_customers`: the customers collection grants it by default; otherwise the operator must name a collection.
    `basic`: it is on without the operator's file. `verb` ends the path at Stripe, unless that is `at`, which has the
    same variable as `path`. A costly call has a lower `urgency`. `one_of`: exactly one of these parameters is given;
    `at_most_one`: one or none, since they exclude each other at Stripe. `customer_at` is where the request names its
    customer, one of `parameters` unless it is the usual place. `without_customer` and `with_customer`: parameters that
    Stripe takes only where the request names no customer, or one. `for_guests`: the operator may open it to requests
    without a credential. `done`: Stripe refuses to do it again, so a refusal is no failure where the object shows that
    it is done. `expanded`: what Stripe writes out in the answer to a caller that sees its secrets. `for_secret`: the
    answer is of use for its secret alone. `sdk_version`: the client's SDK says by which version of the API it is
    answered.
    """

    name: str
    path: str
    resource: Resource
    summary: str
    method: str
    kind: Kind
    action: Action
    scoping: Scoping = Scoping.REFUSED
    customer: CustomerParameter = CustomerParameter.NOT_TAKEN
    customer_at: tuple[str, ...] = _USUALLY
    parameters: tuple[Parameter, ...] = ()
    one_of: tuple[str, ...] = ()
    at_most_one: tuple[str, ...] = ()
    without_customer: tuple[str, ...] = ()
    with_customer: tuple[str, ...] = ()
    on_customers: bool = True
    basic: bool = False
    for_guests: bool = False
    verb: str = ""
    at: str = ""
    urgency: Urgency = Urgency.CALL
    done: Done | None = None
    expanded: tuple[str, ...] = ()
    for_secret: bool = False
    sdk_version: bool = False

    @property
    def path_resource(self) -> Resource | None:
        """The kind of object whose ID the path contains."""
        for resource in (CUSTOMER, self.resource):
            if f"{{{resource.variable}}}" in self.path:
                return resource
        return None

    @property
    def in_query(self) -> bool:
        """Whether its parameters stand in the query, and those for pages beside them."""
        return self.kind in {Kind.LIST, Kind.SEARCH}

    @property
    def changes(self) -> bool:
        """Whether it changes anything at Stripe."""
        return self.method != "GET" and self.action is not Action.READ

    @property
    def plain_read(self) -> bool:
        """Whether it only shows what is there and belongs to customers, and makes nothing at Stripe."""
        shows = self.kind in {Kind.LIST, Kind.RETRIEVE} and self.method == "GET" and self.action is Action.READ
        return shows and self.scoping is not Scoping.REFUSED

    @property
    def taken(self) -> tuple[Parameter, ...]:
        """All parameters, with `customer` where the request takes it."""
        if self.customer is CustomerParameter.NOT_TAKEN or self.customer_at != _USUALLY:
            return self.parameters
        return (Parameter("customer", Reference(CUSTOMER)), *self.parameters)

    def excluded(self, *, for_customer: bool) -> tuple[str, ...]:
        """Name the parameters that Stripe does not take, by whether the request names a customer."""
        return self.without_customer if for_customer else self.with_customer

    def target(self, object_id: str | None) -> str:
        """Give the path of the call at Stripe."""
        if self.at and self.path_resource is not None:
            return self.at.format(**{self.path_resource.variable: object_id})
        own = self.path_resource is self.resource and object_id is not None
        return f"{address(self.resource.path, str(object_id)) if own else self.resource.path}{self.verb}"

    @property
    def customer_parameter(self) -> str:
        """Name the parameter of the customer as Stripe does, such as `payload[stripe_customer_id]`."""
        first, *deeper = self.customer_at
        return first + "".join(f"[{name}]" for name in deeper)

    def customer_in(self, values: Mapping[str, object]) -> object:
        """Give the customer that the request's values name, None where they name none."""
        return found_at(values, self.customer_at)

    def naming(self, values: Mapping[str, object], customer: str) -> dict[str, object]:
        """Copy the values with this customer in its place."""
        return _with(values, self.customer_at, customer)


def _with(values: object, place: Sequence[str], value: object) -> dict[str, object]:
    name, *deeper = place
    members = values if isinstance(values, Mapping) else {}
    return {**members, name: _with(members.get(name), deeper, value) if deeper else value}


def named_object(operation: Operation, path_parameters: Mapping[str, str]) -> str | None:
    """Give the ID in a request's path, None where the operation has none there.

    Raises RouteNotFound for a text that is not such an ID.
    """
    resource = operation.path_resource
    if resource is None:
        return None
    value = path_parameters[resource.variable]
    if not resource.is_id(value):
        raise RouteNotFound(
            f"The path contains no ID of a {resource.kind} at Stripe; one looks like {resource.example}."
        )
    return value
