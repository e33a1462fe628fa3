"""Sends events to a webhook endpoint, one after the other, signed as Stripe signs them: docs.stripe.com/webhooks."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
from aiohttp import web

from deploy.stripe_stand_in.account import Making
from deploy.stripe_stand_in.errors import Object

_VERSION = "2026-10-28.endive"
_TRIES, _PAUSE = 8, 0.25  # the pause in seconds doubles; Stripe tries for some days
_PATIENCE = aiohttp.ClientTimeout(total=30)


@dataclass(slots=True)
class Deliveries:
    """Use `running` as a cleanup context of the application; what is queued before that waits."""

    url: str
    secret: str
    making: Making = field(default_factory=Making)
    _queue: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    def add(self, kind: str, about: Object) -> None:
        """Queue an event of this type about an object."""
        event = {
            "id": f"evt_{self.making.token(24)}",
            "object": "event",
            "api_version": _VERSION,
            "created": self.making.now(),
            "data": {"object": about},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self._queue.put_nowait(json.dumps(event).encode())

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
            task = asyncio.create_task(self._send_all(session))
            yield
            task.cancel()
            await asyncio.wait([task])

    async def _send_all(self, session: aiohttp.ClientSession) -> None:
        while True:
            body = await self._queue.get()
            pause = _PAUSE
            for _ in range(_TRIES):
                if await self._sent(session, body):
                    break
                await asyncio.sleep(pause)
                pause *= 2

    async def _sent(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": self._signature(body)}
        try:
            async with session.post(self.url, data=body, headers=headers) as answer:
                return answer.status < HTTPStatus.MULTIPLE_CHOICES
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _signature(self, body: bytes) -> str:
        now = self.making.now()
        digest = hmac.new(self.secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={now},v1={digest}"
