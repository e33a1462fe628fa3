"""Whose everything in a call is: finds the one customer that a request of a caller with partial access may be about.

Stripe tells whose an object is; `Ownership` tells whose a customer is. An object that does not exist and one of
somebody else get the same refusal, after the same calls to Stripe and questions to Directus, so that the time does not
tell them apart. Stripe is asked for nothing until Directus has shown a row of the caller's.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from sidecar.core.interfaces import StripeObjects
from sidecar.core.operations.parameters import Reference, found, is_owned
from sidecar.core.operations.resources import CUSTOMER, RESOURCES, Resource, StripeObject, customer_of, reference
from sidecar.core.operations.row import Operation, Scoping
from sidecar.errors import InvalidPayload, ItemConflict, PermissionDenied, StripeRejected

# Stripe answers either of them to an ID that it does not know.
_ABSENT = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})


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


async def find_owner(intent: Intent, stripe: StripeObjects, ownership: Ownership) -> Owner:
    """Find the one customer that everything in a request belongs to, and require it to be the caller's.

    Directus is asked before Stripe: for the customer that the request names, or else whether there is any. The first
    object that is not that customer's ends it, as one that does not exist does.
    """
    owner = named_customer(intent)
    if owner is not None:
        await ownership.require_own(owner)
    objects: dict[str, StripeObject] = {}
    for resource, object_id in owned_objects(intent):
        if owner is None:
            await ownership.require_any()
        found = await owner_of(resource, object_id, objects, stripe)
        if owner is None:
            await ownership.require_own(found)
            owner = found
        elif found != owner:
            raise ownership.refusal()
    return Owner(await _only_customer(intent.operation, ownership) if owner is None else owner, objects)


def named_customer(intent: Intent) -> str | None:
    """Give the customer that the request names, None where it names none."""
    if intent.operation.path_resource is CUSTOMER:
        return intent.object_id
    named = intent.operation.customer_in(intent.values)
    return named if isinstance(named, str) else None


def owned_objects(intent: Intent) -> Iterable[tuple[Resource, str]]:
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


async def owner_of(
    resource: Resource, object_id: str, objects: dict[str, StripeObject], stripe: StripeObjects
) -> str | None:
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
    return await owner_of(RESOURCES[name], other, objects, stripe)


def _no_object(kind: str) -> tuple[str, str]:
    """Give an ID that Stripe does not know; a new one each time, so that no two such reads are one."""
    return kind, f"{RESOURCES[kind].prefixes[0]}_{secrets.token_hex(12)}"


async def _read(resource: Resource, object_id: str, stripe: StripeObjects) -> StripeObject | None:
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
