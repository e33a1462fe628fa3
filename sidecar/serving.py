"""The life of the process, from its start to the answer of the last request. ``app`` makes what it serves."""

import asyncio
import gc
import logging
import os
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from sidecar import opening
from sidecar.announcing import announce
from sidecar.app import create_app
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.core.operations.rules import unknown_collections
from sidecar.errors import CredentialRefused, DirectusUnavailable
from sidecar.lasting import Lasting
from sidecar.reloading import Reloading
from sidecar.settings import Settings, SettingsFault, unread
from sidecar.web.server.runner import Runner

_log = logging.getLogger(__name__)
_DESCRIPTORS = 65_536
_STDIN = 0


@dataclass(frozen=True, slots=True)
class _Signals:
    """What the process has been told. `hurry`: no proxy has to notice that it stops."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)
    has_terminal: bool = field(default_factory=partial(os.isatty, _STDIN))

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop.set)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def _interrupt(self) -> None:
        """Ctrl-C comes from a person."""
        self.stop.set()
        self.hurry.set()

    def _hang_up(self) -> None:
        if self.has_terminal and not os.isatty(_STDIN):  # it was closed, which nobody means as a reload
            self._interrupt()
        else:
            self.reload.set()


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    SIGHUP, and a change of a file that settings come from, let new settings take effect. The SIGHUP of a terminal that
    is closed ends the service as ever.

    While draining, for `shutdown_delay`, requests are served, but connections end with their answer and `/readyz` is
    503, so that proxies go elsewhere; then requests under way may finish within `shutdown_timeout`.
    """
    signals = _Signals()
    signals.listen()
    _spare_the_collector()  # before there is an application, since what is excluded stays, with its secrets
    for sentence in unread():
        _log.warning(sentence)
    await _require_collections(settings)
    lasting = Lasting()
    runner = Runner(
        create_app(settings, lasting), shutdown_timeout=settings.shutdown_timeout, keepalive=settings.keepalive_timeout
    )
    await runner.setup()
    _allow_descriptors()
    reloading = Reloading(settings, runner, lasting, _require_collections)
    site = web.TCPSite(runner, settings.sidecar_host, settings.sidecar_port)
    delay = settings.shutdown_delay
    tasks = [asyncio.create_task(reloading.run(signals.reload))]
    try:
        await site.start()
        host, port = runner.addresses[0][:2]
        tasks.append(asyncio.create_task(announce(settings, host, port)))  # the start does not wait for Directus
        del settings  # others may take effect, and then nothing keeps the secrets of these
        await signals.stop.wait()
        tasks[0].cancel()  # what takes over now would not know that the service is ending
        runner.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(signals.hurry.wait(), delay)
    finally:
        await runner.cleanup()  # at once: with another wait before it, requests on new connections got lost under load
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _require_collections(settings: Settings) -> None:
    """Raise SettingsFault for a rule whose collection Directus does not have.

    Without a service token, or while Directus cannot be asked, the start continues: a missing collection grants
    nothing, so the operation is refused to everybody.
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


def _allow_descriptors() -> None:
    """Let the process open as many files as it may: often 1,024 by default, and requests that wait have one each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # as on systems that allow less than they say
        _log.warning("the number of open files could not be raised", extra={"files": soft})


def _spare_the_collector() -> None:
    """Exclude the objects of start-up from garbage collection, and collect less often.

    A page of a list is hundreds of containers that die by reference counting. They set off collections that walked
    through all loaded libraries, which took more than half of a page's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
