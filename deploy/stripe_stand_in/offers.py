"""Promotion codes and payment links, by docs.stripe.com/api: promotion_codes, payment_links."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.billing import total_of
from deploy.stripe_stand_in.errors import Object, StripeError


def create_code(account: Account, values: Object) -> Object:
    """Make a code for a coupon; no two active ones are the same."""
    account.find("coupon", values["promotion"].get("coupon"), "promotion[coupon]")
    code = values.get("code") or account.making.token(8).upper()
    if any(each["active"] and each["code"].lower() == code.lower() for each in account.objects["promotion_code"]):
        raise StripeError(400, f"An active promotion code with `code: {code}` already exists.", param="code")
    return {**values, "code": code}


def create_link(account: Account, values: Object) -> Object:
    _, currency = total_of(account, values["line_items"])
    return {"currency": currency, "url": f"https://buy.stripe.com/test_{account.making.token(18)}"}
