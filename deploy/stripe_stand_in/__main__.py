"""`python -m deploy.stripe_stand_in PORT`: the stand-in on one port of 127.0.0.1, with an empty account.

It prints each request as one line of JSON before it answers, so a client that has an answer finds the request's line.
The key in the lines is made up.
"""

import json
import sys

from aiohttp import web
from aiohttp.typedefs import Handler

from deploy.stripe_stand_in import KEY
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


def main(port: int) -> None:
    app = web.Application(middlewares=[_record])
    app.add_routes(StandIn(KEY).routes())
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
