"""Routes for a cluster, its monitoring and the reverse proxy: outside the prefix, without a credential."""

import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

from aiohttp import web

from sidecar.core.access.cookies import cookie_values
from sidecar.core.access.logout import logged_out
from sidecar.errors import SidecarError
from sidecar.web.admission.gate import TOKEN_PARAMETER
from sidecar.web.keys import FORGET, GATE, HEALTH, LOGOUT_SECRETS, METRICS

LOGOUT_HEADER = "X-Sidecar-Logout"


async def healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """Ready unless draining or without a usable key: an outage of Directus, Stripe or Redis must not remove the pod."""
    health = request.app[HEALTH]
    state = {
        "realtime": _state(health.feed_connected, "connected"),
        "shared": _state(health.shared_up, "up"),
    }
    if health.draining:
        return _unready({"status": "draining", **state})
    if health.key_rejected():
        health.start_probe()
        return _unready({"status": "unusable", "reason": "Stripe rejects the key", **state})
    return web.json_response({"status": "ready", **state})


def _state(works: Callable[[], bool] | None, name: str) -> str:
    if works is None:
        return "off"
    return name if works() else "lost"


def _unready(body: Mapping[str, str]) -> web.Response:
    return web.json_response(body, status=HTTPStatus.SERVICE_UNAVAILABLE)


async def metrics(request: web.Request) -> web.Response:
    body = request.app[METRICS].exposition()
    return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def logout(request: web.Request) -> web.Response:
    """Forget what the proxy says is about to be logged out of Directus.

    The answer to the proxy is always the same, and to everybody else it is that of a route that does not exist.
    """
    if not _from_the_proxy(request):
        raise web.HTTPNotFound
    with suppress(SidecarError):
        credential = logged_out(
            authorization=request.headers.getall("Authorization", []),
            access_token=request.query.getall(TOKEN_PARAMETER, []),
            cookies=cookie_values(request.headers.getall("Cookie", []), request.app[GATE].cookie),
        )
        if credential is not None:
            await request.app[FORGET](credential)
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _from_the_proxy(request: web.Request) -> bool:
    """Compare with every secret, so that the time tells nothing about any."""
    said = request.headers.getall(LOGOUT_HEADER, [])
    given = said[0].encode(errors="surrogateescape") if len(said) == 1 else b""
    return sum(hmac.compare_digest(given, secret) for secret in request.app[LOGOUT_SECRETS]) > 0
