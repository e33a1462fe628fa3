"""The gate's cost for a request of a remembered caller: CPU milliseconds, as JSON.

python -m tests.benchmarks.gate UPSTREAM_URL NUMBER

Runs the application's own gate, and the guard's steps before it, on requests that are already parsed.
"""

import asyncio
import json
import sys
import time
from unittest.mock import Mock

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from sidecar.app import create_app
from sidecar.core.operations.list_query import parse_list_query
from sidecar.settings import Settings
from sidecar.web.keys import GATE, PLACES
from tests.doubles.running_app import environment


async def main(upstream: str, number: int) -> None:
    variables = environment(upstream, upstream)
    settings = Settings.model_validate({name.lower(): value for name, value in variables.items()})
    app = create_app(settings)
    runner = web.AppRunner(app)
    await runner.setup()
    rule = next(rule for rule in settings.rules if rule.operation.name == "customers.list")
    requirement = rule.requirement(settings.customers_collection)
    requests = [_request() for _ in range(number)]
    await app[GATE].admit(_request(), requirement)
    began = time.process_time()
    for request in requests:
        parse_list_query(request.query.items(), rule.operation)
        caller = await app[GATE].admit(request, requirement)
        async with app[PLACES].place(caller.name):
            pass
    print(json.dumps({"ms": (time.process_time() - began) / number * 1000}))
    await runner.cleanup()


def _request() -> web.Request:
    transport = Mock()
    transport.get_extra_info.return_value = ("127.0.0.1", 1)
    headers = CIMultiDict({"Authorization": "Bearer benchmark-token", "Host": "sidecar.test"})
    return make_mocked_request("GET", "/stripe/customers?limit=100", headers, transport=transport)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
