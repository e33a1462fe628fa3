"""Sessions of Checkout and of the billing portal: objects with the `url` of a page at Stripe for a browser.

The sources are docs.stripe.com/api/checkout/sessions/create and docs.stripe.com/api/customer_portal/sessions/create.
"""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.billing import total_of
from deploy.stripe_stand_in.errors import Object, StripeError, missing_parameter, require

_DAY = 86_400
_HOSTED = "hosted_page"
_EXCLUSIVE = (
    ("customer", "customer_creation"),
    ("customer", "customer_email"),
    ("allow_promotion_codes", "discounts"),
)
_NO_PORTAL = (
    "No configuration provided and your test mode default configuration has not been created. Provide a configuration "
    "or create your default by saving your customer portal settings in test mode at "
    "https://dashboard.stripe.com/test/settings/billing/portal."
)


def create_checkout(account: Account, values: Object) -> Object:
    require(values, "mode")
    if values.get("ui_mode", _HOSTED) != _HOSTED:
        raise StripeError(400, "Only hosted pages are supported here.", param="ui_mode")
    require(values, "success_url")
    for names in _EXCLUSIVE:
        if values.keys() >= set(names):
            raise StripeError(400, f"You may only specify one of these parameters: {', '.join(names)}.")
    if "customer_update" in values and "customer" not in values:
        raise StripeError(400, "`customer_update` can only be used with `customer`.", param="customer_update")
    session_id = account.new_id("checkout.session")
    return {
        **values,
        **(_setup(values) if values["mode"] == "setup" else _priced(account, values)),
        "id": session_id,
        "expires_at": account.making.now() + _DAY,
        "url": f"https://checkout.stripe.com/c/pay/{session_id}",
    }


def _setup(values: Object) -> Object:
    if "line_items" in values:
        raise StripeError(400, "`line_items` are not allowed in `setup` mode.", param="line_items")
    require(values, "currency")
    return {"payment_status": "no_payment_required"}


def _priced(account: Account, values: Object) -> Object:
    """Add up the prices. Raises StripeError if a price does not fit the mode."""
    require(values, "line_items")
    items, mode = values["line_items"], values["mode"]
    for index, item in enumerate(items):
        if "price" not in item:
            raise missing_parameter(f"line_items[{index}][price]")
    kinds = [account.find("price", item["price"], "line_items")["type"] for item in items]
    if ("recurring" in kinds) != (mode == "subscription"):
        raise StripeError(400, f"`{mode}` mode and the type of the prices do not fit each other.", param="mode")
    total, currency = total_of(account, items)
    if values.get("currency", currency) != currency:
        raise StripeError(400, f"The price is not available in {values['currency']}.", param="currency")
    return {"amount_total": total, "amount_subtotal": total, "currency": currency}


def create_portal(account: Account, values: Object) -> Object:
    require(values, "customer")
    if not account.portal_saved and "configuration" not in values:
        raise StripeError(400, _NO_PORTAL)
    return {**values, "url": f"https://billing.stripe.com/p/session/test_{account.making.token(24)}"}
