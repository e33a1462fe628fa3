"""Stripe's stand-in: localstripe on one loopback port, `python -m deploy.demo.emulator PORT`.

Its own command listens on every address, and keeps its objects in one file under /tmp, which two emulators would
share; and it does not know the `customer` parameter of "List all PaymentIntents" (docs.stripe.com/api). All else is
as it comes. Each request is written to standard output as one JSON line before it
is answered, so that whoever has an answer can rely on its line being there. The key in it is made up.
"""

import json
import sys
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from localstripe.resources import PaymentIntent, store
from localstripe.server import app


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


def _list_payments(url: str, customer: str | None = None, **page: str) -> Any:  # noqa: ANN401 - localstripe has no types
    payments = super(PaymentIntent, PaymentIntent)._api_list_all(url, **page)
    if customer is not None:
        payments._list = [each for each in payments._list if each.customer == customer]  # noqa: SLF001 - it has no other way in
    return payments


def main(port: int) -> None:
    store.dump_to_disk = lambda: None
    PaymentIntent._api_list_all = _list_payments  # noqa: SLF001 - it has no other way in
    app.middlewares.insert(0, _record)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
