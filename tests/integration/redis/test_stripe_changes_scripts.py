"""The scripts about changes at Stripe, on the double in memory and on a real server, which must agree."""

import re
from collections.abc import AsyncIterator
from time import time

import pytest
from redis.asyncio import Redis as Client

from sidecar.clients.redis.changes import AGE, LIFE, TELL
from sidecar.clients.redis.commands import Away
from sidecar.clients.redis.scripts import Script
from tests.doubles.process import ROOT
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.redis.security import PASSWORD, Security
from tests.doubles.redis.server import redis_server_with
from tests.integration.redis.places import Memory, Place, Server

SECOND = 1_000_000  # microseconds
LONG = pytest.param(b"9" * 400, id="long")
UNREADABLE = [b"", b"x", b"nan", b"inf", b"-inf", b"-5", b"0x10", b"1e3", b" 5", b"5 ", b"5\n", LONG, "ahead", [b"x"]]


@pytest.fixture(params=["memory", pytest.param("server", marks=pytest.mark.redis)])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "memory":
        yield Memory(RedisMemory(time))
        return
    async with redis_server_with() as server, Client(port=server.port, protocol=2) as client:
        yield Server(client)


async def test_a_change_sets_the_moment(place: Place) -> None:
    """What tells of a change keeps the moment at which that was done, and each telling a later one."""
    before = await place.now()

    for _ in range(2):
        await place.run(TELL)

        moment = await place.moment()
        assert before <= moment <= (before := await place.now())


async def test_the_age_of_a_change(place: Place) -> None:
    """The age is what has passed since the moment, which looking at it does not move."""
    moment = await place.now() - 5 * SECOND
    await place.put(b"%d" % moment)
    before = await place.now()

    age = await place.run(AGE)

    assert before - moment <= age <= await place.now() - moment
    assert await place.moment() == moment


async def test_a_missing_moment_becomes_now(place: Place) -> None:
    """Where there is no moment, or no longer, nothing is older than the first look at it."""
    for _ in range(2):
        before = await place.now()

        assert await place.run(AGE) == 0
        assert before <= await place.moment() <= await place.now()
        await place.flush()


@pytest.mark.parametrize("value", UNREADABLE, ids=repr)
async def test_an_unreadable_moment_becomes_now(place: Place, value: bytes | str | list[bytes]) -> None:
    """What is no moment, is ahead, or is of another type counts as a change at the first look, and no later one."""
    before = await place.now()
    await place.put(b"%d" % (before + 3600 * SECOND) if isinstance(value, str) else value)

    assert await place.run(AGE) == 0
    moment = await place.moment()
    assert before <= moment <= await place.now()
    await place.run(AGE)
    assert await place.moment() == moment


async def test_a_change_replaces_what_stands_there(place: Place) -> None:
    """A change is told whatever stands in its place."""
    for value in (b"x", b"%d" % (await place.now() + 3600 * SECOND), [b"x"]):
        await place.put(value)
        before = await place.now()

        await place.run(TELL)

        assert before <= await place.moment() <= await place.now()


@pytest.mark.parametrize("script", [TELL, AGE], ids=["tell", "age"])
async def test_the_moment_is_kept_for_a_day(place: Place, script: Script) -> None:
    """The moment of replicas that are gone goes too, a day after the last change or look."""
    await place.put(b"1")

    await place.run(script)

    assert LIFE - 60_000 < await place.left() <= LIFE


@pytest.mark.redis
async def test_the_user_of_the_readme() -> None:
    """D2: the scripts need no command beyond those that README gives the user."""
    text = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
    [rules] = re.findall(r"^ACL SETUSER \S+ on \S+ (resetkeys .+)$", text, re.MULTILINE)
    async with (
        redis_server_with(security=Security(PASSWORD, "sidecar", rules)) as server,
        Client(port=server.port, protocol=2, username="sidecar", password=PASSWORD) as client,
    ):
        await Server(client).run(TELL)

        assert await Server(client).run(AGE) >= 0


@pytest.mark.redis
@pytest.mark.parametrize(
    "hindrance",
    [("REPLICAOF", "127.0.0.1", "1"), ("CONFIG", "SET", "maxmemory", "1")],
    ids=["a copy", "full"],
)
async def test_a_server_that_cannot_be_told_cannot_be_asked(hindrance: tuple[str, ...]) -> None:
    """A server on which no change can be told, such as a copy of another one, gives no age, though it has a moment."""
    async with redis_server_with() as server, Client(port=server.port, protocol=2) as client:
        place = Server(client)
        await place.run(TELL)
        await server.cli(*hindrance)

        for script in (TELL, AGE):
            with pytest.raises(Away):
                await place.run(script)
