"""Stripe's rules for metadata, and the keys that are the service's own (docs.stripe.com/api/metadata)."""

from sidecar.core.operations.row import Operation

METADATA = "metadata"
MOST_KEYS = 50
LONGEST_KEY = 40  # characters
LONGEST_VALUE = 500  # characters
PROJECT, COLLECTION, ITEM = "directus_project", "directus_collection", "directus_item"  # of a customer's item
SIGNATURE = "directus_signature"
BOUGHT_PRICE, BOUGHT_QUANTITY = "price", "quantity"  # from which an amount was computed
_LINK = frozenset({PROJECT, COLLECTION, ITEM, SIGNATURE})
_BOUGHT = frozenset({BOUGHT_PRICE, BOUGHT_QUANTITY})


def own_keys(operation: Operation) -> frozenset[str]:
    """Name the keys that only the service writes; those by which a customer names its item are so everywhere."""
    return _LINK | _BOUGHT if any(parameter.ours for parameter in operation.parameters) else _LINK


def key_fault(key: str, operation: Operation) -> str | None:
    """Say why neither the operator nor a client may write this key; None for all others."""
    if key in own_keys(operation):
        return "is a key of the service's own"
    if not key or len(key) > LONGEST_KEY or "[" in key or "]" in key:
        return f"a key has 1 to {LONGEST_KEY} characters, and no square brackets"
    return None
