"""The life of the process, from its start to the last request's answer. What it serves is ``app``'s."""

import asyncio
import gc
import logging
import signal
from contextlib import suppress

from aiohttp import web

from sidecar import opening
from sidecar.app import create_app
from sidecar.clients.directus.client import DirectusPermissions
from sidecar.core.operations.rules import unknown_collections
from sidecar.errors import CredentialRefused, DirectusUnavailable
from sidecar.settings import Settings, SettingsFault
from sidecar.web import keys
from sidecar.web.server.runner import Runner

_log = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    While draining, for `shutdown_delay`, requests are still served but connections are not kept and `/readyz` says
    no, so that proxies go elsewhere; then those under way may finish within `shutdown_timeout`.
    """
    stop, hurry = asyncio.Event(), asyncio.Event()

    def interrupt() -> None:
        stop.set()
        hurry.set()  # whoever presses Ctrl-C has no proxy to wait for

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
    await _require_collections(settings)
    app = create_app(settings)
    runner = Runner(app, shutdown_timeout=settings.shutdown_timeout)
    await runner.setup()
    _spare_the_collector()
    try:
        await web.TCPSite(runner, settings.sidecar_host, settings.sidecar_port).start()
        await stop.wait()
        app[keys.HEALTH].draining = True
        with suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), settings.shutdown_delay)
    finally:
        await runner.cleanup()


async def _require_collections(settings: Settings) -> None:
    """Raise SettingsFault for a rule about a collection that Directus does not have.

    Where Directus cannot be asked, or there is no service token to ask with, the start goes on: such an operation
    is refused to everybody.
    """
    service = opening.service_credential(settings)
    if settings.stripe_operations is None or service is None:
        return
    async with opening.directus_session(settings) as session:
        source = DirectusPermissions(opening.directus_client(settings, session), settings.collections)
        try:
            permissions = await source.permissions(service)
        except (CredentialRefused, DirectusUnavailable) as error:
            _log.warning("the collections of STRIPE_OPERATIONS were not looked at", extra={"code": error.code})
            return
    missing = unknown_collections(settings.rules, permissions, settings.stripe_customers_collection)
    if missing:
        raise SettingsFault([f"STRIPE_OPERATIONS: {fault}" for fault in missing])


def _spare_the_collector() -> None:
    """Leave what start-up made out of garbage collection, and collect less often.

    A page is hundreds of containers that die by themselves. Each one set off collections that walked through all the
    libraries in memory: more than half of a page's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
