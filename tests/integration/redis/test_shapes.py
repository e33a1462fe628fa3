"""Shapes of lists on a real server, and the whole service with two replicas on one."""

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sidecar.clients.lists.shapes import Shape
from sidecar.clients.redis.commands import connected
from sidecar.clients.redis.connection import open_client
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.shapes import SharedShapes
from sidecar.settings.redis_address import redis_address
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import ROOT, Sidecar, serving
from tests.doubles.redis.security import PASSWORD, Security
from tests.doubles.redis.server import RedisServer, redis_server_with
from tests.doubles.running_app import CLERK, bearer, environment
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually

pytestmark = pytest.mark.redis
SPACE = Space.of("the-secret-that-replicas-share-is-long", "shapes", "rk_live_hush")
NAME = ("/v1/payment_intents", "", "")
SHAPE = Shape(((1_700_000_500, 100), (1_700_000_020, 150)))


async def test_two_replicas_on_a_server() -> None:
    """D2: what one replica keeps another finds, with a user that may do what README lets it."""
    text = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
    [rules] = re.findall(r"^ACL SETUSER \S+ on \S+ (resetkeys .+)$", text, re.MULTILINE)
    async with (
        redis_server_with(security=Security(PASSWORD, "sidecar", rules)) as server,
        connected(open_client(redis_address(server.url))) as commands,
        connected(open_client(redis_address(server.url))) as others,
    ):
        first, second = SharedShapes(commands, SPACE), SharedShapes(others, SPACE)
        assert await second.find(NAME) is None

        first.keep(NAME, SHAPE)
        await first.aclose()

        assert await second.find(NAME) == SHAPE


async def test_something_else_in_its_place() -> None:
    """What is of another type there is no shape, and the next one replaces it."""
    async with (
        redis_server_with() as server,
        connected(open_client(redis_address(server.url))) as commands,
    ):
        shapes = SharedShapes(commands, SPACE)
        shapes.keep(NAME, SHAPE)
        await shapes.aclose()
        place = (await server.cli("--scan")).strip()
        await server.cli("DEL", place)
        await server.cli("RPUSH", place, "x")

        assert await shapes.find(NAME) is None
        shapes.keep(NAME, SHAPE)
        await shapes.aclose()
        assert await shapes.find(NAME) == SHAPE


async def test_two_processes(
    directus: DirectusDouble, stripe: StripeDouble, redis_server: RedisServer, tmp_path: Path
) -> None:
    """The first list of the second replica is cut by the shape that the first one's left, after its first page."""
    for number in range(350):
        stripe.add_customer(created=1_700_000_000 + 60 * number)
    variables = environment(directus.url, stripe.url, REDIS=redis_server.url)
    async with AsyncExitStack() as exits:
        one, other = [await exits.enter_async_context(serving(tmp_path / name, **variables)) for name in "ab"]
        first = await whole(one, stripe)
        await eventually(lambda: commands(one, at_least=2))

        second = await whole(other, stripe)

    pieces = [sum("starting_after" not in target for target in targets) for targets in (first, second)]
    assert [len(first), len(second)] == [5, 4]
    assert pieces == [2, 3]


async def whole(sidecar: Sidecar, stripe: StripeDouble) -> list[str]:
    """Read the whole list, and give what Stripe was asked for."""
    before = len(stripe.asked)
    answer = await sidecar.call("/stripe/customers", bearer(CLERK.token))
    assert len(json.loads(answer.body)) == 350
    return [request.target for request in stripe.asked[before:]]


async def commands(sidecar: Sidecar, *, at_least: int) -> bool:
    lines = (await sidecar.call("/metrics")).body.decode().splitlines()
    name = 'sidecar_shared_seconds_count{part="shapes"}'
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)) >= at_least
