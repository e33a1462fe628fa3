"""The rights of a restricted key: one to read and one to write each kind of object (docs.stripe.com/keys)."""

from deploy.stripe_stand_in.errors import StripeError
from deploy.stripe_stand_in.kinds import Kind

_READING = {"list", "search", "retrieve", "create_preview"}
# The kinds whose right has another name than they have.
_NAMED = {
    "refund": "charge",
    "price": "plan",
    "checkout.session": "checkout_session",
    "billing_portal.session": "customer_portal",
}


def right_for(kind: Kind, call: str) -> str:
    """Name the right that a call needs, such as `rak_customer_write`."""
    return f"rak_{_NAMED.get(kind.name, kind.name)}_{'read' if call in _READING else 'write'}"


def require_right(rights: frozenset[str] | None, right: str, key: str) -> None:
    """Raise StripeError unless the key has this right, or is not restricted; who may write may also read."""
    if rights is None or not {right, right.replace("_read", "_write")}.isdisjoint(rights):
        return
    shown = f"{key[:8]}{'*' * 20}{key[-6:]}"
    raise StripeError(
        403,
        f"The provided key '{shown}' does not have the required permissions for this endpoint on account "
        f"'acct_test'. Having the '{right}' permission would allow this request to continue.",
    )
