"""Makes the clients of Directus and Stripe from the settings: the same ones for the service and for each command.

What a command sees is therefore what the service will see. Nothing here knows the web.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial

import aiohttp
from pydantic import SecretStr

from sidecar.clients.changes import Alone, Changes
from sidecar.clients.directus.change_feed import ChangeFeed, Pace
from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.items import DirectusItems
from sidecar.clients.directus.line import LASTING, Line
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.directus.project import DirectusProject, NamedProject
from sidecar.clients.directus.service_items import DirectusLinkedItems
from sidecar.clients.http import open_session
from sidecar.clients.lists.account_customers import created_lately
from sidecar.clients.lists.shapes import LocalShapes, Shapes
from sidecar.clients.redis.budgets import SharedBudgets
from sidecar.clients.redis.changes import SharedChanges
from sidecar.clients.redis.commands import Commands, connected
from sidecar.clients.redis.connection import Client, open_client
from sidecar.clients.redis.names import Names, Space
from sidecar.clients.redis.shapes import SharedShapes
from sidecar.clients.redis.sharing import ReplicaSet, Sharing
from sidecar.clients.stripe.budgets import LocalBudgets
from sidecar.clients.stripe.client import StripeClient
from sidecar.clients.stripe.governor import Governor
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.flows.write_back import WriteBack
from sidecar.core.interfaces import Project, StripeReads
from sidecar.metrics import Metrics
from sidecar.settings import Settings
from sidecar.settings.redis_address import redis_address

_UNHURRIED = 10.0  # calls a second of one-off commands
_IDLE = 4.0  # seconds; Node closes idle connections after 5, and a SEARCH that meets the close is not sent again


def service_credential(settings: Settings) -> Credential | None:
    token = settings.directus_service_token
    return None if token is None else Credential(token.get_secret_value(), Source.SERVICE, None)


def directus_session(settings: Settings) -> aiohttp.ClientSession:
    """Open a command's session, with one connection and no request longer than anybody waits for it."""
    return open_session(
        total=settings.directus_timeout, connect=settings.directus_connect_timeout, connections=1, idle=_IDLE
    )


def lasting_directus_session(settings: Settings) -> aiohttp.ClientSession:
    """Open the service's session, in which a request may last after its budget."""
    return open_session(
        total=LASTING * settings.directus_timeout,
        connect=settings.directus_connect_timeout,
        connections=settings.directus_max_concurrent,
        idle=_IDLE,
    )


def feed_session(settings: Settings) -> aiohttp.ClientSession:
    """Open the session of the change feed, whose one connection has no end."""
    return open_session(total=None, connect=settings.directus_connect_timeout, connections=1)


def change_feed(
    settings: Settings,
    session: aiohttp.ClientSession,
    purge: Callable[[str], None],
    metrics: Metrics,
    *,
    forget_user: Callable[[str], None],
    pace: Pace | None = None,
) -> ChangeFeed:
    token = settings.directus_service_token
    assert token is not None  # noqa: S101 - the settings are refused without it
    url = f"{settings.directus_url}{settings.websockets_rest_path}"
    cookie = settings.session_cookie_name
    return ChangeFeed(
        session,
        url,
        token.get_secret_value(),
        purge,
        metrics,
        forget_user=forget_user,
        cookie=cookie,
        pace=pace or Pace(),
    )


def directus_client(
    settings: Settings, session: aiohttp.ClientSession, metrics: Metrics | None = None, *, places: int = 1
) -> DirectusClient:
    """Make the client; `places` is how many requests it sends at once, at most the connections of the session."""
    return DirectusClient(
        session,
        settings.directus_url,
        address_header=settings.address_header,
        line=Line(places, settings.directus_timeout, metrics),
        metrics=metrics,
    )


def project(settings: Settings, client: DirectusClient) -> Project:
    return DirectusProject(client) if settings.directus_project is None else NamedProject(settings.directus_project)


def revealed(secrets: Sequence[SecretStr] | None) -> tuple[str, ...]:
    """Give the values of a setting that names several secrets, in its order."""
    return tuple(secret.get_secret_value() for secret in secrets or ())


def write_back(settings: Settings, client: DirectusClient, stripe: StripeReads) -> WriteBack:
    items = DirectusItems(client, collection=settings.customers_collection, claim_timeout=settings.write_back_timeout)
    return WriteBack(
        items=items,
        project=project(settings, client),
        secrets=revealed(settings.sidecar_secret),
        collection=settings.stripe_customers_collection,
        service=service_credential(settings),
        field_map=settings.field_map,
        created_lately=partial(created_lately, stripe),
    )


def linked_items(settings: Settings, client: DirectusClient) -> DirectusLinkedItems:
    """Make what reads and changes items as the service, which the settings must name."""
    service = service_credential(settings)
    assert service is not None  # noqa: S101 - whoever asks has looked
    return DirectusLinkedItems(
        client,
        DirectusPermissions(client, {settings.stripe_customers_collection}),
        service,
        collection=settings.customers_collection,
        fields=settings.mirror.names,
    )


def redis_client(settings: Settings) -> Client:
    """Make the client, which connects when it is first used."""
    assert settings.redis is not None  # noqa: S101 - whoever asks has looked
    password = settings.redis_sentinel_password
    return open_client(
        redis_address(settings.redis.get_secret_value()),
        settings.redis_ca,
        None if password is None else password.get_secret_value(),
    )


@asynccontextmanager
async def redis_commands(settings: Settings, metrics: Metrics) -> AsyncIterator[Commands | None]:
    """Open what sends to Redis; None where the operator has none."""
    if settings.redis is None:
        yield None
        return
    async with connected(redis_client(settings), metrics) as commands:
        yield commands


@asynccontextmanager
async def changes(settings: Settings, commands: Commands | None, alone: Alone) -> AsyncIterator[Changes]:
    """Open what is known of changes at Stripe, which replicas with the same key and account share.

    Without Redis it is `alone`, which knows those of this process.
    """
    if commands is None:
        yield alone
        return
    names = [
        Names.of(secret, "changes", *_owner(settings)).name("last") for secret in revealed(settings.sidecar_secret)
    ]
    shared = SharedChanges(commands, names)
    try:
        yield shared
    finally:
        await shared.close()


@asynccontextmanager
async def shapes(settings: Settings, commands: Commands | None) -> AsyncIterator[Shapes]:
    """Open what is known of how whole lists are spread over time, which replicas share as they do the above."""
    if commands is None:
        yield LocalShapes()
        return
    secret, *_ = revealed(settings.sidecar_secret)
    async with aclosing(SharedShapes(commands, Space.of(secret, "shapes", *_owner(settings)))) as shared:
        yield shared


def _owner(settings: Settings) -> list[str]:
    return [settings.stripe_live_secret_key.get_secret_value(), *filter(None, [settings.stripe_account])]


def sharing(settings: Settings, commands: Commands, metrics: Metrics) -> Sharing:
    """Make what replicas share; with another Directus, or for other collections, they share nothing."""
    about = (settings.directus_url, *sorted(settings.collections))
    replica_set = ReplicaSet(revealed(settings.sidecar_secret), about, settings.sidecar_replicas)
    return Sharing(commands, commands.client, replica_set, metrics)


def stripe_session(settings: Settings, connections: int = 1) -> aiohttp.ClientSession:
    """Open a session without a total timeout: the client's own covers a call with all its retries."""
    return open_session(total=None, connect=settings.stripe_connect_timeout, connections=connections)


def governor(settings: Settings, metrics: Metrics | None = None, sharing: Sharing | None = None) -> Governor:
    """Make the one governor of all calls that a process makes; with `sharing` its budgets are those of all replicas."""
    rates = settings.account_rps, settings.stripe_max_rps
    budgets = LocalBudgets(*rates) if sharing is None else _shared_budgets(settings, sharing, rates, metrics)
    return Governor(budgets, each_caller=settings.caller_rps, patience=settings.stripe_timeout, metrics=metrics)


def _shared_budgets(
    settings: Settings, sharing: Sharing, rates: tuple[float, float], metrics: Metrics | None
) -> SharedBudgets:
    """Replicas with another key of Stripe's share no budgets."""
    secret, key = revealed(settings.sidecar_secret)[0], settings.stripe_live_secret_key.get_secret_value()
    replicas = sharing.replicas
    return SharedBudgets(
        sharing.redis, Names.of(secret, "budgets", key), *rates, replicas=lambda: replicas.count, metrics=metrics
    )


def _unhurried(settings: Settings) -> Governor:
    return Governor(LocalBudgets(_UNHURRIED, _UNHURRIED), each_caller=_UNHURRIED, patience=settings.stripe_timeout)


def stripe_client(
    settings: Settings,
    session: aiohttp.ClientSession,
    *,
    governor: Governor | None = None,
    metrics: Metrics | None = None,
    changed: Callable[[], Awaitable[None]] | None = None,
) -> StripeClient:
    """Make the client; without a `governor` it goes slowly and leaves most of Stripe's limit to the service."""
    return StripeClient(
        session,
        base=settings.stripe_api_base,
        key=settings.stripe_live_secret_key.get_secret_value(),
        version=settings.stripe_api_version,
        account=settings.stripe_account,
        timeout=settings.stripe_timeout,
        governor=governor or _unhurried(settings),
        metrics=metrics,
        changed=changed,
    )
