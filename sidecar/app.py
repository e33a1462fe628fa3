"""Composition root: the only module that knows both web and clients, and joins them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import aiohttp
from aiohttp import web

from sidecar import context, listening, opening, traces
from sidecar.clients.changes import Alone, Changes
from sidecar.clients.directus.caller_rows import DirectusRows
from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.joined_rows import JoinedRows
from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.directus.policies import DirectusPolicies
from sidecar.clients.directus.shares import DirectusShares
from sidecar.clients.directus.whole_access import WholeAccess
from sidecar.clients.lists.account import AccountLists, unordered
from sidecar.clients.lists.customers import CustomerLists
from sidecar.clients.lists.held import HeldBytes
from sidecar.clients.lists.shapes import Shapes
from sidecar.clients.lists.shared import SharedStreams
from sidecar.clients.lists.starts import Starts
from sidecar.clients.redis.sharing import Sharing
from sidecar.clients.stripe.client import StripeClient
from sidecar.clients.stripe.recent_answers import RecentAnswers
from sidecar.clients.stripe.shared_reads import SharedReads
from sidecar.clients.stripe.shown_reads import ShownReads
from sidecar.core.access.client_address import client_address
from sidecar.core.access.credentials import Credential
from sidecar.core.interfaces import CallerCache, SharedItems
from sidecar.core.operations.list_query import RenderedPage
from sidecar.lasting import Lasting
from sidecar.metrics import Metrics
from sidecar.settings import Settings
from sidecar.web import keys
from sidecar.web.admission.gate import Gate
from sidecar.web.admission.logged_clients import LoggedClients
from sidecar.web.admission.origins import Origins
from sidecar.web.admission.places import Places
from sidecar.web.admission.refusals import Refusals
from sidecar.web.admission.remembered import Addresses
from sidecar.web.admission.strangers import Strangers
from sidecar.web.admission.unknown_customers import UnknownCustomerLog
from sidecar.web.admission.unverified_bodies import UnverifiedBodies
from sidecar.web.description.openapi import openapi_route
from sidecar.web.health import Health
from sidecar.web.requests.bodies import MAX_BODY, Reader
from sidecar.web.routes import logout_route, routes
from sidecar.web.server.middlewares import envelope, identified, secure
from sidecar.web.server.runner import attended
from sidecar.web.webhooks import webhook_routes

_MOMENT = 1.0  # seconds in which those who ask for one page count as a crowd
_CONNECTIONS = 50  # to Stripe; Directus has a pool of its own, so that a slow one does not delay the other


def create_app(settings: Settings, lasting: Lasting | None = None) -> web.Application:
    """Build the service. Opens nothing before it starts, and starts whether or not the upstreams are up."""
    lasting = lasting or Lasting()
    app = web.Application(middlewares=[attended, identified, envelope], client_max_size=MAX_BODY)
    traces.trace(app, settings)
    app.on_response_prepare.append(secure)
    app[keys.METRICS] = Metrics(context.took, lasting.reloads)
    reading = partial(client_address, trusted=settings.trusted_proxies)
    app[keys.LOGGED_CLIENTS] = LoggedClients(settings.log_client_address, reading, settings.address_header)
    app[keys.ORIGINS] = Origins(frozenset(settings.allowed_origins), settings.trusted_proxies)
    app[keys.PLACES] = Places(
        settings.max_concurrent_requests,
        settings.max_concurrent_per_caller,
        settings.max_waiting_per_caller,
        settings.stripe_timeout,
        app[keys.METRICS],
    )
    app[keys.UNKNOWN_CUSTOMERS] = UnknownCustomerLog()
    app[keys.EXPOSE_SECRETS] = settings.stripe_expose_client_secret
    app.cleanup_ctx.append(partial(_upstreams, settings, lasting.changes))
    prefix = settings.sidecar_prefix
    readers = [Reader(rule, settings.allowed_return_urls) for rule in settings.rules]
    app.add_routes(routes(prefix, readers, settings.customers_collection))
    cookie, write_back = settings.session_cookie_name, settings.stripe_write_back
    app.router.add_routes([openapi_route(prefix, readers, cookie=cookie, write_back=write_back)])
    if settings.logout_secret is not None:
        app[keys.LOGOUT_SECRETS] = [secret.encode() for secret in opening.revealed(settings.logout_secret)]
        app.router.add_routes([logout_route()])
    if settings.stripe_webhook_secret is not None:
        app[keys.UNVERIFIED_BODIES] = UnverifiedBodies()
        app.add_routes(webhook_routes(prefix))
    return app


async def _upstreams(settings: Settings, alone: Alone, app: web.Application) -> AsyncIterator[None]:
    """Open both upstreams in one context: Stripe's events need Directus too, and this states the order."""
    async with (
        opening.redis_commands(settings, app[keys.METRICS]) as redis,
        opening.changes(settings, redis, alone) as changes,
        opening.shapes(settings, redis) as shapes,
        opening.stripe_session(settings, _CONNECTIONS) as to_stripe,
        opening.lasting_directus_session(settings) as to_directus,
    ):
        sharing = None if redis is None else opening.sharing(settings, redis, app[keys.METRICS])
        stripe = _provide_stripe(settings, app, to_stripe, sharing, changes=changes, shapes=shapes)
        places = settings.directus_max_concurrent
        client = opening.directus_client(settings, to_directus, app[keys.METRICS], places=places)
        permissions = _provide_directus(settings, app, client, sharing)
        if settings.stripe_webhook_secret is not None:
            app[keys.WEBHOOKS] = listening.webhooks(settings, client, stripe, app[keys.FORGET_LISTS], app[keys.METRICS])
        health = app[keys.HEALTH] = Health(lambda: stripe.key_rejected, stripe.probe)
        if sharing is not None:
            health.shared_up = lambda: sharing.replicas.up
        health.start_probe()
        try:
            hearing = nullcontext() if sharing is None else sharing.running(permissions)
            async with hearing, _following(settings, app, permissions, sharing):
                yield
        finally:
            await health.stop()


def _provide_stripe(
    settings: Settings,
    app: web.Application,
    session: aiohttp.ClientSession,
    sharing: Sharing | None,
    *,
    changes: Changes,
    shapes: Shapes,
) -> StripeClient:
    async def forget() -> None:
        """Give no request, at any replica, what began to be fetched before a change."""
        for shared in (lists, reads, recent):
            if shared is not None:
                shared.forget()
        await changes.tell()

    metrics = app[keys.METRICS]
    governor = opening.governor(settings, metrics, sharing)
    client = opening.stripe_client(settings, session, governor=governor, metrics=metrics, changed=forget)
    metrics.key_rejected.set_function(lambda: client.key_rejected)
    held = HeldBytes(settings.max_held_bytes)
    metrics.held.set_function(lambda: held.total)
    lists = SharedStreams[RenderedPage](
        held, size=lambda page: len(page.payload), outline=lambda page: page.outline, changes=changes
    )
    reads = SharedReads(client, changes, _MOMENT)
    recent = None if settings.stripe_read_cache is None else RecentAnswers(settings.stripe_read_cache, changes, metrics)
    app[keys.STRIPE] = reads
    app[keys.RECENT] = lambda secrets: ShownReads(reads, recent, secrets=secrets)
    concurrency, plainly = settings.stripe_list_concurrency, unordered()
    app[keys.LISTS] = lambda stripe: AccountLists(client, concurrency, lists, stripe, shapes, plainly)
    app[keys.FORGET_LISTS] = forget
    starts = Starts(reads)
    app[keys.SCOPED] = lambda stripe, choice, unknown: CustomerLists(stripe, choice, unknown, held, starts)
    return client


def _provide_directus(
    settings: Settings, app: web.Application, client: DirectusClient, sharing: Sharing | None
) -> WholeAccess:
    remembered = PermissionCache(
        DirectusPermissions(client, settings.collections),
        ttl=settings.permissions_cache_ttl,
        denied_ttl=settings.permissions_denied_ttl,
        size=settings.permissions_cache_size,
        budget=settings.directus_timeout,
        shared=None if sharing is None else sharing.answers,
        secret=None if sharing is None else sharing.secret,
        metrics=app[keys.METRICS],
    )
    permissions = _with_whole_access(settings, client, remembered)

    async def forget(credential: Credential) -> None:
        permissions.forget(credential)
        if sharing is not None:
            await sharing.log_out(credential.token)

    app[keys.FORGET] = forget
    shared = DirectusShares(client) if settings.allow_shares == "read" else None
    app[keys.GATE] = _gate(settings, permissions, app[keys.ORIGINS], shared)
    rows = DirectusRows(
        client,
        collection=settings.customers_collection,
        fields=settings.mapped.attributes,
        most=settings.scope_max_customers,
    )
    app[keys.ROWS], app[keys.ROWS_OF_ITEM] = JoinedRows(rows), rows.of_item
    app[keys.WRITE_BACK] = (
        opening.write_back(settings, client, app[keys.STRIPE]) if settings.stripe_write_back else None
    )
    return permissions


def _with_whole_access(settings: Settings, client: DirectusClient, remembered: PermissionCache) -> WholeAccess:
    """Tell who has whole access where the service may read the policies; otherwise Directus's word alone counts."""
    service = opening.service_credential(settings)
    source = (
        None
        if service is None
        else DirectusPolicies(client, service, settings.collections, settings.customers_collection.service_policy)
    )
    ttl, denied_ttl = settings.permissions_cache_ttl, settings.permissions_denied_ttl
    return WholeAccess(remembered, source, ttl=ttl, denied_ttl=denied_ttl)


@asynccontextmanager
async def _following(
    settings: Settings, app: web.Application, permissions: WholeAccess, sharing: Sharing | None
) -> AsyncIterator[None]:
    """Follow Directus's changes where the operator wants that, and pass them on to the other replicas."""
    if not settings.directus_realtime:
        yield
        return

    def purge(cause: str) -> None:
        permissions.purge(cause)
        if sharing is not None:
            sharing.change_everybody(cause)

    def forget_user(user: str) -> None:
        permissions.forget_user(user)
        if sharing is not None:
            sharing.change_user(user)

    async with opening.feed_session(settings) as session:
        feed = opening.change_feed(settings, session, purge, app[keys.METRICS], forget_user=forget_user)
        app[keys.HEALTH].feed_connected = lambda: feed.connected
        if sharing is not None:
            sharing.follow(lambda: feed.connected)
        task = asyncio.create_task(feed.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


def _gate(settings: Settings, permissions: CallerCache, origins: Origins, shared: SharedItems | None) -> Gate:
    refusals = Refusals(settings.denied_status)
    return Gate(
        permissions=permissions,
        cookie=settings.session_cookie_name,
        addresses=Addresses(partial(client_address, trusted=settings.trusted_proxies)),
        address_header=settings.address_header,
        refusals=refusals,
        origins=origins,
        strangers=Strangers(shared, refusals),
    )
