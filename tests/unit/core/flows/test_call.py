"""How one call is made, case by case; over random graphs of objects it is tested beside this."""

import pytest

from sidecar.core.flows.call import Intent, Owner, find_owner, perform
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
from sidecar.errors import InvalidPayload, PermissionDenied, StripeKeyRejected, StripeRejected, StripeUnavailable
from tests.unit.core.flows.calls import FOREIGN, OTHER, OWN, Ownership, Stripe, thing

ROWS: dict[str, Operation] = {row.name: row for row in OPERATIONS}
CANCEL = Intent(ROWS["payment_intents.cancel"], "pi_1", {}, "key")
PORTAL = ROWS["billing_portal_sessions.create"]


async def test_full_access_calls_straight_away() -> None:
    """Whoever may touch every customer has its values sent as they are, with nothing read first."""
    stripe = Stripe(answer=thing(PAYMENT_INTENT, "1", FOREIGN))

    assert stripe.answer == await perform(CANCEL, stripe, None)
    assert stripe.sent == [("POST", "/v1/payment_intents/pi_1/cancel", {}, "key", False)]
    assert stripe.retrieved == []


async def test_full_access_names_the_customer_where_one_is_needed() -> None:
    """Without a scope there is nobody to fill in, so a required `customer` has to be sent."""
    stripe = Stripe()

    with pytest.raises(InvalidPayload, match="customer"):
        await perform(Intent(PORTAL, None, {"return_url": "https://a.example"}), stripe, None)

    assert stripe.sent == []


async def test_full_access_may_name_any_customer() -> None:
    """A caller that may touch every customer names the one that is meant, and it is sent as it is."""
    stripe = Stripe(answer=thing(PORTAL_SESSION, "1", FOREIGN))

    assert stripe.answer == await perform(Intent(PORTAL, None, {"customer": FOREIGN}), stripe, None)
    assert [sent[2] for sent in stripe.sent] == [{"customer": FOREIGN}]


@pytest.mark.parametrize("values", [{}, {"customer": OWN}])
async def test_the_only_customer_is_filled_in(values: dict[str, object]) -> None:
    """A scoped caller with one customer may leave it out; what is sent names it either way."""
    stripe = Stripe(answer=thing(PORTAL_SESSION, "1", OWN))

    await perform(Intent(PORTAL, None, values), stripe, Ownership((OWN,)))

    assert [sent[2] for sent in stripe.sent] == [{"customer": OWN}]


async def test_several_customers_cannot_be_filled_in() -> None:
    """A scoped caller with two customers has to say which."""
    with pytest.raises(InvalidPayload, match="customer"):
        await perform(Intent(PORTAL), Stripe(), Ownership((OWN, OTHER)))


async def test_a_foreign_customer_is_refused_before_stripe_is_asked() -> None:
    """Where the request names a customer that is not the caller's, Stripe hears nothing at all."""
    stripe = Stripe.of(thing(PAYMENT_METHOD, "1", FOREIGN))
    values = {"customer": FOREIGN, "payment_method": "pm_1", "price": "price_1"}

    with pytest.raises(PermissionDenied):
        await perform(Intent(ROWS["payment_intents.create"], None, values), stripe, Ownership())

    assert stripe.retrieved == []
    assert stripe.sent == []


@pytest.mark.parametrize("ownership", [None, Ownership()], ids=["full", "scoped"])
async def test_a_price_is_read_once_the_caller_is_held(ownership: Ownership | None) -> None:
    """The amount is worked out from the price, after whatever is the caller's own was found to be."""
    price = thing(PRICE, "1", active=True, unit_amount=250, currency="eur", type="one_time", billing_scheme="per_unit")
    stripe = Stripe.of(price)
    stripe.answer = thing(PAYMENT_INTENT, "1", OWN)

    await perform(
        Intent(ROWS["payment_intents.create"], None, {"customer": OWN, "price": "price_1"}), stripe, ownership
    )

    assert tuple(stripe.sent[0][2][name] for name in ("amount", "currency", "customer")) == (250, "eur", OWN)


async def test_customers_of_two_may_not_be_mixed() -> None:
    """Two objects of two customers, both the caller's own, are refused together: neither may pay for the other."""
    stripe = Stripe.of(thing(PAYMENT_METHOD, "1", OTHER))
    values = {"customer": OWN, "default_payment_method": "pm_1", "items": [{"price": "price_1"}]}

    with pytest.raises(PermissionDenied):
        await perform(Intent(ROWS["subscriptions.create"], None, values), stripe, Ownership())

    assert stripe.sent == []


async def test_a_reference_within_a_group_counts() -> None:
    """What stands deeper, as `invoice_settings[default_payment_method]` does, is held to the customer too."""
    stripe = Stripe.of(thing(PAYMENT_METHOD, "1", FOREIGN))
    values = {"invoice_settings": {"default_payment_method": "pm_1"}}

    with pytest.raises(PermissionDenied):
        await perform(Intent(ROWS["customers.update"], OWN, values), stripe, Ownership())

    assert stripe.sent == []


@pytest.mark.parametrize("status", [400, 404])
async def test_absent_and_foreign_are_one_refusal(status: int) -> None:
    """Whether an object of somebody else exists cannot be told, with whichever status Stripe says that one does not."""
    foreign, absent = Stripe.of(thing(PAYMENT_INTENT, "1", FOREIGN)), Stripe(status=status)
    refusals = []

    for stripe in (foreign, absent):
        with pytest.raises(PermissionDenied) as refused:
            await perform(CANCEL, stripe, Ownership())
        refusals.append((refused.value.message, refused.value.status, refused.value.extensions))
        assert stripe.sent == []

    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("owner", [None, {"id": FOREIGN, "object": "customer"}, {"object": "customer"}, ["cus_OWN"], 7])
async def test_an_object_of_nobody_is_refused(owner: object) -> None:
    """What names no customer, or not one of the caller's in whichever form, is not the caller's."""
    stripe, ownership = Stripe.of(thing(PAYMENT_INTENT, "1") | {"customer": owner}), Ownership()

    with pytest.raises(PermissionDenied):
        await perform(CANCEL, stripe, ownership)

    assert all(isinstance(asked, str) for asked in ownership.asked)


async def test_a_customer_may_stand_as_an_object() -> None:
    """An expanded customer is as good as its ID."""
    own = {"customer": {"id": OWN, "object": "customer"}}
    stripe = Stripe.of(thing(PAYMENT_INTENT, "1") | own)
    stripe.answer = thing(PAYMENT_INTENT, "1") | own

    assert stripe.answer == await perform(CANCEL, stripe, Ownership())


async def test_a_failing_stripe_is_no_refusal() -> None:
    """A refusal says "not yours"; a rejected key or another failure while looking must not be taken for one."""

    class Failing(Stripe):
        async def retrieve(self, _path: str, _object_id: str) -> dict[str, object]:
            raise StripeKeyRejected("our key")

    with pytest.raises(StripeKeyRejected):
        await perform(CANCEL, Failing(), Ownership())
    with pytest.raises(StripeRejected):
        await perform(CANCEL, Stripe(status=402), Ownership())


async def test_what_was_read_is_not_read_again() -> None:
    """To retrieve an object takes one request, whose answer both tells its customer and is given."""
    invoice = thing(INVOICE, "1", OWN)
    stripe = Stripe.of(invoice)

    answer = await perform(Intent(ROWS["invoices.retrieve"], "in_1"), stripe, Ownership())

    assert (invoice, [("/v1/invoices", "in_1")]) == (answer, stripe.retrieved)


async def test_full_access_retrieves() -> None:
    """Without a scope an object is read and given, whoever's it is."""
    product = thing(PRODUCT, "1")

    assert product == await perform(Intent(ROWS["products.retrieve"], "prod_1"), Stripe.of(product), None)


@pytest.mark.parametrize("parameter", ["payment_intent", "charge"])
@pytest.mark.parametrize("owner", [OWN, FOREIGN])
async def test_a_refund_is_held_by_what_it_refers_to(parameter: str, owner: str) -> None:
    """A refund takes a payment or charge of the caller's, and the answer may name its customer by that alone."""
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
    """A scoped caller has to name the payment or charge whose refunds are meant."""
    with pytest.raises(InvalidPayload, match="payment_intent or charge"):
        await find_owner(Intent(ROWS[name]), Stripe(), Ownership((OWN,)))


async def test_what_is_detached_was_the_callers() -> None:
    """A payment method names no customer any more once it is detached, and is still given to whoever detached it."""
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
async def test_an_answer_of_somebody_else_is_not_given(answer: dict[str, object]) -> None:
    """Whatever Stripe answers with that is not of the very customer the call was held to is an error of Stripe's."""
    stripe = Stripe.of(thing(PAYMENT_INTENT, "1", OWN))
    stripe.answer = answer

    with pytest.raises(StripeUnavailable) as failed:
        await perform(CANCEL, stripe, Ownership())

    assert FOREIGN not in failed.value.message


async def test_an_answer_of_somebody_else_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The operator learns which object it was, of which operation; the caller, that Stripe is at fault."""
    stripe = Stripe.of(thing(PAYMENT_INTENT, "1", OWN))
    stripe.answer = thing(PAYMENT_INTENT, "2", FOREIGN)

    with pytest.raises(StripeUnavailable, match="something else than was asked for") as failed:
        await perform(CANCEL, stripe, Ownership())

    assert failed.value.detail == "another customer's"
    [record] = caplog.records
    assert record.message == "Stripe answered with an object of another customer"
    assert (vars(record)["operation"], vars(record)["object"]) == ("payment_intents.cancel", "pi_2")


async def test_a_retrieved_customer_is_the_one_asked_for() -> None:
    """A customer that is not the path's is not given, should Stripe ever answer with one."""
    stripe = Stripe({OWN: thing(CUSTOMER, "FOREIGN")})

    with pytest.raises(StripeUnavailable):
        await perform(Intent(ROWS["customers.retrieve"], OWN), stripe, Ownership())


def test_a_customer_of_its_own_outweighs_a_reference() -> None:
    """An object that names its customer is that one's, whatever else it refers to."""
    owner = Owner(OWN, {"pi_1": thing(PAYMENT_INTENT, "1", OWN)})

    assert owner.owns(thing(REFUND, "1", payment_intent="pi_1"))
    assert not owner.owns(thing(REFUND, "1", payment_intent="pi_1", customer=FOREIGN))


async def test_what_is_costly_waits_its_turn() -> None:
    """Working out a preview waits among the lists; a change does not."""
    stripe = Stripe(answer=thing(SUBSCRIPTION, "1", OWN))

    await perform(Intent(ROWS["invoices.create_preview"], None, {"customer": OWN}), stripe, None)
    await perform(Intent(ROWS["subscriptions.cancel"], "sub_1"), stripe, None)

    assert [sent[4] for sent in stripe.sent] == [True, False]
    assert stripe.sent[1][:4] == ("DELETE", "/v1/subscriptions/sub_1", {}, None)
