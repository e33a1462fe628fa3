"""Shapes of lists on a real server, and the whole service with two replicas on one."""

import re

import pytest

from sidecar.clients.lists.shapes import Shape
from sidecar.clients.redis.commands import connected
from sidecar.clients.redis.connection import open_client
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.shapes import SharedShapes
from sidecar.settings.redis_address import redis_address
from tests.doubles.process import ROOT
from tests.doubles.redis.security import PASSWORD, Security
from tests.doubles.redis.server import redis_server_with

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
        await first.close()

        assert await second.find(NAME) == SHAPE


async def test_something_else_in_its_place() -> None:
    """What is of another type there is no shape, and the next one replaces it."""
    async with (
        redis_server_with() as server,
        connected(open_client(redis_address(server.url))) as commands,
    ):
        shapes = SharedShapes(commands, SPACE)
        shapes.keep(NAME, SHAPE)
        await shapes.close()
        place = (await server.cli("--scan")).strip()
        await server.cli("DEL", place)
        await server.cli("RPUSH", place, "x")

        assert await shapes.find(NAME) is None
        shapes.keep(NAME, SHAPE)
        await shapes.close()
        assert await shapes.find(NAME) == SHAPE
