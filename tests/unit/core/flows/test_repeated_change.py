"""What becomes of a change that Stripe refuses because it is done, over all states and refusals."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.flows.call import perform
from sidecar.core.flows.owner import Intent
from sidecar.core.flows.repeated_change import RepeatableStripe
from sidecar.core.interfaces import ChangeRequest, Sent
from sidecar.core.operations.known_attributes import ATTRIBUTES
from sidecar.core.operations.resources import PAYMENT_METHOD, SUBSCRIPTION, StripeObject
from sidecar.core.operations.row import Done, Operation
from sidecar.core.operations.table import OPERATIONS
from sidecar.core.urgency import Urgency
from sidecar.errors import PermissionDenied, StripeFailure, StripeRejected, StripeTimeout, StripeUnavailable
from tests.unit.core.flows.calls import FOREIGN, OWN, Ownership, Stripe, thing

ROWS: dict[str, Operation] = {row.name: row for row in OPERATIONS}
CANCEL, DETACH = ROWS["subscriptions.cancel"], ROWS["payment_methods.detach"]
DELETE = replace(DETACH, name="payment_methods.delete", method="DELETE", done=Done("deleted", value=True, gone=True))
DONE = {name: row for name, row in ROWS.items() if row.done is not None}


@dataclass
class Refusing(Stripe):
    """`refusal` is the answer to any change, after which the objects are `then`, or reading fails with `blind`."""

    refusal: StripeFailure = field(default_factory=lambda: rejected(404))
    then: dict[str, StripeObject] = field(default_factory=dict)
    blind: StripeFailure | None = None

    async def send(self, request: ChangeRequest) -> Sent:
        await super().send(request)
        self.objects = self.then
        raise self.refusal

    async def retrieve(self, path: str, object_id: str, **_: Urgency) -> StripeObject:
        if self.sent and self.blind is not None:
            raise self.blind
        return await super().retrieve(path, object_id)


def rejected(status: int, *, uncertain: bool = False) -> StripeRejected:
    made = StripeRejected("Stripe does not accept this request.", status=status, extensions={})
    made.uncertain = uncertain
    return made


def named(value: StripeObject) -> dict[str, StripeObject]:
    return {str(value["id"]): value}


async def repeat(stripe: Stripe, row: Operation, object_id: str, ownership: Ownership | None) -> StripeObject:
    key = "key" if row.method == "POST" else None
    return await perform(Intent(row, object_id, {}, key), RepeatableStripe(stripe, row, object_id), ownership)


LIVING, CANCELED = (thing(SUBSCRIPTION, "1", OWN, status=status) for status in ("active", "canceled"))
ATTACHED, DETACHED = (thing(PAYMENT_METHOD, "1", owner) for owner in (OWN, None))


@pytest.mark.parametrize("ownership", [None, Ownership()], ids=["full", "scoped"])
@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(
    ("row", "before", "after"), [(CANCEL, LIVING, CANCELED), (DETACH, ATTACHED, DETACHED)], ids=["cancel", "detach"]
)
async def test_what_is_done_is_the_answer(
    row: Operation, before: StripeObject, after: StripeObject, status: int, ownership: Ownership | None
) -> None:
    """A refused change whose object shows that it is done gives the object as it now is."""
    stripe = Refusing(named(before), refusal=rejected(status), then=named(after))

    assert after == await repeat(stripe, row, str(before["id"]), ownership)
    assert len(stripe.sent) == 1


@pytest.mark.parametrize("ownership", [None, Ownership()], ids=["full", "scoped"])
async def test_what_is_gone_is_deleted(ownership: Ownership | None) -> None:
    """An object that was there before the change and is gone after its refusal reads as a deleted one."""
    stripe = Refusing(named(ATTACHED), then={})

    answer = await repeat(stripe, DELETE, "pm_1", ownership)

    assert answer == {"id": "pm_1", "object": "payment_method", "deleted": True}


async def test_what_is_gone_was_not_detached() -> None:
    """Where being gone is not what was asked for, an object that is gone keeps Stripe's refusal."""
    with pytest.raises(StripeRejected):
        await repeat(Refusing(named(ATTACHED), then={}), DETACH, "pm_1", Ownership())


async def test_what_will_be_gone_is_read_first() -> None:
    """Only of an object that was there can be told that it is gone, so one that is not is refused before the change."""
    stripe = Refusing()

    with pytest.raises(StripeRejected):
        await repeat(stripe, DELETE, "pm_1", None)

    assert stripe.sent == []


@pytest.mark.parametrize("row", DONE.values(), ids=DONE)
async def test_what_never_was_is_refused(row: Operation) -> None:
    """A change of an object that never existed keeps Stripe's refusal, and is not thought to have happened."""
    refusal = rejected(404, uncertain=True)
    object_id = f"{row.resource.prefixes[0]}_1"

    with pytest.raises(StripeRejected) as refused:
        await repeat(Refusing(refusal=refusal), row, object_id, None)

    assert (refused.value.status, refused.value.uncertain) == (404, False)


@pytest.mark.parametrize("ownership", [None, Ownership()], ids=["full", "scoped"])
async def test_what_did_not_happen_is_refused(ownership: Ownership | None) -> None:
    """If the object shows no trace of the change, Stripe's refusal is the answer."""
    stripe = Refusing(named(LIVING), refusal=rejected(400, uncertain=True), then=named(LIVING))

    with pytest.raises(StripeRejected) as refused:
        await repeat(stripe, CANCEL, "sub_1", ownership)

    assert refused.value is stripe.refusal
    assert not refused.value.uncertain


@pytest.mark.parametrize("status", [402, 409, 424])
async def test_other_refusals_are_no_repetitions(status: int) -> None:
    """A declined card or a key of another request stays a refusal, also where the object is in the wished state."""
    stripe = Refusing(named(CANCELED), refusal=rejected(status), then=named(CANCELED))

    with pytest.raises(StripeRejected):
        await repeat(stripe, CANCEL, "sub_1", None)

    assert stripe.retrieved == []


@pytest.mark.parametrize("failure", [StripeTimeout("silent"), StripeUnavailable("down")])
async def test_two_failures_are_a_failure(failure: StripeFailure) -> None:
    """Without any answer to the change nothing is read, and the failure is the answer."""
    stripe = Refusing(named(CANCELED), refusal=failure, then=named(CANCELED))

    with pytest.raises(StripeFailure) as failed:
        await repeat(stripe, CANCEL, "sub_1", None)

    assert failed.value is failure
    assert stripe.retrieved == []


@pytest.mark.parametrize("uncertain", [True, False])
async def test_what_cannot_be_found_out(*, uncertain: bool) -> None:
    """If the object cannot be read, that is the failure where the change may have happened, else Stripe's refusal."""
    blind = StripeUnavailable("down")
    stripe = Refusing(named(LIVING), refusal=rejected(404, uncertain=uncertain), then=named(CANCELED), blind=blind)

    with pytest.raises(StripeFailure) as failed:
        await repeat(stripe, CANCEL, "sub_1", None)

    assert failed.value is (blind if uncertain else stripe.refusal)
    assert failed.value.uncertain is uncertain


async def test_a_foreign_object_stays_foreign() -> None:
    """A caller limited to its rows is verified before and after: the object as it now is must be its own."""
    foreign = thing(SUBSCRIPTION, "1", FOREIGN, status="canceled")

    with pytest.raises(PermissionDenied):
        await repeat(Refusing(named(foreign), then=named(foreign)), CANCEL, "sub_1", Ownership())
    with pytest.raises(StripeUnavailable):
        await repeat(Refusing(named(LIVING), then=named(foreign)), CANCEL, "sub_1", Ownership())


@given(st.sampled_from([400, 402, 404, 409]), st.booleans(), st.sampled_from([LIVING, CANCELED, None]))
async def test_who_made_the_change(status: int, uncertain: bool, now: StripeObject | None) -> None:  # noqa: FBT001 - given by hypothesis
    """A call is the one that made a change only if an attempt of it got no answer."""
    stripe = RepeatableStripe(
        Refusing(refusal=rejected(status, uncertain=uncertain), then=named(now) if now else {}), CANCEL, "sub_1"
    )

    try:
        sent = await stripe.send(ChangeRequest("DELETE", "/v1/subscriptions/sub_1"))
    except StripeRejected:
        assert now is not CANCELED or status in {402, 409}
    else:
        assert (now, sent.first) == (CANCELED, uncertain)


@pytest.mark.parametrize("row", [row for row in OPERATIONS if row.method == "DELETE"], ids=lambda row: row.name)
def test_every_delete_can_be_told_from_its_repetition(row: Operation) -> None:
    """Stripe takes no idempotency key for a DELETE, so each such row says what its object shows once it is done."""
    assert row.done is not None


@pytest.mark.parametrize("row", DONE.values(), ids=DONE)
def test_what_a_done_one_shows_is_an_attribute(row: Operation) -> None:
    """The attribute is one of the kind, in the names of Stripe's library; the object is the one in the path."""
    assert row.done is not None
    assert row.done.attribute in ATTRIBUTES[row.resource.kind].split()
    assert row.path_resource is row.resource
