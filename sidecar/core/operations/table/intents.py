"""What becomes of a PaymentIntent or SetupIntent once it is there: it is changed, confirmed, captured, canceled."""

from sidecar.core.operations.parameters import MOST_AMOUNT, Email, Flag, Number, OneOf, Parameter, Reference, Text
from sidecar.core.operations.resources import PAYMENT_INTENT, PAYMENT_METHOD, SETUP_INTENT
from sidecar.core.operations.row import Done
from sidecar.core.operations.shared_parameters import AMOUNT, CONFIRMATION, CURRENCY, RETURN_URL, USAGE
from sidecar.core.operations.table.rows import changed, retrieved

_PAYMENT_METHOD = Parameter("payment_method", Reference(PAYMENT_METHOD))
_RECEIPT_EMAIL = Parameter("receipt_email", Email(), clearable=True)
_FUTURE_USAGE = Parameter("setup_future_usage", USAGE, clearable=True)

INTENTS = (
    changed(
        "payment_intents.update",
        "/payment_intents/{payment_intent_id}",
        PAYMENT_INTENT,
        "that PaymentIntent, changed",
        parameters=(
            AMOUNT,
            Parameter("currency", CURRENCY, amount=True),
            _PAYMENT_METHOD,
            Parameter("description", Text(1000)),
            _RECEIPT_EMAIL,
            _FUTURE_USAGE,
        ),
    ),
    changed(
        "payment_intents.confirm",
        "/payment_intents/{payment_intent_id}/confirm",
        PAYMENT_INTENT,
        "that PaymentIntent, confirmed with a saved payment method, or what its customer has to do next",
        verb="/confirm",
        parameters=(_PAYMENT_METHOD, _RECEIPT_EMAIL, _FUTURE_USAGE, *CONFIRMATION),
    ),
    changed(
        "payment_intents.capture",
        "/payment_intents/{payment_intent_id}/capture",
        PAYMENT_INTENT,
        "that PaymentIntent, of which the authorized amount was taken",
        verb="/capture",
        on_customers=False,
        parameters=(Parameter("amount_to_capture", Number(1, MOST_AMOUNT), amount=True),),
    ),
    retrieved("setup_intents.retrieve", "/setup_intents/{setup_intent_id}", SETUP_INTENT, "that SetupIntent"),
    changed(
        "setup_intents.confirm",
        "/setup_intents/{setup_intent_id}/confirm",
        SETUP_INTENT,
        "that SetupIntent, confirmed, or what its customer has to do next",
        verb="/confirm",
        parameters=(_PAYMENT_METHOD, RETURN_URL, Parameter("use_stripe_sdk", Flag())),
    ),
    changed(
        "setup_intents.cancel",
        "/setup_intents/{setup_intent_id}/cancel",
        SETUP_INTENT,
        "that SetupIntent, canceled",
        verb="/cancel",
        done=Done("status", "canceled"),
        parameters=(Parameter("cancellation_reason", OneOf(("abandoned", "duplicate", "requested_by_customer"))),),
    ),
)
