"""How one call to Stripe is made on behalf of a caller, and how a scoped one is held to its customers.

What is asked for, what is referred to and what comes back must all belong to one customer, and that one to the
caller. Whose an object is, Stripe is asked; whose a customer is, the `Holder` knows. An object that is not there and
one of somebody else end in the same refusal.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sidecar.core.flows.pricing import priced
from sidecar.core.interfaces import Stripe
from sidecar.core.operations.parameters import Reference, found, is_owned
from sidecar.core.operations.resources import CUSTOMER, RESOURCES, Resource, StripeObject, customer_of, reference
from sidecar.core.operations.row import Customer, Kind, Operation, Priority, Scoping
from sidecar.errors import InvalidPayload, PermissionDenied, StripeRejected, StripeUnavailable

_log = logging.getLogger(__name__)
_ABSENT = frozenset({400, 404})  # Stripe says either of an ID that it does not know


class Holder(Protocol):
    """Holds a caller to the customers in its own rows."""

    async def hold(self, customer_id: str) -> None:
        """Raise PermissionDenied, ItemRefused or DirectusUnavailable unless this customer is one of the caller's."""

    async def sole(self) -> str:
        """Give the caller's one customer. Raises InvalidPayload where there are none or several."""

    def refusal(self) -> PermissionDenied:
        """Give the refusal of what is not the caller's."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What is asked for: `object_id` is the path's, `values` by Stripe's names, `key` None where nothing changes."""

    operation: Operation
    object_id: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The customer that a call is held to, and the objects that were found to be that customer's, by ID."""

    customer: str
    objects: Mapping[str, StripeObject] = field(default_factory=dict)

    def owns(self, value: StripeObject) -> bool:
        """Say whether an object that was read belongs to this customer, by its own word or by what it refers to."""
        owner, resource = customer_of(value), RESOURCES.get(str(value.get("object")))
        if owner is not None:
            return owner == self.customer
        if str(value.get("id")) in self.objects:
            return True  # looked at before; what is detached names its customer no more
        return resource is not None and any(reference(value, name) in self.objects for name in resource.via)


async def perform(intent: Intent, stripe: Stripe, holder: Holder | None) -> tuple[StripeObject, Held | None]:
    """Make the call; without a `holder` for a caller who may touch every customer.

    Raises StripeFailure, PermissionDenied, InvalidPayload, ItemRefused and DirectusUnavailable. For a scoped caller
    nothing is changed before everything it names was found to be its own.
    """
    operation = intent.operation
    held = None if holder is None else await held_to(intent, stripe, holder)
    if held is None and operation.customer is Customer.REQUIRED and "customer" not in intent.values:
        raise InvalidPayload("customer: is required.")
    if operation.kind is Kind.RETRIEVE:
        return await _retrieved(intent, stripe, held), held
    values = dict(intent.values) if not operation.priced else await priced(intent.values, stripe)
    if held is not None and operation.customer is not Customer.NOT_TAKEN:
        values["customer"] = held.customer
    target, in_turn = operation.target(intent.object_id), operation.priority is Priority.IN_TURN
    answer = (await stripe.send(operation.method, target, values, intent.key, in_turn=in_turn)).object
    if held is not None and not held.owns(answer):
        raise _not_theirs(operation, answer)
    return answer, held


async def _retrieved(intent: Intent, stripe: Stripe, held: Held | None) -> StripeObject:
    object_id = str(intent.object_id)
    if held is not None and object_id in held.objects:
        return held.objects[object_id]
    answer = await stripe.retrieve(intent.operation.resource.path, object_id)
    if held is not None and not held.owns(answer):
        raise _not_theirs(intent.operation, answer)
    return answer


async def held_to(intent: Intent, stripe: Stripe, holder: Holder) -> Held:
    """Find the one customer that everything in a request belongs to, and hold the caller to it.

    Where the request names that customer itself, Directus is asked before Stripe.
    """
    operation, named = intent.operation, _named_customer(intent)
    if named is not None:
        await holder.hold(named)
    objects: dict[str, StripeObject] = {}
    owners = {named} - {None}
    for resource, object_id in _owned_objects(intent):
        owners.add(await _owner(resource, object_id, objects, stripe, holder))
    if not owners:
        return Held(await _sole(operation, holder))
    [owner, *others] = owners
    if owner is None or others:
        raise holder.refusal()
    if named is None:
        await holder.hold(owner)
    return Held(owner, objects)


def _named_customer(intent: Intent) -> str | None:
    if intent.operation.names is CUSTOMER:
        return intent.object_id
    named = intent.values.get("customer")
    return named if isinstance(named, str) else None


def _owned_objects(intent: Intent) -> Iterable[tuple[Resource, str]]:
    """Give what a request names and must be the caller's: the path's object, and whatever its parameters refer to."""
    if intent.operation.names is not CUSTOMER and intent.operation.names is not None and intent.object_id is not None:
        yield intent.operation.names, intent.object_id
    for _, kind, value in found(intent.operation.parameters, intent.values, Reference):
        if kind.resource.owned and kind.resource is not CUSTOMER:
            yield kind.resource, str(value)


async def _owner(
    resource: Resource, object_id: str, read: dict[str, StripeObject], stripe: Stripe, holder: Holder
) -> str | None:
    """Find whose an object is, by what it refers to where it does not say; None where nobody can tell.

    What had to be read for that is added to `read`.
    """
    if object_id not in read:
        read[object_id] = await _read(resource, object_id, stripe, holder)
    owner = customer_of(read[object_id])
    for name in resource.via if owner is None else ():
        other = reference(read[object_id], name)
        if other is not None:
            return await _owner(RESOURCES[name], other, read, stripe, holder)
    return owner


async def _read(resource: Resource, object_id: str, stripe: Stripe, holder: Holder) -> StripeObject:
    try:
        return await stripe.retrieve(resource.path, object_id)
    except StripeRejected as error:
        if error.status in _ABSENT:
            raise holder.refusal() from error
        raise


async def _sole(operation: Operation, holder: Holder) -> str:
    if operation.scoping is Scoping.REFERRED:
        names = " or ".join(parameter.name for parameter in operation.parameters if is_owned(parameter.type))
        raise InvalidPayload(f"{names}: say which one; with partial access this is for one payment at a time.")
    return await holder.sole()


def _not_theirs(operation: Operation, answer: StripeObject) -> StripeUnavailable:
    facts = {"operation": operation.name, "object": answer.get("id")}
    _log.error("Stripe answered with an object of another customer", extra=facts)
    return StripeUnavailable("Stripe answered with something else than was asked for.", detail="another customer's")
