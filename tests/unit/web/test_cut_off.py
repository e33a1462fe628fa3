"""F2: requests that are cut off at each of their awaits, one after the other, give everything back."""

import asyncio
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from sidecar.web.keys import NOTES, PLACES
from tests.doubles.cutting import cut_everywhere
from tests.doubles.directus import User
from tests.doubles.running_app import CLERK, MEMBER, OpenApp, RunningApp

pytestmark = pytest.mark.slow
MOST = 3


def request(app: RunningApp, user: User, target: str) -> web.Request:
    headers = CIMultiDict({"Authorization": f"Bearer {user.token}", "Host": "sidecar.test"})
    transport = Mock()
    transport.get_extra_info.return_value = ("127.0.0.1", 1)
    return make_mocked_request("GET", target, headers, app=app.runner.app, transport=transport)


async def serve(app: RunningApp, user: User, target: str) -> int:
    """Serve a request in this very task, as aiohttp does, but without a connection."""
    asked = request(app, user, target)
    match = await app.runner.app.router.resolve(asked)
    match.add_app(app.runner.app)
    asked._match_info = match
    notes: dict[str, object] = {"request_id": "of-the-test"}
    asked[NOTES] = notes  # as a middleware does
    answer = await match.handler(asked)
    return answer.status


@pytest.mark.parametrize(
    ("user", "target", "least"),
    [
        (CLERK, "/stripe/payments?limit=5", 2),
        (CLERK, "/stripe/payments/cus_OWN", 2),
        (CLERK, "/stripe/customers", 2),
        (MEMBER, "/stripe/payments?limit=5", 3),
        (MEMBER, "/stripe/payments", 3),
        (MEMBER, "/stripe/customers?limit=5", 3),
        (MEMBER, "/stripe/customers/cus_OWN", 3),
    ],
)
async def test_everything_is_given_back(open_app: OpenApp, user: User, target: str, least: int) -> None:
    """F2: wherever a read is cut off, its places come back, nobody waits for nothing, and the next one is served."""
    app = await open_app(MAX_CONCURRENT_REQUESTS=str(MOST), MAX_CONCURRENT_PER_CALLER="1", MAX_WAITING_PER_CALLER="0")
    app.stripe.add_customer(id="cus_OWN")
    app.stripe.add_customer(id="cus_OTHER")
    app.stripe.add_payments(120, customer="cus_OWN")
    for customer in ("cus_OWN", "cus_OTHER"):
        app.directus.add_row(owner=MEMBER.name, stripe_customer_id=customer)
    places = app.runner.app[PLACES]

    async def all_is_free() -> None:
        async with asyncio.timeout(10), places.place("a"), places.place("b"), places.place("c"):
            pass

    awaits = await cut_everywhere(lambda: serve(app, user, target), all_is_free)

    assert awaits >= least
    answer = await app.call(user, target)
    assert answer.status == 200
    tasks = {task.get_name() for task in asyncio.all_tasks() if "_serve" in repr(task) or "_pump" in repr(task)}
    assert tasks == set()
