"""Refusals without a code: what the caller reads instead of Stripe's message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.stripe.errors import failure
from sidecar.clients.stripe.known_refusals import _KNOWN, known_refusal
from sidecar.core.envelope import error_body
from sidecar.errors import StripeFailure, StripeRejected

GENERAL = "Stripe does not accept this request, and gives no code that says why. This service's log has the reason."
# Stripe's messages, as public reports quote them, and what our sentence about each names.
MESSAGES = {
    "No configuration provided and your test mode default configuration has not been created. Provide a configuration "
    "or create your default by saving your customer portal settings in test mode at https://dashboard.stripe.com/test/"
    "settings/billing/portal.": "portal has no configuration",
    "You can't create a portal session in test mode until you save your customer portal settings in test mode at "
    "https://dashboard.stripe.com/test/settings/billing/portal.": "portal has no configuration",
    "You may only specify one of these parameters: customer, customer_email.": "exclude each other: customer, "
    "customer_email. Send one",
    "You may only specify one of these parameters: submit_type, subscription_data[items].": "submit_type, "
    "subscription_data[items]",
    "In order to use Checkout, you must set an account or business name at https://dashboard.stripe.com/account.": (
        "name of the business"
    ),
    "No valid payment method types for this Checkout Session. Please ensure that you have activated payment methods "
    "compatible with your chosen currency in your dashboard.": "No payment method is turned on",
    "Stripe Tax has not been activated on your account. Please visit https://stripe.com/docs/tax/set-up.": (
        "Stripe Tax is not set up"
    ),
    "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to the "
    "Customer or set either `customer_update[address]` to 'auto'.": "no valid address",
    "The payment method you provided is not attached to a customer so detachment is impossible.": "cannot be detached",
    "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and "
    "may not be used again.": "cannot be used again",
    "A canceled subscription can only update its cancellation_details and metadata.": "is canceled",
    "You cannot combine currencies on a single customer. This customer has an active subscription with currency usd.": (
        "another currency"
    ),
    "The price specified is inactive. This field only accepts active prices.": "not active any more",
    "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.": (
        "paid once"
    ),
    "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only "
    "one-time prices.": "do not fit each other",
}


def refused(message: object, status: int = 400, **facts: object) -> StripeFailure:
    error = {"type": "invalid_request_error", "message": message, **facts}
    return failure(status, {"error": error}, {"Request-Id": "req_1"})


@pytest.mark.parametrize(("message", "named"), MESSAGES.items())
def test_a_well_known_refusal(message: str, named: str) -> None:
    """The caller reads our own sentence about it, and the request ID to ask with."""
    error = refused(message)

    assert (type(error), error.status) == (StripeRejected, 400)
    assert named in error.message
    assert error.message.endswith(" Stripe's request ID: req_1.")
    assert error.extensions == {"stripe": {"type": "invalid_request_error", "request_id": "req_1"}}


@pytest.mark.parametrize("known", _KNOWN, ids=lambda known: known.shape.pattern)
def test_every_known_one_is_met_in_a_message(known: object) -> None:
    """No sentence waits for a message that Stripe is not known to send."""
    assert known in {known_refusal(message) for message in MESSAGES}


@pytest.mark.parametrize("status", [400, 402, 404, 409, 424])
@pytest.mark.parametrize("message", ["Something that nobody has seen.", None, 7, ""])
def test_any_other_refusal(message: object, status: int) -> None:
    """Of a message that is not known the caller learns that the log has the reason, and the request ID."""
    error = refused(message, status)

    assert (error.status, error.message) == (status, f"{GENERAL} Stripe's request ID: req_1.")


def test_a_parameter_is_named() -> None:
    """Where Stripe names the parameter, so does our sentence."""
    assert '"line_items[0][price]" in this request' in refused("no", param="line_items[0][price]").message


def test_only_the_beginning_of_a_message_is_read() -> None:
    """A message of any length costs no more than a short one, since its end is not looked at."""
    message = next(iter(MESSAGES))

    assert refused(f"{message}{' x' * 500_000}").message == refused(message).message
    assert refused(f"{'x ' * 500}{message}").message == refused("no").message


def test_a_code_says_enough() -> None:
    """A refusal with a code is told by the code, whatever its message."""
    message = next(iter(MESSAGES))

    assert (
        refused(message, code="parameter_missing").message == "Stripe does not accept this request: parameter_missing."
    )


def test_no_request_id() -> None:
    """Without a request ID the sentence ends before it."""
    assert failure(400, {"error": {"type": "card_error"}}, {}).message == GENERAL


@pytest.mark.parametrize(
    "names", ["customer, MARKED hush", "customer, sk_live_MARKED", "customer, ada@example.com", "x" * 300]
)
def test_only_names_of_parameters_are_relayed(names: str) -> None:
    """What follows as names of parameters is relayed only if all of it has the form of such names."""
    error = refused(f"You may only specify one of these parameters: {names}.")

    assert "MARKED" not in json.dumps(error_body(error))
    assert "ada" not in error.message
    assert "x" * 50 not in error.message


@given(st.text(max_size=40), st.sampled_from([*MESSAGES, "no"]))
def test_nothing_of_a_message_is_relayed(typed: str, message: str) -> None:
    """The caller reads the same whatever else stands in Stripe's message."""
    quoting = f"{message} You sent '{typed}hush'."

    assert "hush" not in json.dumps(error_body(refused(quoting)))
