"""An account as a small studio has it: customers, payments that ended in every way, subscriptions and invoices."""

from datetime import UTC, datetime, timedelta

from deploy.stripe_stand_in.errors import Object
from tests.e2e.site import Site

BEGUN = datetime(2026, 3, 2, 10, tzinfo=UTC)
PEOPLE = ("Katherine Johnson", "Alan Turing", "Grace Hopper", "Ada Lovelace")
FAULT = "Your card has insufficient funds."
BOUGHT = (
    (12900, "eur", "succeeded", "Workshop ticket", 0),
    (1800, "usd", "canceled", "Sticker set", None),
    (4900, "eur", "succeeded", "Studio, April", 0),
    (6400, "jpy", "succeeded", "Print, A3", 0),
    (25000, "eur", "requires_capture", "Room for two days", 0),
    (990, "eur", "succeeded", "Postcards", 990),
    (4900, "eur", "succeeded", "Studio, May", 0),
    (7700, "gbp", "processing", "Bank debit", None),
    (12900, "eur", "requires_payment_method", "Workshop ticket", 0),
    (4900, "eur", "succeeded", "Studio, June", 2450),
    (3250, "usd", "requires_action", "Poster", None),
    (1200, "eur", "succeeded", "Postcards", 0),
)


def furnish(site: Site) -> None:
    """Fill the empty account. The fifth value of BOUGHT is what was refunded; None is a payment without a charge."""
    for number, name in enumerate(PEOPLE):
        first, _, last = name.lower().partition(" ")
        joined = _day(9 * number)
        email, phone = f"{first}@{last}.example.com", f"+44 20 7946 0{number}18"
        site.stripe.add_customer(name=name, email=email, phone=phone, created=joined)
    ids = [customer["id"] for customer in site.stripe.customers]
    for number, (amount, currency, status, description, refunded) in enumerate(BOUGHT):
        facts = {"amount": amount, "currency": currency, "status": status, "description": description}
        facts |= {"customer": ids[number % 7 % len(ids)], "created": _day(40 + 5 * number)}
        payment = site.stripe.add_payment(**facts)
        if refunded is not None:
            _charge(site, payment, refunded)
    for number, customer in enumerate(ids[:3]):
        _subscribe(site, customer, _day(30 + 11 * number), "active" if number else "past_due")


def _day(number: int) -> int:
    return int((BEGUN + timedelta(days=number)).timestamp())


def _charge(site: Site, payment: Object, refunded: int) -> None:
    failed = payment["status"] == "requires_payment_method"
    failure = {"status": "failed", "paid": False, "failure_message": FAULT} if failed else {"status": "succeeded"}
    of = {name: payment[name] for name in ("amount", "currency", "customer", "description", "created")}
    back = {"amount_refunded": refunded, "refunded": refunded == payment["amount"]}
    site.stripe.add("charge", payment_intent=payment["id"], **of, **back, **failure)


def _subscribe(site: Site, customer: str, begun: int, status: str) -> None:
    made = site.stripe.add("subscription", customer=customer, status=status, created=begun, start_date=begun)
    made |= {"currency": "eur", "ended_at": None}
    for item in made["items"]["data"]:
        item["price"] |= {"unit_amount": 4900, "currency": "eur", "nickname": "Studio"}
        item |= {"current_period_start": begun, "current_period_end": begun + 30 * 86_400}
    bill = {"customer": customer, "currency": "eur", "total": 4900, "created": begun}
    paid = {"status": "paid", "amount_paid": 4900, "amount_remaining": 0} if status == "active" else {"status": "open"}
    site.stripe.add("invoice", number=f"STUDIO-{made['id'][-4:]}", **bill, **paid)
