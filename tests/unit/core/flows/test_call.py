"""How one call is made, case by case; test_call_graphs.py tests it over random graphs of objects."""

import pytest

from sidecar.core.flows.call import perform
from sidecar.core.flows.owner import Intent, Owner, find_owner
from sidecar.core.operations.resources import (
    CHARGE,
    CUSTOMER,
    INVOICE,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    PORTAL_SESSION,
    PRICE,
    PRODUCT,
    REFUND,
    SUBSCRIPTION,
)
from sidecar.core.operations.row import Operation
from sidecar.core.operations.table import OPERATIONS
from sidecar.core.urgency import Urgency
from sidecar.errors import InvalidPayload, PermissionDenied, StripeKeyRejected, StripeRejected, StripeUnavailable
from tests.unit.core.flows.calls import FOREIGN, OTHER, OWN, Ownership, Stripe, thing

ROWS: dict[str, Operation] = {row.name: row for row in OPERATIONS}
CANCEL = Intent(ROWS["payment_intents.cancel"], "pi_1", {}, "key")
PORTAL = ROWS["billing_portal_sessions.create"]


async def test_full_access_calls_straight_away() -> None:
    """For a caller with access to every customer the values are sent unchanged, and nothing is read first."""
    stripe = Stripe(answer=thing(PAYMENT_INTENT, "1", FOREIGN))

    assert stripe.answer == await perform(CANCEL, stripe, None)
    assert stripe.sent == [("POST", "/v1/payment_intents/pi_1/cancel", {}, "key", Urgency.CALL)]
    assert stripe.retrieved == []


async def test_full_access_names_the_customer_where_one_is_needed() -> None:
    """Without a scope no customer can be filled in, so a required `customer` has to be sent."""
    stripe = Stripe()

    with pytest.raises(InvalidPayload, match="customer"):
        await perform(Intent(PORTAL, None, {"return_url": "https://a.example"}), stripe, None)

    assert stripe.sent == []


async def test_full_access_may_name_any_customer() -> None:
    """A caller with access to every customer names the one it means, and that is sent unchanged."""
    stripe = Stripe(answer=thing(PORTAL_SESSION, "1", FOREIGN))

    assert stripe.answer == await perform(Intent(PORTAL, None, {"customer": FOREIGN}), stripe, None)
    assert [sent[2] for sent in stripe.sent] == [{"customer": FOREIGN}]


@pytest.mark.parametrize("values", [{}, {"customer": OWN}])
async def test_the_only_customer_is_filled_in(values: dict[str, object]) -> None:
    """A scoped caller with one customer may leave it out; the request to Stripe names it either way."""
    stripe = Stripe(answer=thing(PORTAL_SESSION, "1", OWN))

    await perform(Intent(PORTAL, None, values), stripe, Ownership((OWN,)))

    assert [sent[2] for sent in stripe.sent] == [{"customer": OWN}]


async def test_several_customers_cannot_be_filled_in() -> None:
    """A scoped caller with two customers must name one."""
    with pytest.raises(InvalidPayload, match="customer"):
        await perform(Intent(PORTAL), Stripe(), Ownership((OWN, OTHER)))


async def test_a_foreign_customer_is_refused_before_stripe_is_asked() -> None:
    """If the request names a customer that is not the caller's, Stripe gets no request at all."""
    stripe = Stripe.of(thing(PAYMENT_METHOD, "1", FOREIGN))
    values = {"customer": FOREIGN, "payment_method": "pm_1", "price": "price_1"}

    with pytest.raises(PermissionDenied):
        await perform(Intent(ROWS["payment_intents.create"], None, values), stripe, Ownership())

    assert stripe.retrieved == []
    assert stripe.sent == []


@pytest.mark.parametrize("ownership", [None, Ownership()], ids=["full", "scoped"])
async def test_a_price_is_read_after_the_ownership_check(ownership: Ownership | None) -> None:
    """The amount is computed from the price, after the ownership check."""
    price = thing(PRICE, "1", active=True, unit_amount=250, currency="eur", type="one_time", billing_scheme="per_unit")
    stripe = Stripe.of(price)
    stripe.answer = thing(PAYMENT_INTENT, "1", OWN)

    await perform(
        Intent(ROWS["payment_intents.create"], None, {"customer": OWN, "price": "price_1"}), stripe, ownership
    )

    assert tuple(stripe.sent[0][2][name] for name in ("amount", "currency", "customer")) == (250, "eur", OWN)


async def test_customers_of_two_may_not_be_mixed() -> None:
    """Two objects of two own customers are refused together: neither customer may pay for the other."""
    stripe = Stripe.of(thing(PAYMENT_METHOD, "1", OTHER))
    values = {"customer": OWN, "default_payment_method": "pm_1", "items": [{"price": "price_1"}]}

    with pytest.raises(PermissionDenied):
        await perform(Intent(ROWS["subscriptions.create"], None, values), stripe, Ownership())

    assert stripe.sent == []


async def test_a_reference_within_a_group_counts() -> None:
    """A nested reference, such as `invoice_settings[default_payment_method]`, must belong to the customer too."""
    stripe = Stripe.of(thing(PAYMENT_METHOD, "1", FOREIGN))
    values = {"invoice_settings": {"default_payment_method": "pm_1"}}

    with pytest.raises(PermissionDenied):
        await perform(Intent(ROWS["customers.update"], OWN, values), stripe, Ownership())

    assert stripe.sent == []


@pytest.mark.parametrize("status", [400, 404])
async def test_absent_and_foreign_are_one_refusal(status: int) -> None:
    """A foreign object and a missing one give the same refusal, with any status of Stripe's for the missing one."""
    foreign, absent = Stripe.of(thing(PAYMENT_INTENT, "1", FOREIGN)), Stripe(status=status)
    refusals = []

    for stripe in (foreign, absent):
        with pytest.raises(PermissionDenied) as refused:
            await perform(CANCEL, stripe, Ownership())
        refusals.append((refused.value.message, refused.value.status, refused.value.extensions))
        assert stripe.sent == []

    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("owner", [None, {"id": FOREIGN, "object": "customer"}, {"object": "customer"}, ["cus_OWN"], 7])
async def test_an_object_without_a_customer_is_refused(owner: object) -> None:
    """An object that names no customer, or a foreign one in any form, is not the caller's."""
    stripe, ownership = Stripe.of(thing(PAYMENT_INTENT, "1") | {"customer": owner}), Ownership()

    with pytest.raises(PermissionDenied):
        await perform(CANCEL, stripe, ownership)

    assert ownership.asked in ([None], [FOREIGN])


async def test_a_customer_may_be_an_object() -> None:
    """An expanded customer counts like its ID."""
    own = {"customer": {"id": OWN, "object": "customer"}}
    stripe = Stripe.of(thing(PAYMENT_INTENT, "1") | own)
    stripe.answer = thing(PAYMENT_INTENT, "1") | own

    assert stripe.answer == await perform(CANCEL, stripe, Ownership())


async def test_a_failing_stripe_is_no_refusal() -> None:
    """A refusal means "not yours"; a rejected key or another failure during the lookup does not count as one."""

    class Failing(Stripe):
        async def retrieve(self, path: str, object_id: str, **_: Urgency) -> dict[str, object]:  # noqa: ARG002
            raise StripeKeyRejected("our key")

    with pytest.raises(StripeKeyRejected):
        await perform(CANCEL, Failing(), Ownership())
    with pytest.raises(StripeRejected):
        await perform(CANCEL, Stripe(status=402), Ownership())


async def test_an_object_is_not_read_twice() -> None:
    """Retrieving an object takes one request, whose answer both names the customer and is returned."""
    invoice = thing(INVOICE, "1", OWN)
    stripe = Stripe.of(invoice)

    answer = await perform(Intent(ROWS["invoices.retrieve"], "in_1"), stripe, Ownership())

    assert (invoice, [("/v1/invoices", "in_1")]) == (answer, stripe.retrieved)


async def test_full_access_retrieves() -> None:
    """Without a scope an object is read and returned, for any customer."""
    product = thing(PRODUCT, "1")

    assert product == await perform(Intent(ROWS["products.retrieve"], "prod_1"), Stripe.of(product), None)


@pytest.mark.parametrize("parameter", ["payment_intent", "charge"])
@pytest.mark.parametrize("owner", [OWN, FOREIGN])
async def test_a_refund_belongs_to_the_customer_of_its_payment(parameter: str, owner: str) -> None:
    """A refund needs a payment or charge of the caller's, and the answer may name its customer by that alone."""
    resource = PAYMENT_INTENT if parameter == "payment_intent" else CHARGE
    referred = thing(resource, "1", owner)
    stripe = Stripe.of(referred)
    stripe.answer = thing(REFUND, "1") | {parameter: referred["id"]}
    intent = Intent(ROWS["refunds.create"], None, {parameter: referred["id"]}, "key")

    if owner == OWN:
        assert stripe.answer == await perform(intent, stripe, Ownership())
    else:
        with pytest.raises(PermissionDenied):
            await perform(intent, stripe, Ownership())
    assert (owner == OWN) is bool(stripe.sent)


@pytest.mark.parametrize("name", ["refunds.list", "refunds.create"])
async def test_refunds_of_nothing_in_particular(name: str) -> None:
    """A scoped caller must name the payment or charge of the refunds."""
    with pytest.raises(InvalidPayload, match="payment_intent or charge"):
        await find_owner(Intent(ROWS[name]), Stripe(), Ownership((OWN,)))


async def test_a_detached_payment_method_was_the_callers() -> None:
    """A detached payment method names no customer, and the caller that detached it still gets the answer."""
    stripe = Stripe.of(thing(PAYMENT_METHOD, "1", OWN))
    stripe.answer = thing(PAYMENT_METHOD, "1")

    assert stripe.answer == await perform(Intent(ROWS["payment_methods.detach"], "pm_1"), stripe, Ownership())


@pytest.mark.parametrize(
    "answer",
    [
        thing(PAYMENT_INTENT, "1", FOREIGN),
        thing(PAYMENT_INTENT, "1", OTHER),
        thing(PAYMENT_INTENT, "2"),
        thing(CUSTOMER, "FOREIGN"),
        thing(REFUND, "1", payment_intent="pi_2"),
        {"id": ["pi_1"], "object": {"kind": 1}, "customer": FOREIGN},
        {"object": "unheard_of", "payment_intent": "pi_1"},
        {},
    ],
)
async def test_an_answer_of_another_customer_is_not_given(answer: dict[str, object]) -> None:
    """An answer about anything but the one customer of the call is an error of Stripe's."""
    stripe = Stripe.of(thing(PAYMENT_INTENT, "1", OWN))
    stripe.answer = answer

    with pytest.raises(StripeUnavailable) as failed:
        await perform(CANCEL, stripe, Ownership())

    assert FOREIGN not in failed.value.message


async def test_an_answer_of_another_customer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The operator learns the object and the operation; the caller learns that Stripe is at fault."""
    stripe = Stripe.of(thing(PAYMENT_INTENT, "1", OWN))
    stripe.answer = thing(PAYMENT_INTENT, "2", FOREIGN)

    with pytest.raises(StripeUnavailable, match="something else than was asked for") as failed:
        await perform(CANCEL, stripe, Ownership())

    assert failed.value.detail == "another customer's"
    [record] = caplog.records
    assert record.message == "Stripe answered with an object of another customer"
    assert (vars(record)["operation"], vars(record)["object"]) == ("payment_intents.cancel", "pi_2")


async def test_a_retrieved_customer_is_the_one_asked_for() -> None:
    """If Stripe answers with a customer other than the path's, it is not returned."""
    stripe = Stripe({OWN: thing(CUSTOMER, "FOREIGN")})

    with pytest.raises(StripeUnavailable):
        await perform(Intent(ROWS["customers.retrieve"], OWN), stripe, Ownership())


def test_a_customer_of_its_own_outweighs_a_reference() -> None:
    """An object that names its customer belongs to that customer, whatever else it refers to."""
    owner = Owner(OWN, {"pi_1": thing(PAYMENT_INTENT, "1", OWN)})

    assert owner.owns(thing(REFUND, "1", payment_intent="pi_1"))
    assert not owner.owns(thing(REFUND, "1", payment_intent="pi_1", customer=FOREIGN))


async def test_a_costly_call_is_less_urgent() -> None:
    """A preview waits as pages do, a change does not."""
    stripe = Stripe(answer=thing(SUBSCRIPTION, "1", OWN))

    await perform(Intent(ROWS["invoices.create_preview"], None, {"customer": OWN}), stripe, None)
    await perform(Intent(ROWS["subscriptions.cancel"], "sub_1"), stripe, None)

    assert [sent[4] for sent in stripe.sent] == [Urgency.PAGE, Urgency.CALL]
    assert stripe.sent[1][:4] == ("DELETE", "/v1/subscriptions/sub_1", {}, None)
