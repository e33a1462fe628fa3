"""The route for Stripe's events. There is no caller here: only the signature on the body counts, not the sender."""

import asyncio

from aiohttp import web

from sidecar.errors import ContentTooLarge, RequestTimeout
from sidecar.web.keys import EVENT_PLACES, OPERATION, WEBHOOKS

AT_ONCE = 32  # anybody may send a body here, so bodies that are not verified yet have a bound of their own
_LONGEST = 1024 * 1024  # bytes; an event contains a whole object of Stripe's
_READ_TIMEOUT = 10.0  # seconds for a body to arrive


def webhook_routes(prefix: str) -> list[web.RouteDef]:
    return [web.post(f"{prefix}/webhooks", _receive)]


async def _receive(request: web.Request) -> web.Response:
    request[OPERATION] = "webhooks"
    with request.app[EVENT_PLACES].place():
        body = await _read(request)
        await request.app[WEBHOOKS].receive(body, request.headers.getall("Stripe-Signature", []))
    return web.json_response({"received": True})


async def _read(request: web.Request) -> bytes:
    """Read the body's bytes; the application's bound is smaller, and only for callers' bodies."""
    if (request.content_length or 0) > _LONGEST:
        raise _too_long()
    body = bytearray()
    try:
        async with asyncio.timeout(_READ_TIMEOUT):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > _LONGEST:
                    raise _too_long()
    except TimeoutError:
        raise RequestTimeout("The body did not arrive in time.") from None
    return bytes(body)


def _too_long() -> ContentTooLarge:
    return ContentTooLarge(f"The body is longer than {_LONGEST} bytes.")
