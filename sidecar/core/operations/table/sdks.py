"""What Stripe's SDKs need to show a customer what it has saved with Stripe."""

from sidecar.core.operations.parameters import Flag, Group, Number, OneOf, Parameter, Several
from sidecar.core.operations.resources import CUSTOMER_SESSION, EPHEMERAL_KEY
from sidecar.core.operations.row import CustomerParameter
from sidecar.core.operations.shared_parameters import USAGE
from sidecar.core.operations.table.rows import created

_SWITCH = OneOf(("enabled", "disabled"))
_REDISPLAY = OneOf(("always", "limited", "unspecified"))
_SHOWN_AGAIN = Parameter("payment_method_allow_redisplay_filters", Several(_REDISPLAY, 3))
_REDISPLAYED = Parameter("payment_method_redisplay", _SWITCH)
_REMOVED = Parameter("payment_method_remove", _SWITCH)
_SAVED = Parameter("payment_method_save", _SWITCH)


def _component(name: str, *features: Parameter) -> Parameter:
    more = (Parameter("features", Group(features)),) if features else ()
    return Parameter(name, Group((Parameter("enabled", Flag(), required=True), *more)))


# docs.stripe.com/api/customer_sessions/create
_COMPONENTS = (
    _component(
        "payment_element",
        _SHOWN_AGAIN,
        _REDISPLAYED,
        Parameter("payment_method_redisplay_limit", Number(1, 10)),
        _REMOVED,
        _SAVED,
        Parameter("payment_method_save_usage", USAGE),
    ),
    _component(
        "mobile_payment_element",
        _SHOWN_AGAIN,
        _REDISPLAYED,
        _REMOVED,
        _SAVED,
        Parameter("payment_method_save_allow_redisplay_override", _REDISPLAY),
    ),
    _component("customer_sheet", _SHOWN_AGAIN, _REMOVED),
    _component("pricing_table"),
    _component("buy_button"),
)

SDKS = (
    created(
        "customer_sessions.create",
        "/customer_sessions",
        CUSTOMER_SESSION,
        "the session by whose `client_secret` Stripe's SDK shows the customer its saved payment methods",
        customer=CustomerParameter.REQUIRED,
        for_secret=True,
        parameters=(
            Parameter("components", Group(_COMPONENTS, any_of=tuple(each.name for each in _COMPONENTS)), required=True),
        ),
    ),
    created(
        "ephemeral_keys.create",
        "/ephemeral_keys",
        EPHEMERAL_KEY,
        "a key for an hour, by whose `secret` Stripe's mobile SDK acts for the customer",
        customer=CustomerParameter.REQUIRED,
        for_secret=True,
        sdk_version=True,
    ),
)
