"""What of a card or a bank account lets its owner tell it from another one, and lets nobody pay with it.

Stripe gives more, such as fingerprints and a wallet's addresses (docs.stripe.com/api/payment_methods/object).
"""

from sidecar.core.operations.attributes import Attribute, closed

_CARD = Attribute("card", closed(text="brand country funding last4", integer="exp_month exp_year"))
_ACCOUNTS = {
    "acss_debit": "bank_name last4",
    "au_becs_debit": "bsb_number last4",
    "bacs_debit": "last4 sort_code",
    "sepa_debit": "bank_code country last4",
    "us_bank_account": "account_type bank_name last4",
}
_BANKS = tuple(Attribute(kind, closed(text=names)) for kind, names in _ACCOUNTS.items())

MEANS = (_CARD, *_BANKS)
CHARGED = Attribute("payment_method_details", closed(_CARD, *_BANKS, text="type"))
