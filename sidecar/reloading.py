"""New settings for a service that runs: on SIGHUP, and when a file that they come from has changed.

They are read and judged as at the start. If they can be used, a new application is made of them, which takes over
from the one before; so no other part of the service has settings that change. If not, the former ones stay in effect.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from aiohttp import web

from sidecar.app import create_app
from sidecar.lasting import Lasting
from sidecar.settings import Settings, SettingsFault, load
from sidecar.settings.watching import Contents, SettingsFiles
from sidecar.web import keys
from sidecar.web.server.runner import Runner

RESTART = ("sidecar_host", "sidecar_port", "keepalive_timeout", "shutdown_delay", "shutdown_timeout")
_KEY = {"stripe_live_secret_key", "stripe_account", "stripe_api_base"}
_EVERY = 2.0  # seconds between two looks at the files; a change takes effect at the second look that finds it
_log = logging.getLogger(__name__)


class Reloading:
    """`judge` raises SettingsFault for settings that the start would refuse too, beside what `load` finds.

    What is asked for while settings are being read is done once, afterwards.
    """

    def __init__(
        self,
        settings: Settings,
        runner: Runner,
        lasting: Lasting,
        judge: Callable[[Settings], Awaitable[None]],
        every: float = _EVERY,
    ) -> None:
        self._settings, self._runner, self._lasting = settings, runner, lasting
        self._judge, self._every = judge, every
        self._files = SettingsFiles()

    async def run(self, wanted: asyncio.Event) -> None:
        """Read the settings again whenever `wanted` is set or their files have changed, until canceled."""
        done = before = await self._look()
        if await asyncio.to_thread(self._outdated):  # what changed before this first look, too, is a change
            wanted.set()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(wanted.wait(), self._every)
            now = await self._look()
            settled = now == before  # a file may be half written
            before = now
            if wanted.is_set() or (settled and now != done):
                wanted.clear()
                done = now
                await self.reload()

    async def reload(self) -> None:
        """Let new settings take effect, or say why not. Raises nothing."""
        try:
            result = await self._reload()
        except SettingsFault as fault:
            result = "failed"
            _log.error("the settings cannot be used, so those of before stay in effect", extra={"faults": fault.faults})
        except Exception:  # noqa: BLE001 - whatever it is, the service goes on with what it has
            result = "failed"
            _log.exception("new settings could not take effect, so those of before stay")
        self._lasting.reloads.count(result)

    async def _reload(self) -> str:
        new = await asyncio.to_thread(load, Settings)
        changed = differences(self._settings, new)
        later = [name for name in changed if name in RESTART]
        effective = new.model_copy(update={name: getattr(self._settings, name) for name in RESTART})
        if later:
            _log.warning("these settings take effect when the service is restarted", extra={"settings": _shown(later)})
        if later == changed:
            _log.info("the settings were read again, and nothing else has changed")
            return "unchanged"
        await self._judge(effective)
        key_changed = not _KEY.isdisjoint(changed)
        await self._runner.replace(create_app(effective, self._lasting), _require_key if key_changed else _accept)
        turned = _turned(self._settings, effective)
        self._settings = effective
        logging.getLogger().setLevel(effective.log_level)
        facts = {"settings": _shown(name for name in changed if name not in later), **turned}
        _log.info("new settings are in effect", extra=facts)
        return "done"

    def _outdated(self) -> bool:
        try:
            return differences(self._settings, load(Settings)) != []
        except SettingsFault:
            return True

    async def _look(self) -> Contents:
        return await asyncio.to_thread(self._files.look, self._settings)


def differences(old: Settings, new: Settings) -> list[str]:
    """Name the settings whose values differ, with those that name a file whose content does."""
    values = [name for name in type(old).model_fields if getattr(old, name) != getattr(new, name)]
    contents = {"stripe_operations": old.rules != new.rules, "stripe_events": old.event_rules != new.event_rules}
    return [*values, *(name for name, differ in contents.items() if differ and name not in values)]


def _turned(old: Settings, new: Settings) -> dict[str, list[str]]:
    before, after = ([rule.operation.name for rule in each.rules] for each in (old, new))
    return {
        "turned_on": [name for name in after if name not in before],
        "turned_off": [name for name in before if name not in after],
    }


def _shown(names: Iterable[str]) -> list[str]:
    return [name.upper() for name in names]


async def _accept(_app: web.Application) -> None:
    """Let every application take over whose settings can be used."""


async def _require_key(app: web.Application) -> None:
    """Raise SettingsFault for a key that Stripe rejects. The start does without, and is not ready then."""
    health = app[keys.HEALTH]
    await health.tried()
    if health.key_rejected():
        raise SettingsFault(["STRIPE_LIVE_SECRET_KEY: Stripe rejects this key"])
