"""The route for Stripe's events. There is no caller here: only the signature on the body counts, not the sender.

An event takes no place of a caller's, so that callers cannot keep events out.
"""

from aiohttp import web

from sidecar.web.keys import OPERATION, UNVERIFIED_BODIES, WEBHOOKS


def webhook_routes(prefix: str) -> list[web.RouteDef]:
    return [web.post(f"{prefix}/webhooks", _receive)]


async def _receive(request: web.Request) -> web.Response:
    request[OPERATION] = "webhooks"
    webhooks = request.app[WEBHOOKS]
    chunks = request.content.iter_any()
    body = await request.app[UNVERIFIED_BODIES].read(chunks, request.content_length)
    event = webhooks.verify(body, request.headers.getall("Stripe-Signature", []))
    del body  # up to 1 MiB, which an event that waits does not need
    await webhooks.handle(event)
    return web.json_response({"received": True})
