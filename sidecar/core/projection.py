"""Which attributes of a Stripe object a caller may see."""

# Whoever holds one can act on the payment (docs.stripe.com/api/payment_intents/object, client_secret).
SECRETS = frozenset({"client_secret"})


def without_secrets(value: object) -> object:
    """Copy a parsed Stripe answer without its secrets, at whatever depth they stand."""
    if isinstance(value, dict):
        return {name: without_secrets(member) for name, member in value.items() if name not in SECRETS}
    if isinstance(value, list):
        return [without_secrets(member) for member in value]
    return value
