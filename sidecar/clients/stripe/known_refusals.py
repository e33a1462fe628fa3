"""Refusals to which Stripe gives no code: our own sentence for each that is well known, found by Stripe's message.

The message itself is for nobody but the operator's log, since it can quote what others typed.
"""

import re
from dataclasses import dataclass

from sidecar.core.secret_values import ALL as SECRETS

MOST_READ = 1000  # characters of a message; looking through a long one would hold up everybody
_NAME = re.compile(r"[a-z][a-z_]{0,39}(\[[a-z_]{1,40}\])?")


@dataclass(frozen=True, slots=True)
class KnownRefusal:
    """`sentence` is for the caller. `operators`: only the operator can mend what it is about."""

    shape: re.Pattern[str]
    sentence: str
    operators: bool = False


def _known(shape: str, sentence: str, *, operators: bool = False) -> KnownRefusal:
    return KnownRefusal(re.compile(shape, re.IGNORECASE), sentence, operators)


_EXCLUSIVE = re.compile(r"may only specify one of these parameters: ([^.]{1,200})(\.|$)")
_KNOWN = (
    _known(
        r"default configuration has not been created|until you save your customer portal settings",
        "The customer portal has no configuration in this mode of the Stripe account. The operator of this service "
        "saves one in Stripe's dashboard: Settings, Billing, Customer portal.",
        operators=True,
    ),
    _known(
        r"you must set an account or business name",
        "Stripe's checkout needs the name of the business. The operator of this service sets it in Stripe's dashboard.",
        operators=True,
    ),
    _known(
        r"no valid payment method types",
        "No payment method is turned on for this currency. The operator of this service turns them on in Stripe's "
        "dashboard: Settings, Payment methods.",
        operators=True,
    ),
    _known(
        r"stripe tax has(n't| not) been activated|valid head office address",
        "Stripe Tax is not set up in this Stripe account. The operator of this service does so in Stripe's dashboard.",
        operators=True,
    ),
    _known(
        r"automatic tax calculation in checkout requires a valid address",
        "Taxes cannot be computed, since the customer has no valid address. Set the customer's address first.",
    ),
    _known(
        r"not attached to a customer so detachment is impossible",
        "This payment method is not a customer's, so it cannot be detached.",
    ),
    _known(
        r"was detached( from a customer)?,? and may not be used again",
        "This payment method was detached or used up, and cannot be used again. Save another one.",
    ),
    _known(
        r"canceled subscription can only update",
        "This subscription is canceled, and cannot be changed any more. Create another one.",
    ),
    _known(
        r"cannot combine currencies on a single customer",
        "This customer is billed in another currency, and Stripe allows one at a time. Choose a price in that one.",
    ),
    _known(
        r"only accepts active prices|price specified is inactive",
        "A price in this request is not active any more. Choose another one.",
    ),
    _known(
        r"only accepts .{0,20}type=recurring|you must provide at least one recurring price",
        "A price in this request is paid once, and a subscription needs one that recurs. Choose another price or mode.",
    ),
    _known(
        r"passed a recurring price|mode and the type of the prices do not fit",
        "The mode and a price in this request do not fit each other. Choose another price or mode.",
    ),
)


def known_refusal(message: object) -> KnownRefusal | None:
    """Find the refusal that a message of Stripe's is about; its sentence contains no word of the message but names."""
    if not isinstance(message, str):
        return None
    beginning = message[:MOST_READ]
    exclusive = _EXCLUSIVE.search(beginning)
    if exclusive is not None:
        return KnownRefusal(_EXCLUSIVE, _either(exclusive[1].split(",")))
    return next((known for known in _KNOWN if known.shape.search(beginning)), None)


def _either(names: list[str]) -> str:
    """Name parameters that exclude each other, by their own names alone."""
    stripped = [name.strip() for name in names]
    if all(_NAME.fullmatch(name) and not SECRETS.are_in(name) for name in stripped):
        return f"These parameters exclude each other: {', '.join(stripped)}. Send one of them."
    return "Some parameters of this request exclude each other. Send one of them."
