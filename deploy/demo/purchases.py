"""What the demo's customers have bought at Stripe: payments that ended in every way, and subscriptions.

The cards are Stripe's own for tests (docs.stripe.com/testing), so all of this works with Stripe's test mode too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

_REFUSED_BY_THE_BANK = 402
_PAYS, _DECLINED = "pm_card_visa", "pm_card_visa_chargeDeclined"
_NO_REDIRECTS = {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}
_MONTHLY = {"unit_amount": "4900", "currency": "eur", "recurring[interval]": "month", "nickname": "Studio"}
_TRIAL = {"trial_period_days": "14"}

Ending = Literal["paid", "declined", "held", "not tried"]
Plan = Literal["paid", "trial"]


@dataclass(frozen=True, slots=True)
class Payment:
    """`amount` and what was `refunded` of it are in the currency's smallest unit."""

    amount: int
    description: str
    ending: Ending = "paid"
    refunded: int = 0
    currency: str = "eur"


@dataclass(frozen=True, slots=True)
class Purchases:
    """`plan`: how the customer subscribes, if it does. A paid plan is one more payment."""

    payments: Sequence[Payment] = ()
    plan: Plan | None = None


async def offer(session: aiohttp.ClientSession) -> str:
    """Make what can be subscribed to; give the price's ID."""
    product = await _post(session, "products", {"name": "Studio"})
    price = await _post(session, "prices", {**_MONTHLY, "product": product["id"]})
    return str(price["id"])


async def buy(session: aiohttp.ClientSession, customer: str, purchases: Purchases, price: str) -> None:
    """Make a customer's payments and subscription. Raises aiohttp.ClientError."""
    if purchases.plan:
        await _subscribe(session, customer, purchases.plan, price)
    for payment in purchases.payments:
        await _pay(session, customer, payment)


async def _pay(session: aiohttp.ClientSession, customer: str, payment: Payment) -> None:
    new = {"customer": customer, "amount": str(payment.amount), "currency": payment.currency}
    made = await _post(
        session, "payment_intents", {**new, "description": payment.description, **_confirmed(payment.ending)}
    )
    if payment.refunded:
        await _post(session, "refunds", {"payment_intent": made["id"], "amount": str(payment.refunded)})


def _confirmed(ending: Ending) -> Mapping[str, str]:
    if ending == "not tried":
        return {}
    card = _DECLINED if ending == "declined" else _PAYS
    held = {"capture_method": "manual"} if ending == "held" else {}
    return {"confirm": "true", "payment_method": card, **_NO_REDIRECTS, **held}


async def _subscribe(session: aiohttp.ClientSession, customer: str, plan: Plan, price: str) -> None:
    method = await _post(session, f"payment_methods/{_PAYS}/attach", {"customer": customer})
    terms = _TRIAL if plan == "trial" else {}
    new = {"customer": customer, "items[0][price]": price, "default_payment_method": method["id"]}
    await _post(session, "subscriptions", {**new, **terms})


async def _post(session: aiohttp.ClientSession, path: str, form: Mapping[str, str]) -> dict[str, Any]:
    async with session.post(f"/v1/{path}", data=form) as answer:
        if answer.status != _REFUSED_BY_THE_BANK:
            answer.raise_for_status()
        made: dict[str, Any] = await answer.json()
        return made
