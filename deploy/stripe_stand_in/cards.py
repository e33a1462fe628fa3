"""Test cards, by docs.stripe.com/testing: what the bank of each one says."""

from enum import Enum, auto


class Bank(Enum):
    PAYS = auto()
    ASKS = auto()  # for 3-D Secure, each time
    DECLINES = auto()
    DISPUTES = auto()  # what it has paid, at once


_CARDS = {
    "visa": Bank.PAYS,
    "threeDSecure2Required": Bank.ASKS,
    "authenticationRequired": Bank.ASKS,
    "visa_chargeDeclined": Bank.DECLINES,
    "createDispute": Bank.DISPUTES,
}
TOKENS = {f"tok_{name}": bank for name, bank in _CARDS.items()}  # of each a payment method can be made
METHODS = {f"pm_card_{name}": bank for name, bank in _CARDS.items()}  # each stands for a new payment method
