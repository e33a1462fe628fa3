"""How one call to Stripe is made on behalf of a caller.

With partial access what is asked for, what the request refers to and what Stripe answers must all belong to one
customer of the caller's, which `owner` finds first.
"""

import logging

from sidecar.core.flows.completion import Completion
from sidecar.core.flows.customer_state import lacks_customer
from sidecar.core.flows.owner import Intent, Owner, Ownership, find_owner, named_customer, owned_objects, owner_of
from sidecar.core.flows.pricing import with_amount
from sidecar.core.interfaces import ChangeRequest, StripeCalls
from sidecar.core.operations.resources import StripeObject
from sidecar.core.operations.row import CustomerParameter, Kind, Operation
from sidecar.errors import InvalidPayload, StripeRejected, StripeUnavailable

_log = logging.getLogger(__name__)


async def perform(
    intent: Intent, stripe: StripeCalls, ownership: Ownership | None, completion: Completion | None = None
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
        if not lacks_customer(rejected, intent.operation.resource.path, intent.operation.customer_parameter):
            raise
        raise ownership.unknown(owner.customer) from rejected


async def _performed(
    intent: Intent, stripe: StripeCalls, owner: Owner | None, completion: Completion | None
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
    sent = await stripe.send(ChangeRequest(operation.method, target, values, intent.key, operation.urgency))
    return _verified(operation, sent.object, owner)


async def _customer(intent: Intent, stripe: StripeCalls, owner: Owner | None, completion: Completion) -> str | None:
    """Give the customer that a call is about; for a caller with whole access it is read only where it is needed."""
    if owner is not None:
        return owner.customer
    if not completion.needs_item:
        return None
    if (named := named_customer(intent)) is not None:
        return named
    for resource, object_id in owned_objects(intent):
        return await owner_of(resource, object_id, {}, stripe)
    return None


def _refuse_excluded(intent: Intent, *, for_customer: bool) -> None:
    where = "there is no customer yet" if for_customer else "the request names a customer"
    for name in intent.operation.excluded(for_customer=for_customer):
        if name in intent.values:
            raise InvalidPayload(f"{name}: leave it out; Stripe takes it only where {where}.")


async def _retrieved(intent: Intent, stripe: StripeCalls, owner: Owner | None) -> StripeObject:
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
