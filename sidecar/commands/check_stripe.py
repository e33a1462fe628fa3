"""The questions that `check` asks Stripe: whether the key may read what the service reads."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial

import aiohttp

from sidecar import opening
from sidecar.clients.lists.snapshots import ENTITLEMENTS
from sidecar.clients.stripe.client import StripeClient
from sidecar.commands.check_account import account_line
from sidecar.commands.lines import Line, Word
from sidecar.core.operations.event_types import kind_of
from sidecar.core.operations.known_attributes import API_VERSION, is_same_release
from sidecar.core.operations.resources import (
    CUSTOMER,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    RESOURCES,
    SUBSCRIPTION,
    Resource,
)
from sidecar.core.operations.row import CustomerParameter, Kind, Operation
from sidecar.core.status.sources import Origin
from sidecar.errors import StripeFailure, StripeKeyRejected
from sidecar.settings import Settings

_WORDS = str.maketrans("_.", "  ")
_KEY = "STRIPE_LIVE_SECRET_KEY"
_READ = {Origin.SUBSCRIPTION: (SUBSCRIPTION,), Origin.PAYMENT_METHOD: (SUBSCRIPTION, PAYMENT_METHOD)}


async def stripe_lines(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Line]:
    client = opening.stripe_client(settings, session)
    if settings.stripe_api_base != type(settings).model_fields["stripe_api_base"].default:
        yield Line(Word.NOTE, f"STRIPE_API_BASE is {settings.stripe_api_base}, which is not Stripe")
    for line in _version(settings.stripe_api_version):
        yield line
    if settings.stripe_account is not None:
        account = await account_line(client, settings.stripe_account)
        yield account
        if account.word is Word.FAULT:
            return
    customers = await _line(client, "customers", client.probe, _mode(settings))
    yield customers
    if customers.word is Word.OK:
        for resource in _listed(settings):
            what = "PaymentIntents" if resource is PAYMENT_INTENT else f"{resource.kind.translate(_WORDS)}s"
            yield await _line(client, what, partial(client.probe, resource.path), _mode(settings))
        if Origin.ENTITLEMENTS in settings.mirror.origins:
            yield await _entitlements_line(client, _mode(settings))


def _version(version: str) -> Iterator[Line]:
    """Say if the version is another than the one with which attributes and their secrets were compared."""
    if version == API_VERSION:
        return
    about = f"STRIPE_API_VERSION is {version}, and this service was made for {API_VERSION}"
    if is_same_release(version):
        yield Line(Word.NOTE, f"{about}: the same release, in which Stripe only adds attributes")
    else:
        yield Line(Word.FAULT, f"{about}: in another release attributes have other names and meanings; leave it unset")


def _listed(settings: Settings) -> Iterable[Resource]:
    """Give the kinds of object that rules list, that events read or that fields repeat.

    Other rights of the key show when they are used.
    """
    listed = [rule.operation.resource for rule in settings.rules if _is_of_account(rule.operation)]
    read = [RESOURCES[kind] for rule in settings.event_rules if (kind := kind_of(rule.type)) is not None]
    dated = [one for one in (*listed, *read) if one is not CUSTOMER and one.dated]
    repeated = [one for origin in sorted(settings.mirror.origins) for one in _READ.get(origin, ())]
    return {one.kind: one for one in (*dated, *repeated)}.values()


def _is_of_account(operation: Operation) -> bool:
    """Whether it lists objects without naming a customer, so that a look at the list tells of the key's right."""
    needs_customer = operation.customer is CustomerParameter.REQUIRED or bool(operation.at)
    return operation.kind is Kind.LIST and not needs_customer


async def _entitlements_line(client: StripeClient, mode: str) -> Line:
    """Ask for those of one customer, since Stripe lists no others."""
    asked: list[str] = []

    async def ask() -> None:
        for customer in (await client.page(CUSTOMER.path, {"limit": "1"})).data:
            asked.append(str(customer.get("id")))
            await client.page(ENTITLEMENTS, {"customer": asked[-1], "limit": "1"})

    line = await _line(client, "entitlements", ask, mode)
    if asked or line.word is not Word.OK:
        return line
    return Line(Word.NOTE, "whether the key may read entitlements cannot be tried in an account without customers")


def _mode(settings: Settings) -> str:
    return "live mode, real money" if settings.livemode else "test mode"


async def _line(client: StripeClient, what: str, ask: Callable[[], Awaitable[object]], mode: str) -> Line:
    try:
        await ask()
    except StripeKeyRejected:
        if client.key_rejected:
            return Line(Word.FAULT, f"Stripe does not accept the key ({mode}): set a valid one in {_KEY}")
        return Line(Word.FAULT, f"the key has no right to read {what} ({mode}): grant it in Stripe's dashboard")
    except StripeFailure as failure:
        return Line(
            Word.FAULT, f"Stripe gave no answer about {what} ({failure.detail or failure.code}): can it be reached?"
        )
    return Line(Word.OK, f"Stripe lets the key read {what} ({mode})")
