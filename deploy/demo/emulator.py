"""Stripe's stand-in: localstripe on one loopback port, `python -m deploy.demo.emulator PORT`.

Its own command listens on every address, and keeps its objects in one file under /tmp, which two emulators would
share. What it lacks or does otherwise than Stripe is in `emulated`, and comes first; all else is
as it comes. Each request is written to standard output as one JSON line before it
is answered, so that whoever has an answer can rely on its line being there. The key in it is made up.
"""

import json
import sys

from aiohttp import web
from aiohttp.typedefs import Handler
from localstripe import server
from localstripe.resources import store

from deploy.demo.emulated import ENDPOINTS


@web.middleware
async def _record(request: web.Request, handler: Handler) -> web.StreamResponse:
    line = {
        "method": request.method,
        "target": request.raw_path,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": await request.text(),
    }
    print(json.dumps(line), flush=True)
    return await handler(request)


def application() -> web.Application:
    app = web.Application(middlewares=[_record, server.error_middleware, server.auth_middleware])
    app.on_response_prepare.append(server.add_cors_headers)
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, endpoint.path, endpoint.answer)
    for route in server.app.router.routes():
        if route.resource is not None:
            app.router.add_route(route.method, route.resource.canonical, route.handler)
    return app


def main(port: int) -> None:
    store.dump_to_disk = lambda: None
    web.run_app(application(), host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
