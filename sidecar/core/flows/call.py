"""How one call to Stripe is made on behalf of a caller, and how a caller with partial access is kept to its customers.

What such a caller asks for, what its request refers to and what Stripe answers must all belong to one customer, and
that customer to the caller. Stripe tells whose an object is; `Ownership` tells whose a customer is. An object that
does not exist and one of somebody else get the same refusal, after the same calls to Stripe and questions to Directus,
so that the time does not tell them apart. Stripe is asked for nothing until Directus has shown a row of the caller's.
"""

import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from sidecar.core.flows.completion import Completion
from sidecar.core.flows.customer_state import lacks_customer
from sidecar.core.flows.pricing import with_amount
from sidecar.core.interfaces import Stripe
from sidecar.core.operations.parameters import Reference, found, is_owned
from sidecar.core.operations.resources import CUSTOMER, RESOURCES, Resource, StripeObject, customer_of, reference
from sidecar.core.operations.row import CustomerParameter, Kind, Operation, Scoping
from sidecar.errors import InvalidPayload, ItemConflict, PermissionDenied, StripeRejected, StripeUnavailable

_log = logging.getLogger(__name__)
_ABSENT = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
)  # Stripe answers either of them to an ID that it does not know


class Ownership(Protocol):
    """The ownership check of one caller with partial access."""

    async def require_any(self) -> None:
        """Raise PermissionDenied, ItemRefused or DirectusUnavailable unless the caller has a customer at all."""

    async def require_own(self, customer_id: str | None) -> None:
        """Raise PermissionDenied, ItemRefused or DirectusUnavailable unless this customer is one of the caller's.

        None is nobody's customer, and costs as much as somebody else's.
        """

    async def only_customer(self) -> str:
        """Give the caller's one customer.

        Raises PermissionDenied where there is none, and InvalidPayload where there are several.
        """

    def refusal(self) -> PermissionDenied:
        """Give the refusal of an object that is not the caller's."""

    def unknown(self, customer_id: str) -> ItemConflict:
        """Tell the operator that Stripe has no such customer of the caller's, and give the caller's answer."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What is asked for: `object_id` is the path's, `values` by Stripe's names, `key` None where nothing changes."""

    operation: Operation
    object_id: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """The one customer that everything in a call belongs to, and the objects read to find that out, by ID."""

    customer: str
    objects: Mapping[str, StripeObject] = field(default_factory=dict)

    def owns(self, value: StripeObject) -> bool:
        """Say whether an object belongs to this customer, by its own word or by what it refers to."""
        owner, resource = customer_of(value), RESOURCES.get(str(value.get("object")))
        if owner is not None:
            return owner == self.customer
        if str(value.get("id")) in self.objects:
            return True  # found to be the customer's before; a detached one names no customer any more
        return resource is not None and any(reference(value, name) in self.objects for name in resource.via)


async def perform(
    intent: Intent, stripe: Stripe, ownership: Ownership | None, completion: Completion | None = None
) -> StripeObject:
    """Make the call and give the object that Stripe answered; `ownership` is None for a caller with whole access.

    `completion` adds the operator's values, which refer to nobody's objects but by the operator's own word; those that
    Stripe takes only with a customer, or only without one, where it is so.
    Raises StripeFailure, PermissionDenied, InvalidPayload, ItemRefused and DirectusUnavailable, and ItemConflict where
    the account does not have the caller's customer. For a caller with partial access nothing is changed before
    everything that the request names was found to be its own.
    """
    for_customer = ownership is not None or intent.operation.customer_in(intent.values) is not None
    _refuse_excluded(intent, for_customer=for_customer)
    if completion is not None:
        completion = completion.without(intent.operation.excluded(for_customer=for_customer))
    if ownership is None:
        return await _performed(intent, stripe, None, completion)
    owner = await find_owner(intent, stripe, ownership)
    try:
        return await _performed(intent, stripe, owner, completion)
    except StripeRejected as rejected:
        if not lacks_customer(rejected, intent.operation.resource.path):
            raise
        raise ownership.unknown(owner.customer) from rejected


async def _performed(
    intent: Intent, stripe: Stripe, owner: Owner | None, completion: Completion | None
) -> StripeObject:
    operation = intent.operation
    named = operation.customer_in(intent.values) is not None
    if owner is None and operation.customer is CustomerParameter.REQUIRED and not named:
        raise InvalidPayload(f"{'.'.join(operation.customer_at)}: is required.")
    if operation.kind is Kind.RETRIEVE:
        return await _retrieved(intent, stripe, owner)
    values = dict(intent.values)
    if completion is not None:
        values = await completion.complete(values, await _customer(intent, stripe, owner, completion))
    if any(parameter.ours for parameter in operation.parameters):
        values = await with_amount(values, stripe)
    if owner is not None and operation.customer is not CustomerParameter.NOT_TAKEN:
        values = operation.naming(values, owner.customer)
    target = operation.target(intent.object_id)
    sent = await stripe.send(operation.method, target, values, intent.key, urgency=operation.urgency)
    return _verified(operation, sent.object, owner)


async def _customer(intent: Intent, stripe: Stripe, owner: Owner | None, completion: Completion) -> str | None:
    """Give the customer that a call is about; for a caller with whole access it is read only where it is needed."""
    if owner is not None:
        return owner.customer
    if not completion.needs_item:
        return None
    if (named := _named_customer(intent)) is not None:
        return named
    for resource, object_id in _owned_objects(intent):
        return await _owner_of(resource, object_id, {}, stripe)
    return None


def _refuse_excluded(intent: Intent, *, for_customer: bool) -> None:
    where = "there is no customer yet" if for_customer else "the request names a customer"
    for name in intent.operation.excluded(for_customer=for_customer):
        if name in intent.values:
            raise InvalidPayload(f"{name}: leave it out; Stripe takes it only where {where}.")


async def _retrieved(intent: Intent, stripe: Stripe, owner: Owner | None) -> StripeObject:
    object_id = str(intent.object_id)
    if owner is not None and object_id in owner.objects:
        return owner.objects[object_id]
    return _verified(intent.operation, await stripe.retrieve(intent.operation.resource.path, object_id), owner)


def _verified(operation: Operation, answer: StripeObject, owner: Owner | None) -> StripeObject:
    if owner is None or owner.owns(answer):
        return answer
    facts = {"operation": operation.name, "object": answer.get("id")}
    _log.error("Stripe answered with an object of another customer", extra=facts)
    raise StripeUnavailable("Stripe answered with something else than was asked for.", detail="another customer's")


async def find_owner(intent: Intent, stripe: Stripe, ownership: Ownership) -> Owner:
    """Find the one customer that everything in a request belongs to, and require it to be the caller's.

    Directus is asked before Stripe: for the customer that the request names, or else whether there is any. The first
    object that is not that customer's ends it, as one that does not exist does.
    """
    owner = _named_customer(intent)
    if owner is not None:
        await ownership.require_own(owner)
    objects: dict[str, StripeObject] = {}
    for resource, object_id in _owned_objects(intent):
        if owner is None:
            await ownership.require_any()
        found = await _owner_of(resource, object_id, objects, stripe)
        if owner is None:
            await ownership.require_own(found)
            owner = found
        elif found != owner:
            raise ownership.refusal()
    return Owner(await _only_customer(intent.operation, ownership) if owner is None else owner, objects)


def _named_customer(intent: Intent) -> str | None:
    if intent.operation.path_resource is CUSTOMER:
        return intent.object_id
    named = intent.operation.customer_in(intent.values)
    return named if isinstance(named, str) else None


def _owned_objects(intent: Intent) -> Iterable[tuple[Resource, str]]:
    """Give the objects that must be the caller's: the one in the path, and those that parameters refer to."""
    if (
        intent.operation.path_resource is not CUSTOMER
        and intent.operation.path_resource is not None
        and intent.object_id is not None
    ):
        yield intent.operation.path_resource, intent.object_id
    for _, kind, value in found(intent.operation.parameters, intent.values, Reference):
        if kind.resource.owned and kind.resource is not CUSTOMER:
            yield kind.resource, str(value)


async def _owner_of(resource: Resource, object_id: str, objects: dict[str, StripeObject], stripe: Stripe) -> str | None:
    """Find the customer of an object, through what it refers to where it names none; None where nothing tells.

    Each object that is read is added to `objects`. Where there is no object to refer to anything, as much is read.
    """
    if object_id not in objects:
        found = await _read(resource, object_id, stripe)
        if found is not None:
            objects[object_id] = found
    value = objects.get(object_id, {})
    owner = customer_of(value)
    if owner is not None or not resource.via:
        return owner
    references = [(name, other) for name in resource.via if (other := reference(value, name)) is not None]
    name, other = references[0] if references else _no_object(resource.via[0])
    return await _owner_of(RESOURCES[name], other, objects, stripe)


def _no_object(kind: str) -> tuple[str, str]:
    """Give an ID that Stripe does not know; a new one each time, so that no two such reads are one."""
    return kind, f"{RESOURCES[kind].prefixes[0]}_{secrets.token_hex(12)}"


async def _read(resource: Resource, object_id: str, stripe: Stripe) -> StripeObject | None:
    """Read an object; None where there is none."""
    try:
        return await stripe.retrieve(resource.path, object_id)
    except StripeRejected as error:
        if error.status in _ABSENT:
            return None
        raise


async def _only_customer(operation: Operation, ownership: Ownership) -> str:
    if operation.scoping is Scoping.REFERRED:
        names = " or ".join(parameter.name for parameter in operation.parameters if is_owned(parameter.type))
        raise InvalidPayload(f"{names}: say which one; with partial access this is for one payment at a time.")
    return await ownership.only_customer()
