"""`python -m deploy.stripe_stand_in PORT [URL]`: the stand-in on one port of 127.0.0.1, with an empty account.

It sends its events to the URL, if there is one, signed with STRIPE_WEBHOOK_SECRET.
It prints each request as one line of JSON before it answers, so a client that has an answer finds the request's line.
The key in the lines is made up.
"""

import json
import os
import sys

from aiohttp import web
from aiohttp.typedefs import Handler

from deploy.stripe_stand_in import KEY
from deploy.stripe_stand_in.deliveries import Deliveries
from deploy.stripe_stand_in.server import StandIn


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


def main(port: int, webhook: str | None = None) -> None:
    app, stand_in = web.Application(middlewares=[_record]), StandIn(KEY)
    if webhook is not None:
        stand_in.deliveries = Deliveries(webhook, os.environ["STRIPE_WEBHOOK_SECRET"])
        app.cleanup_ctx.append(stand_in.deliveries.running)
    app.add_routes(stand_in.routes())
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:3])
