"""What decides whether this process should get requests."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sidecar.errors import SidecarError

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Health:
    """`key_rejected` tells whether Stripe rejected our key at its last use; `probe` uses the key once.

    `feed_connected` is None where Directus's changes are not followed, `shared_up` where there is no Redis.
    """

    key_rejected: Callable[[], bool]
    probe: Callable[[], Awaitable[None]]
    feed_connected: Callable[[], bool] | None = None
    shared_up: Callable[[], bool] | None = None
    draining: bool = False
    _probe: asyncio.Task[None] | None = field(default=None, init=False)

    def start_probe(self) -> None:
        """Try the key in the background, one attempt at a time; an outage says nothing about the key."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._try())

    async def tried(self) -> None:
        """Wait until the key was tried."""
        if self._probe is not None:
            await asyncio.wait([self._probe])

    async def stop(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.wait([self._probe])

    async def _try(self) -> None:
        try:
            await self.probe()
        except SidecarError as error:
            _log.warning("the probe of Stripe failed", extra={"code": error.code, "detail": error.detail})
