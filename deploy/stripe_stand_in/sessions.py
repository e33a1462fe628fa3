"""What is made for one visit: sessions of Checkout and of the billing portal, and what Stripe's SDKs get.

The sources are docs.stripe.com/api: checkout/sessions, customer_portal/sessions, ephemeral_keys, customer_sessions.
"""

from deploy.stripe_stand_in.account import SHAPES, Account
from deploy.stripe_stand_in.billing import total_of
from deploy.stripe_stand_in.errors import Object, StripeError, missing_parameter, require

_HOUR, _DAY = 3_600, 86_400  # seconds
_HOSTED = "hosted_page"
_EXCLUSIVE = (
    ("customer", "customer_creation"),
    ("customer", "customer_email"),
    ("allow_promotion_codes", "discounts"),
)
_WITHIN = ("embedded_page", "elements")  # the shop's own page
_URLS = {
    "hosted_page": ({"success_url"}, {"return_url", "redirect_on_completion"}),
    "embedded_page": (set[str](), {"success_url", "cancel_url"}),
    "elements": ({"return_url"}, {"success_url", "cancel_url", "redirect_on_completion"}),
}
_NO_ADDRESSES = dict.fromkeys(("success_url", "cancel_url", "return_url"))
_NO_PORTAL = (
    "No configuration provided and your test mode default configuration has not been created. Provide a configuration "
    "or create your default by saving your customer portal settings in test mode at "
    "https://dashboard.stripe.com/test/settings/billing/portal."
)


def create_checkout(account: Account, values: Object) -> Object:
    require(values, "mode")
    mode = values.get("ui_mode", _HOSTED)
    _check_addresses(mode, values)
    _check_exclusions(values)
    session_id = account.new_id("checkout.session")
    within = mode in _WITHIN
    return {
        **_NO_ADDRESSES,
        **values,
        **(_setup(values) if values["mode"] == "setup" else _priced(account, values)),
        "id": session_id,
        "ui_mode": mode,
        "expires_at": account.making.now() + _DAY,
        "url": None if within else f"https://checkout.stripe.com/c/pay/{session_id}",
        **({"client_secret": session_id + account.making.secret()} if within else {}),
    }


def _check_addresses(mode: str, values: Object) -> None:
    """Raise StripeError for an address that is missing in this `ui_mode`, or that it does not take."""
    if mode not in _URLS:
        raise StripeError(400, "Hosted pages, embedded pages and elements are supported here.", param="ui_mode")
    needed, refused = _URLS[mode]
    never = mode == "embedded_page" and values.get("redirect_on_completion") == "never"
    if mode == "embedded_page" and never == ("return_url" in values):
        raise StripeError(400, "`return_url` goes with every redirect_on_completion but `never`.", param="return_url")
    require(values, *sorted(needed))
    for name in sorted(refused & values.keys()):
        raise StripeError(400, f"`{name}` cannot be set when `ui_mode` is `{mode}`.", param=name)


def _check_exclusions(values: Object) -> None:
    for names in _EXCLUSIVE:
        if values.keys() >= set(names):
            raise StripeError(400, f"You may only specify one of these parameters: {', '.join(names)}.")
    if "customer_update" in values and "customer" not in values:
        raise StripeError(400, "`customer_update` can only be used with `customer`.", param="customer_update")


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


def expire(_: Account, session: Object, __: Object) -> Object:
    if session["status"] != "open":
        raise StripeError(400, 'Only Checkout Sessions with a status in ["open"] can be expired.')
    session |= {"status": "expired", "url": None}
    return session


def create_key(account: Account, values: Object) -> Object:
    """Make a key for an hour. The server has looked whether an SDK's version of the API was asked for."""
    require(values, "customer")
    return {
        "associated_objects": [{"type": "customer", "id": values["customer"]}],
        "expires": account.making.now() + _HOUR,
        "secret": f"ek_test_{account.making.token(60)}",
    }


def create_customer_session(account: Account, values: Object) -> Object:
    require(values, "customer", "components")
    unset = {name: {"enabled": False} for name in SHAPES["customer_session"]["components"]}
    return {
        **values,
        "components": {**unset, **values["components"]},
        "expires_at": account.making.now() + _HOUR,
        "client_secret": f"cuss_secret_{account.making.token(60)}",
    }
