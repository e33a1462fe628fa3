"""Whether the customers that items name live in this Stripe account, by a sample of the items.

The oldest and the newest items are looked at: those of before the key went live, and those of a restored database.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import aiohttp

from sidecar import opening
from sidecar.clients.directus.service_items import DirectusItemLists
from sidecar.clients.stripe.errors import OF_MODE
from sidecar.commands.lines import Line, Word
from sidecar.core.flows.customer_state import CustomerState, find_customer, state_of
from sidecar.core.interfaces import StripeObjects
from sidecar.core.operations.resources import CUSTOMER, is_customer_id
from sidecar.errors import DirectusUnavailable, ItemRefused, StripeFailure, StripeRejected
from sidecar.settings import Settings

_OF_EACH = 10  # oldest and newest items; each costs a call to Stripe
_MOST_NAMED = 5
_ASKED_AGAIN = 3  # of the unknown customers, for the mode in which they live


async def customer_lines(
    settings: Settings, to_directus: aiohttp.ClientSession, to_stripe: aiohttp.ClientSession
) -> AsyncIterator[Line]:
    """Say nothing without a service token, and where a side gives no answer, which other lines say."""
    service = opening.service_credential(settings)
    if service is None:
        return
    client = opening.directus_client(settings, to_directus)
    items = DirectusItemLists(client, service, collection=settings.customers_collection)
    stripe = opening.stripe_client(settings, to_stripe)
    try:
        sample = await items.ends(_OF_EACH)
        states = await _states(sample, stripe)
        unknown = [sample[item] for item, state in states.items() if state is CustomerState.UNKNOWN]
        mode = await _mode_of(unknown, stripe)
    except (DirectusUnavailable, ItemRefused, StripeFailure):
        return
    for line in _lines(settings, sample, states, mode):
        yield line


async def _mode_of(unknown: Sequence[str], stripe: StripeObjects) -> str | None:
    """Give the mode in which Stripe says that it has one of these customers; None where it says nothing of that."""
    for customer in [each for each in unknown if is_customer_id(each)][:_ASKED_AGAIN]:
        try:
            await stripe.retrieve(CUSTOMER.path, customer)
        except StripeRejected as rejected:
            if (rejected.detail or "").startswith(OF_MODE):
                return str(rejected.detail).removeprefix(OF_MODE)
    return None


async def _states(sample: Mapping[str, str], stripe: StripeObjects) -> dict[str, CustomerState]:
    """Give the state of each item's customer; a text that is no customer's ID is not sent to Stripe."""
    found: dict[str, CustomerState] = {}
    for item, customer in sample.items():
        known = await find_customer(stripe, customer) if is_customer_id(customer) else None
        found[item] = state_of(known)
    return found


def _lines(
    settings: Settings, sample: Mapping[str, str], states: Mapping[str, CustomerState], mode: str | None
) -> Iterator[Line]:
    collection, field = settings.stripe_customers_collection, settings.stripe_customer_id_field
    if not sample:
        yield Line(Word.OK, f"no item of {collection} names a customer yet")
        return
    items = f"{len(sample)} items of {collection} that were looked at"
    unknown = [item for item, state in states.items() if state is CustomerState.UNKNOWN]
    deleted = [item for item, state in states.items() if state is CustomerState.DELETED]
    if unknown and mode is not None:
        ours = "live" if settings.livemode else "test"
        yield Line(
            Word.FAULT,
            f"{len(unknown)} of {items} name customers of {mode} mode ({_named(unknown, sample)}), and the key is one "
            f"of {ours} mode: set STRIPE_LIVE_SECRET_KEY to the account's key of {mode} mode, or use this key with a "
            "database of its own",
        )
    elif unknown:
        yield Line(
            Word.FAULT,
            f"{len(unknown)} of {items} name customers that this Stripe account does not have "
            f"({_named(unknown, sample)}): set STRIPE_LIVE_SECRET_KEY to a key of the account and mode that has them, "
            f"or empty {field} in these items, and create their next customers. `reconcile` names all such items",
        )
    if deleted:
        yield Line(
            Word.NOTE,
            f"{len(deleted)} of {items} name customers that were deleted at Stripe ({_named(deleted, sample)}): empty "
            f"{field} there, and create their next customers. `reconcile` names all such items; Stripe's events "
            "(STRIPE_WEBHOOK_SECRET) empty the field from then on",
        )
    if not unknown and not deleted:
        yield Line(Word.OK, f"the customers that are named by {items} are alive at Stripe")


def _named(items: Sequence[str], sample: Mapping[str, str]) -> str:
    """Name some of the items with their customers, and escape texts that are no customer's ID."""
    shown = [f"item {ascii(item)[1:-1]}: {_shown(sample[item])}" for item in items[:_MOST_NAMED]]
    left = len(items) - len(shown)
    return ", ".join([*shown, f"and {left} more"] if left else shown)


def _shown(customer: str) -> str:
    return customer if is_customer_id(customer) else "no customer's ID"
