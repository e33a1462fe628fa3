"""Structures of which the base shows some members: how a payment was made, and nothing else of the card's owner."""

from sidecar.core.views import View

CARD = {
    "brand": "visa",
    "last4": "4242",
    "exp_month": 8,
    "fingerprint": "Xt5EWLLDS7FJjR1c",
    "checks": {"cvc_check": "pass"},
    "wallet": {"type": "visa_checkout", "visa_checkout": {"email": "ada@example.com"}},
}
METHOD: dict[str, object] = {
    "id": "pm_1",
    "object": "payment_method",
    "type": "card",
    "card": CARD,
    "billing_details": {"email": "ada@example.com"},
}
CHARGE: dict[str, object] = {
    "id": "ch_1",
    "object": "charge",
    "receipt_url": "https://pay.stripe.com/receipts/1",
    "payment_method_details": {"type": "card", "card": CARD, "link": {"country": "DE"}},
}
SHOWN = {"brand": "visa", "last4": "4242", "exp_month": 8}


def test_a_payment_method_shows_which_card_it_is() -> None:
    """The base of a payment method has the card's brand and last digits, and nothing of its owner or its checks."""
    assert View().project(METHOD) == {"id": "pm_1", "object": "payment_method", "type": "card", "card": SHOWN}


def test_a_charge_shows_which_card_paid() -> None:
    """The base of a charge has the same of the card, at every depth, and the address of the receipt."""
    details = {"type": "card", "card": SHOWN}

    assert CHARGE | {"payment_method_details": details} == View().project(CHARGE)


def test_a_mapped_structure_is_whole() -> None:
    """A caller whose field maps to the structure sees all of it."""
    view = View(attributes=frozenset({"card"}))

    assert view.project(METHOD)["card"] == CARD


def test_a_structure_that_is_none() -> None:
    """A closed structure that is null, absent or of another type shows nothing else."""
    for odd in (None, "4242", ["4242"], 1):
        assert View().project({**METHOD, "card": odd})["card"] is None
    assert "sepa_debit" not in View().project(METHOD)
