"""Parameters that several rows of the table share, with Stripe's names and lengths."""

from sidecar.core.operations.parameters import (
    MOST_AMOUNT,
    MOST_QUANTITY,
    Email,
    Flag,
    Group,
    Number,
    OneOf,
    Parameter,
    Pattern,
    Reference,
    ReturnUrl,
    Several,
    Text,
)
from sidecar.core.operations.resources import PAYMENT_METHOD, PRICE, SUBSCRIPTION_ITEM

_MOST_LINES = 100  # of a checkout (docs.stripe.com/api/checkout/sessions/create); of a subscription Stripe takes fewer
_COUNTRY = Pattern("[A-Z]{2}", "a country's code of two capital letters")
_LANGUAGES = "a language, such as en or de-AT"
_LANGUAGE = "[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"

ADDRESS = Group(
    (
        *(Parameter(name, Text()) for name in ("line1", "line2", "city", "state", "postal_code")),
        Parameter("country", _COUNTRY, clearable=True),
    )
)


def customer_attributes(*, email_required: bool) -> tuple[Parameter, ...]:
    """Give the attributes of a customer that may be set (docs.stripe.com/api/customers/create)."""
    return (
        Parameter("email", Email(), required=email_required, clearable=True),
        Parameter("name", Text(256)),
        Parameter("phone", Text(20)),
        Parameter("description", Text()),
        Parameter("address", ADDRESS, clearable=True),
        Parameter("preferred_locales", Several(Pattern(_LANGUAGE, _LANGUAGES), 20), clearable=True),
    )


AMOUNT = Parameter("amount", Number(1, MOST_AMOUNT), amount=True)
CURRENCY = Pattern("[a-z]{3}", "a currency's code of three small letters")
DEFAULT_PAYMENT_METHOD = Parameter("default_payment_method", Reference(PAYMENT_METHOD), clearable=True)
LOCALE = Parameter("locale", Pattern(f"auto|{_LANGUAGE}", f"auto or {_LANGUAGES}"))
QUANTITY = Parameter("quantity", Number(0, MOST_QUANTITY))
RETURN_URL = Parameter("return_url", ReturnUrl())
USAGE = OneOf(("on_session", "off_session"))
AUTOMATIC_PAYMENT_METHODS = Parameter(
    "automatic_payment_methods",
    Group((Parameter("enabled", Flag(), required=True), Parameter("allow_redirects", OneOf(("always", "never"))))),
)
CAPTURE_METHOD = Parameter("capture_method", OneOf(("automatic", "automatic_async", "manual")))
# How a payment is confirmed (docs.stripe.com/api/payment_intents/confirm); `return_url` is for a bank's page.
CONFIRMATION = (
    RETURN_URL,
    Parameter("off_session", Flag()),
    Parameter("error_on_requires_action", Flag()),
    Parameter("use_stripe_sdk", Flag()),
)
PAYMENT_BEHAVIOR = Parameter(
    "payment_behavior",
    OneOf(("default_incomplete", "error_if_incomplete", "allow_incomplete", "pending_if_incomplete")),
)
PAYMENT_SETTINGS = Parameter(
    "payment_settings",
    Group((Parameter("save_default_payment_method", OneOf(("on_subscription", "off"))),)),
)

LINE_ITEMS = Several(Group((Parameter("price", Reference(PRICE), required=True), QUANTITY)), _MOST_LINES)
CHANGED_ITEMS = Several(
    Group(
        (
            Parameter("id", Reference(SUBSCRIPTION_ITEM)),
            Parameter("price", Reference(PRICE)),
            QUANTITY,
            Parameter("deleted", Flag()),
        ),
        any_of=("id", "price"),
    ),
    _MOST_LINES,
)
