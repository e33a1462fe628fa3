"""Sessions of Checkout and of the billing portal: objects with a `url` at Stripe to send a browser to."""

from localstripe.resources import Customer, StripeObject, random_id

from deploy.demo.emulated.billing import Price
from deploy.demo.emulated.endpoint import Thing, Value, endpoint, keep, missing, referred, refused, take

_MODES = {"payment", "subscription", "setup"}
_DAY = 86_400
_GIVEN = """allow_promotion_codes cancel_url client_reference_id currency customer customer_email locale metadata mode
    success_url"""
_PORTAL = "configuration customer locale return_url"


class CheckoutSession(StripeObject):  # type: ignore[misc]  # localstripe has no types
    object = "checkout.session"
    _id_prefix = "cs_test_"


class PortalSession(StripeObject):  # type: ignore[misc]  # localstripe has no types
    object = "billing_portal.session"
    _id_prefix = "bps_"


def _create_checkout(line_items: list[dict[str, str]] | None = None, **values: Value) -> Thing:
    given = take(values, _GIVEN)
    mode = given["mode"]
    for name in ("mode", "success_url"):
        if not given[name]:
            raise missing(name)
    if mode not in _MODES or (line_items is None) != (mode == "setup"):
        raise refused("`mode` and `line_items` do not fit each other.", param="mode")
    if given["customer"] is not None:
        referred(Customer, given["customer"], "customer")
    total, currency = _total(line_items or [], mode)
    session = keep(CheckoutSession(), {**given, "currency": given["currency"] or currency, "amount_total": total})
    return keep(
        session,
        {
            "amount_subtotal": total,
            "expires_at": session.created + _DAY,
            "payment_intent": None,
            "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
            "status": "open",
            "subscription": None,
            "url": f"https://checkout.stripe.com/c/pay/{session.id}",
        },
    )


def _total(line_items: list[dict[str, str]], mode: str) -> tuple[int | None, str | None]:
    """Add up the line items and give their currency. Raises UserError for a price that the mode does not sell."""
    total, currency = 0, None
    for number, item in enumerate(line_items):
        price = referred(Price, item.get("price"), f"line_items[{number}][price]")
        if price.type == "recurring" and mode != "subscription":
            raise refused(f"You specified `{mode}` mode but passed a recurring price.", param=f"line_items[{number}]")
        total, currency = total + price.unit_amount * int(item.get("quantity", "1")), price.currency
    return (total, currency) if line_items else (None, None)


def _create_portal(**values: Value) -> Thing:
    given = take(values, _PORTAL)
    if not given["customer"]:
        raise missing("customer")
    referred(Customer, given["customer"], "customer")
    url = f"https://billing.stripe.com/p/session/test_{random_id(24)}"
    return keep(PortalSession(), {**given, "flow": None, "on_behalf_of": None, "url": url})


ENDPOINTS = (
    endpoint("POST", "/v1/checkout/sessions", _create_checkout, f"line_items {_GIVEN}"),
    endpoint("POST", "/v1/billing_portal/sessions", _create_portal, _PORTAL),
)
