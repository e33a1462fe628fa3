"""Composition root: the only module that knows web and clients, and joins them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from sidecar import context
from sidecar.clients.directus.caller_rows import DirectusRows
from sidecar.clients.directus.change_feed import ChangeFeed
from sidecar.clients.directus.client import DirectusClient, DirectusPermissions
from sidecar.clients.directus.items import DirectusItems
from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.clients.directus.service_items import DirectusHeldItems
from sidecar.clients.http import open_session
from sidecar.clients.lists.account import AccountLists
from sidecar.clients.lists.customers import ScopedLists
from sidecar.clients.lists.shared import Broadcast
from sidecar.clients.stripe.client import StripeClient
from sidecar.clients.stripe.events import StripeWebhooks
from sidecar.clients.stripe.rate import Budget
from sidecar.clients.stripe.signature import Signatures
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.flows.create_customer import WriteBack
from sidecar.core.flows.follow_customer import follow
from sidecar.core.operations.list_query import Leaf
from sidecar.metrics import Metrics
from sidecar.settings import Settings
from sidecar.web import keys
from sidecar.web.admission.capacity import Capacity
from sidecar.web.admission.gate import Gate
from sidecar.web.admission.origins import Origins
from sidecar.web.admission.refusals import Refusals
from sidecar.web.description.openapi import openapi_route
from sidecar.web.health import Health
from sidecar.web.requests.bodies import MAX_BODY
from sidecar.web.routes import routes
from sidecar.web.server.middlewares import envelope, identified, secure
from sidecar.web.server.runner import attended
from sidecar.web.webhooks import AT_ONCE, webhook_routes

_KEPT_BY_DIRECTUS = 4.0  # seconds; Node closes after 5, and a SEARCH that meets that is not sent again by itself
_CONNECTIONS = 50  # to each upstream, from pools of their own: a slow one does not hold up the other


def create_app(settings: Settings) -> web.Application:
    """Build the service. Opens nothing before it starts, and starts whether or not the upstreams are up."""
    app = web.Application(middlewares=[attended, identified, envelope], client_max_size=MAX_BODY)
    app.on_response_prepare.append(secure)
    app[keys.METRICS] = Metrics(context.took)
    app[keys.ORIGINS] = Origins(frozenset(settings.allowed_origins))
    app[keys.CAPACITY] = Capacity(settings.max_concurrent_requests)
    app[keys.EXPOSE_SECRETS] = settings.stripe_expose_client_secret
    app.cleanup_ctx.extend([partial(_stripe, settings), partial(_directus, settings)])
    prefix, rules, return_urls = settings.sidecar_prefix, settings.rules, settings.allowed_return_urls
    app.add_routes(routes(prefix, rules, settings.customers_collection, return_urls))
    cookie, write_back = settings.session_cookie_name, settings.stripe_write_back
    app.router.add_routes([openapi_route(prefix, rules, return_urls, cookie=cookie, write_back=write_back)])
    if settings.stripe_webhook_secret is not None:
        app[keys.EVENT_PLACES] = Capacity(AT_ONCE)
        app.add_routes(webhook_routes(prefix))
    return app


async def _directus(settings: Settings, app: web.Application) -> AsyncIterator[None]:
    async with open_session(
        total=settings.directus_timeout,
        connect=settings.directus_connect_timeout,
        connections=_CONNECTIONS,
        kept=_KEPT_BY_DIRECTUS,
    ) as session:
        metrics, header = app[keys.METRICS], settings.address_header
        client = DirectusClient(session, settings.directus_url, address_header=header, metrics=metrics)
        permissions = PermissionCache(
            DirectusPermissions(client, settings.collections),
            ttl=settings.permissions_cache_ttl,
            denied_ttl=settings.permissions_denied_ttl,
            size=settings.permissions_cache_size,
            metrics=metrics,
        )
        app[keys.FORGET] = permissions.forget
        app[keys.GATE] = _gate(settings, permissions, app[keys.ORIGINS], header)
        app[keys.ROWS] = DirectusRows(
            client,
            collection=settings.customers_collection,
            fields=settings.stripe_field_map,
            most=settings.scope_max_customers,
        )
        app[keys.WRITE_BACK] = _write_back(settings, client)
        if settings.stripe_webhook_secret is not None:
            app[keys.WEBHOOKS] = _webhooks(settings, client, app)
        async with _following(settings, app, permissions.purge):
            yield


@asynccontextmanager
async def _following(settings: Settings, app: web.Application, purge: Callable[[str], None]) -> AsyncIterator[None]:
    """Follow Directus's changes where the operator wants that."""
    token = settings.directus_service_token
    if not settings.directus_realtime or token is None:
        yield
        return
    async with open_session(total=None, connect=settings.directus_connect_timeout, connections=1) as session:
        feed = ChangeFeed(session, settings.directus_url, token.get_secret_value(), purge, app[keys.METRICS])
        app[keys.HEALTH].feed_connected = lambda: feed.connected
        task = asyncio.create_task(feed.run())
        yield
        task.cancel()
        await asyncio.wait([task])


async def _stripe(settings: Settings, app: web.Application) -> AsyncIterator[None]:
    # No timeout of the session's own: the client's covers a call with all its retries.
    async with open_session(
        total=None,
        connect=settings.stripe_connect_timeout,
        connections=_CONNECTIONS,
    ) as session:
        shared = Broadcast[Leaf]()
        client = StripeClient(
            session,
            base=settings.stripe_api_base,
            key=settings.stripe_live_secret_key.get_secret_value(),
            version=settings.stripe_api_version,
            timeout=settings.stripe_timeout,
            budget=Budget(settings.stripe_max_rps, settings.stripe_timeout),
            metrics=app[keys.METRICS],
            changed=shared.forget,  # who asks after a change is not given a list that was begun before it
        )
        app[keys.STRIPE] = client
        app[keys.LISTS] = AccountLists(client, settings.stripe_list_concurrency, shared)
        app[keys.FORGET_LISTS] = shared.forget
        app[keys.SCOPED] = lambda attribute, values: ScopedLists(client, attribute, values)
        app[keys.HEALTH] = health = Health(lambda: client.key_rejected, client.probe)
        health.start_probe()
        yield
        await health.stop()


def _gate(settings: Settings, permissions: PermissionCache, origins: Origins, header: str) -> Gate:
    return Gate(
        permissions=permissions,
        cookie=settings.session_cookie_name,
        trusted_proxies=settings.trusted_proxies,
        address_header=header,
        refusals=Refusals(settings.denied_status),
        origins=origins,
    )


def _write_back(settings: Settings, client: DirectusClient) -> WriteBack | None:
    if not settings.stripe_write_back:
        return None
    return WriteBack(
        items=DirectusItems(
            client,
            collection=settings.customers_collection,
            claim_timeout=settings.write_back_timeout,
        ),
        project=settings.directus_project,
        collection=settings.stripe_customers_collection,
        service=_service(settings),
        field_map=settings.field_map,
    )


def _webhooks(settings: Settings, client: DirectusClient, app: web.Application) -> StripeWebhooks:
    mirror, service = settings.mirror, _service(settings)
    assert service is not None  # noqa: S101 - the settings are refused without it
    items = DirectusHeldItems(
        client,
        DirectusPermissions(client, {settings.stripe_customers_collection}),
        service,
        collection=settings.customers_collection,
        fields=mirror.fields,
    )
    return StripeWebhooks(
        Signatures([secret.get_secret_value() for secret in settings.stripe_webhook_secret or ()]),
        lambda customer: follow(customer, app[keys.STRIPE], items, mirror),
        app[keys.FORGET_LISTS],
        livemode=settings.livemode,
        metrics=app[keys.METRICS],
    )


def _service(settings: Settings) -> Credential | None:
    token = settings.directus_service_token
    return Credential(token.get_secret_value(), Source.SERVICE, None) if token else None
