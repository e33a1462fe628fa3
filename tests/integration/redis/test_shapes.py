"""Shapes of lists on a real server, and the whole service with two replicas on one."""

import json
import re
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

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
    """The first list of the second replica is cut by the shape that the first one's left, after its first page.

    A list waits a moment only for a shape, which may pass on a busy machine: so several lists are tried, each with a
    name of its own, until one of them is cut.
    """
    for number in range(350):
        stripe.add_customer(created=1_700_000_000 + 60 * number)
    variables = environment(directus.url, stripe.url, REDIS=redis_server.url)
    lists = count(1)
    async with AsyncExitStack() as exits:
        one, other = [await exits.enter_async_context(serving(tmp_path / name, **variables)) for name in "ab"]

        async def cut() -> bool:
            query = f"?created[gte]={next(lists)}"
            before = await commands(one)
            first = await whole(one, stripe, query)
            assert len(first) == 5
            assert not cut_after_the_first_page(first)
            await eventually(lambda: commands_since(one, before + 2))

            second = await whole(other, stripe, query)
            return len(second) == 4 and cut_after_the_first_page(second)

        await eventually(cut)


async def whole(sidecar: Sidecar, stripe: StripeDouble, query: str) -> list[str]:
    """Read the whole list, and give what Stripe was asked for."""
    before = len(stripe.asked)
    answer = await sidecar.call(f"/stripe/customers{query}", bearer(CLERK.token))
    assert len(json.loads(answer.body)) == 350
    return [request.target for request in stripe.asked[before:]]


def cut_after_the_first_page(targets: list[str]) -> bool:
    """Whether each of the next two requests asks for one side of the same time."""
    second, third = (parse_qs(urlsplit(target).query) for target in targets[1:3])
    sides = [(one.get("created[gte]"), other.get("created[lt]")) for one, other in ((second, third), (third, second))]
    return any(newer is not None and newer == older for newer, older in sides)


async def commands_since(sidecar: Sidecar, number: float) -> bool:
    return await commands(sidecar) >= number


async def commands(sidecar: Sidecar) -> float:
    """How many commands about shapes it has had answered."""
    lines = (await sidecar.call("/metrics")).body.decode().splitlines()
    name = 'sidecar_shared_seconds_count{part="shapes"}'
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))
