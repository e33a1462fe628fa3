"""The questions that `check` asks Stripe: whether the key may read what the service reads."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import aiohttp

from sidecar import opening
from sidecar.clients.stripe.client import StripeClient
from sidecar.commands.check_account import account_line
from sidecar.commands.lines import Line, Word
from sidecar.core.operations.event_types import kind_of
from sidecar.core.operations.known_attributes import API_VERSION, is_same_release
from sidecar.core.operations.resources import CUSTOMER, PAYMENT_INTENT, RESOURCES, Resource
from sidecar.core.operations.row import Kind
from sidecar.errors import StripeFailure, StripeKeyRejected
from sidecar.settings import Settings

_KEY = "STRIPE_LIVE_SECRET_KEY"


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
            what = "PaymentIntents" if resource is PAYMENT_INTENT else f"{resource.kind.replace('_', ' ')}s"
            yield await _line(client, what, partial(client.probe, resource.path), _mode(settings))


def _version(version: str) -> Iterator[Line]:
    """Say if the version is another than the one with which attributes and their secrets were compared."""
    if version == API_VERSION:
        return
    about = f"STRIPE_API_VERSION is {version}, and this service was made for {API_VERSION}"
    if is_same_release(version):
        yield Line(Word.NOTE, f"{about}: the same release, in which Stripe only adds attributes")
    else:
        yield Line(Word.FAULT, f"{about}: in another release attributes have other names and meanings; leave it unset")


def _listed(settings: Settings) -> Iterator[Resource]:
    """Give the kinds of object that rules list or that events read. Other rights of the key show when they are used."""
    listed = [rule.operation.resource for rule in settings.rules if rule.operation.kind is Kind.LIST]
    read = [RESOURCES[kind] for rule in settings.event_rules if (kind := kind_of(rule.type)) is not None]
    asked = {resource.kind: resource for resource in (*listed, *read)}
    return (one for one in asked.values() if one is not CUSTOMER and one.dated)


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
