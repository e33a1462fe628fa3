"""An upper bound: an aiohttp server that passes requests to Stripe and answers back, and does nothing else.

python -m tests.benchmarks.relay PORT STRIPE_URL
"""

import sys
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

_SESSION = web.AppKey("SESSION", aiohttp.ClientSession)


async def _pass_on(request: web.Request) -> web.Response:
    async with request.app[_SESSION].get(request.rel_url, headers={"Authorization": "Bearer sk_test_relay"}) as answer:
        return web.Response(body=await answer.read(), status=answer.status, content_type="application/json")


def main() -> None:
    port, stripe = int(sys.argv[1]), sys.argv[2]

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(stripe, auto_decompress=False) as app[_SESSION]:
            yield

    app = web.Application()
    app.cleanup_ctx.append(session)
    app.add_routes([web.get("/{path:.*}", _pass_on)])
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=lambda _: None, backlog=2048)


if __name__ == "__main__":
    main()
