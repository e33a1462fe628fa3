"""How a scoped caller is limited to one customer, over random requests with random objects of random owners."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core.flows.call import perform
from sidecar.core.flows.owner import Intent, Owner, find_owner
from sidecar.core.operations.parameters import Group, Parameter, Reference, Several, Type, found
from sidecar.core.operations.resources import CUSTOMER, RESOURCES, Resource, StripeObject
from sidecar.core.operations.row import CustomerParameter, Kind, Scoping
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import InvalidPayload, PermissionDenied, StripeUnavailable
from tests.unit.core.flows.calls import FOREIGN, OTHER, OWN, Ownership, Stripe, naming, thing

SCOPABLE = [row for row in OPERATIONS if row.scoping is not Scoping.REFUSED]
OWNERS = (OWN, OTHER, FOREIGN, None, "absent")
PRICED = {"active": True, "unit_amount": 5, "currency": "eur", "type": "one_time", "billing_scheme": "per_unit"}


@dataclass(frozen=True)
class Scene:
    """A request and its Stripe. `owners` has the owner of everything that the request names; None means no owner."""

    intent: Intent
    owners: frozenset[str | None]
    stripe: Stripe
    answered: str | None
    ownership: Ownership

    @property
    def allowed(self) -> bool:
        """The condition for a call: everything named belongs to one customer, and that customer is the caller's."""
        if not self.owners:
            return len(self.ownership.own) == 1 and self.intent.operation.scoping is not Scoping.REFERRED
        return len(self.owners) == 1 and self.owners <= set(self.ownership.own)


def value_of(kind: Type, name: str) -> st.SearchStrategy[object]:
    match kind:
        case Reference() if kind.resource is CUSTOMER:
            return st.sampled_from([OWN, OTHER, FOREIGN])
        case Reference():
            return st.sampled_from("ABC").map(lambda letter: f"{kind.resource.prefixes[0]}_{letter}")
        case Group():
            return values_of(kind.parameters)
        case Several():
            return st.lists(value_of(kind.of, name), min_size=1, max_size=3)
        case _:
            return st.just("x")


def values_of(parameters: Sequence[Parameter]) -> st.SearchStrategy[dict[str, object]]:
    given_of = {each.name: value_of(each.type, each.name) for each in parameters}
    needed = {each.name: given_of.pop(each.name) for each in parameters if each.required}
    return st.fixed_dictionaries(needed, optional=given_of)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    operation = draw(st.sampled_from(SCOPABLE))
    path = operation.path_resource
    object_id = None if path is None else str(draw(value_of(Reference(path), "path")))
    left_out = {"quantity", *operation.without_customer}
    values = draw(values_of([each for each in operation.taken if not each.amount and each.name not in left_out]))
    intent = Intent(operation, object_id, values, "key")
    named = [(kind.resource, str(value)) for _, kind, value in found(operation.taken, values, Reference)]
    named += [] if path is None or object_id is None else [(path, object_id)]
    stripe = Stripe(status=draw(st.sampled_from([400, 404])))
    owners: set[str | None] = set()
    for resource, identifier in sorted(set(named), key=str):
        if resource is CUSTOMER:
            owners.add(identifier)
            stripe.objects[identifier] = {"id": identifier, "object": resource.kind}
        elif resource.owned:
            owner = draw(st.sampled_from(OWNERS))
            owners.add(None if owner == "absent" else owner)
            add(stripe, resource, identifier, owner, expanded=draw(st.booleans()))
        else:
            stripe.objects[identifier] = {"id": identifier, "object": resource.kind, **PRICED}
    answered = draw(st.sampled_from((OWN, OTHER, FOREIGN, None)))
    stripe.answer = answer_of(operation.resource, answered)
    return Scene(
        intent, frozenset(owners), stripe, answered, Ownership(draw(st.sampled_from([(OWN,), (OWN, OTHER), ()])))
    )


def add(stripe: Stripe, resource: Resource, identifier: str, owner: str | None, *, expanded: bool) -> None:
    if owner != "absent":
        customer = {"id": owner, "object": "customer"} if expanded and owner else owner
        stripe.objects[identifier] = {"id": identifier, "object": resource.kind, "customer": customer}


def answer_of(resource: Resource, owner: str | None) -> StripeObject:
    if resource is CUSTOMER:
        return {"id": owner, "object": "customer"}
    return thing(resource, "new", owner) | naming(resource, owner)


async def made(scene: Scene) -> Owner | Exception:
    try:
        return await find_owner(scene.intent, scene.stripe, scene.ownership)
    except (PermissionDenied, InvalidPayload) as refused:
        return refused


@settings(max_examples=200)
@given(scenes())
async def test_only_objects_of_one_own_customer_are_accepted(scene: Scene) -> None:
    """A caller is accepted only if everything it names belongs to one customer of its own; nothing changes yet."""
    outcome = await made(scene)

    assert isinstance(outcome, Owner) is scene.allowed
    assert not isinstance(outcome, Owner) or scene.owners <= {outcome.customer} <= set(scene.ownership.own)
    assert scene.stripe.sent == []


@settings(max_examples=200)
@given(scenes())
async def test_refusals_are_all_alike(scene: Scene) -> None:
    """Foreign, absent, ownerless and mixed objects all give one and the same refusal."""
    outcome = await made(scene)

    if isinstance(outcome, PermissionDenied):
        expected = scene.ownership.refusal()
        assert (expected.message, expected.status, expected.extensions) == (
            outcome.message,
            outcome.status,
            outcome.extensions,
        )


@settings(max_examples=200)
@given(scenes())
async def test_nothing_is_sent_for_foreign_objects(scene: Scene) -> None:
    """R2: a change is made only for the one customer of the call, and nothing of another customer is returned."""
    operation, stripe = scene.intent.operation, scene.stripe
    if operation.kind is Kind.LIST:
        return
    try:
        answer = await perform(scene.intent, stripe, scene.ownership)
    except (PermissionDenied, InvalidPayload):
        assert stripe.sent == []
        assert not scene.allowed
        return
    except StripeUnavailable:
        assert scene.answered not in (scene.owners or set(scene.ownership.own))
        assert operation.kind is not Kind.RETRIEVE
        return

    owner = await find_owner(scene.intent, stripe, scene.ownership)
    assert scene.allowed
    assert owner.owns(answer)
    assert (operation.kind is Kind.RETRIEVE) is (stripe.sent == [])
    if operation.customer is not CustomerParameter.NOT_TAKEN:
        assert owner.customer == operation.customer_in(stripe.sent[0][2])


def test_every_kind_that_refers_is_known() -> None:
    """The kind through which an object names its customer is itself a kind in the table."""
    assert [name for each in RESOURCES.values() for name in each.via if name not in RESOURCES] == []
