"""Routes for a cluster, its monitoring and the reverse proxy: outside the prefix, without a credential."""

from contextlib import suppress
from http import HTTPStatus

from aiohttp import web

from sidecar.core.access.cookies import cookie_values
from sidecar.core.access.credentials import Credential, Source
from sidecar.errors import SidecarError
from sidecar.web.keys import FORGET, GATE, HEALTH, METRICS


async def healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """Ready unless draining or without a usable key: an outage of Directus or Stripe must not remove the pod."""
    health = request.app[HEALTH]
    realtime = "off" if health.feed_connected is None else "connected" if health.feed_connected() else "lost"
    if health.draining:
        return web.json_response({"status": "draining", "realtime": realtime}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    if health.key_rejected():
        health.start_probe()
        reason = "Stripe rejects the key"
        return web.json_response(
            {"status": "unusable", "reason": reason, "realtime": realtime}, status=HTTPStatus.SERVICE_UNAVAILABLE
        )
    return web.json_response({"status": "ready", "realtime": realtime})


async def metrics(request: web.Request) -> web.Response:
    body = request.app[METRICS].exposition()
    return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def logout(request: web.Request) -> web.Response:
    """Forget every token in a request that the reverse proxy sends when a caller logs out of Directus.

    The answer is always the same, and nothing is checked: anybody who has a token may have it forgotten.
    """
    gate = request.app[GATE]
    found = [
        Credential(token, Source.COOKIE, None)
        for token in cookie_values(request.headers.getall("Cookie", []), gate.cookie)
        if token
    ]
    with suppress(SidecarError):
        found.append(gate.credential(request))
    for credential in found:
        request.app[FORGET](credential)
    return web.Response(status=HTTPStatus.NO_CONTENT)
