"""Redis is silent, refuses connections, dies, or comes back empty."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from tests.doubles.directus import User
from tests.doubles.redis.server import RedisServer
from tests.doubles.relay import Relay
from tests.doubles.running_app import RunningApp
from tests.doubles.waiting import eventually
from tests.integration.redis.rig import (
    Rig,
    errors,
    eventually_shared,
    metric,
    sent,
    shared,
    status,
    statuses,
    tell_logout,
)

Away = Callable[[], Awaitable[None]]
Back = Callable[[], Awaitable[None]]
WAYS = ("silent", "cut", "frozen", "killed")


def ways(server: RedisServer, relay: Relay, way: str) -> tuple[Away, Back]:
    """Give how Redis goes away, and how it comes back."""

    async def go() -> None:
        {"silent": relay.pause, "cut": relay.cut, "frozen": server.freeze, "killed": server.kill}[way]()

    async def come() -> None:
        match way:
            case "silent":
                relay.release()
            case "cut":
                await relay.mend()
            case "frozen":
                server.resume()
            case _:
                await server.start()

    return go, come


async def lose(rig: Rig, apps: list[RunningApp], go: Away) -> None:
    """Take Redis away, and wait until each replica has noticed and sends nothing more."""
    await go()
    for _ in range(3):
        await statuses(apps, rig.newcomers(1))
    await eventually_shared(apps, "lost")


@pytest.mark.parametrize("way", WAYS)
async def test_remembered(rig: Rig, redis_server: RedisServer, redis_relay: Relay, way: str) -> None:
    """Without Redis those who are remembered are answered from memory, and ask it nothing."""
    apps = await rig.open(2, redis_relay.url)
    users = rig.newcomers(10)
    await statuses(apps, users)
    go, _ = ways(redis_server, redis_relay, way)
    asked, waited, failed = rig.questions, [await sent(app) for app in apps], [await errors(app) for app in apps]
    await go()

    assert await statuses(apps, users) == {200}

    assert (rig.questions, [await sent(app) for app in apps]) == (asked, waited)
    await eventually_shared(apps, "lost")
    assert [await errors(app) > before for app, before in zip(apps, failed, strict=True)] == [True, True]


@pytest.mark.parametrize("way", WAYS)
async def test_new(rig: Rig, redis_server: RedisServer, redis_relay: Relay, way: str) -> None:
    """Without Redis new callers are answered by Directus and wait for nothing else; /readyz tells, and stays 200."""
    apps = await rig.open(2, redis_relay.url)
    await lose(rig, apps, ways(redis_server, redis_relay, way)[0])
    asked, waited, failed = rig.questions, [await sent(app) for app in apps], [await errors(app) for app in apps]

    assert await statuses(apps, rig.newcomers(10)) == {200}

    assert (rig.questions, [await sent(app) for app in apps]) == (asked + 20, waited)
    assert [await shared(app) for app in apps] == [(200, "lost")] * 2
    assert [await metric(app, "sidecar_shared_up") for app in apps] == [0, 0]
    assert [await errors(app) - before >= 10 for app, before in zip(apps, failed, strict=True)] == [True, True]


@pytest.mark.parametrize("way", WAYS)
async def test_back(rig: Rig, redis_server: RedisServer, redis_relay: Relay, way: str) -> None:
    """When Redis is back, replicas share again without anybody's doing."""
    apps = await rig.open(2, redis_relay.url)
    go, come = ways(redis_server, redis_relay, way)
    await lose(rig, apps, go)

    await come()
    await eventually_shared(apps, "up")

    asked = rig.questions
    assert await statuses(apps, rig.newcomers(10)) == {200}
    assert rig.questions <= asked + 11
    for app in apps:
        await eventually(partial(_is_up, app))


@pytest.mark.parametrize("way", WAYS)
async def test_logout_meanwhile(rig: Rig, redis_server: RedisServer, redis_relay: Relay, way: str) -> None:
    """A logout told without Redis ends the session at that replica at once, and at the others once Redis is back."""
    apps = await rig.open(3, redis_relay.url)
    told, *others = apps
    user = rig.newcomer()
    await statuses(apps, [user])
    go, come = ways(redis_server, redis_relay, way)
    await lose(rig, apps, go)

    rig.end_session(user)
    await tell_logout(told, user)

    assert [await status(app, user) for app in apps] == [401, 200, 200]
    await come()
    for app in others:
        await eventually(partial(_refuses, app, user))
    assert await status(told, user) == 401


async def test_owed(rig: Rig, redis_server: RedisServer, redis_relay: Relay) -> None:
    """Until a replica has told what it owes, it takes nothing out of a Redis that others fill meanwhile."""
    alone = (await rig.open(1, redis_relay.url))[0]
    (other,) = await rig.open(1, redis_server.url, beside=1)
    user = rig.newcomer()
    await lose(rig, [alone], ways(redis_server, redis_relay, "cut")[0])
    rig.end_session(user)
    await tell_logout(alone, user)
    user.refused = None
    await status(other, user)
    rig.end_session(user)

    await redis_relay.mend()

    async def is_up() -> bool:
        assert await status(alone, user) == 401, "what the other shared is from before what this one owes"
        return await shared(alone) == (200, "up")

    await eventually(is_up)
    await eventually(partial(_refuses, other, user))


async def test_restarted_empty(rig: Rig, redis_server: RedisServer) -> None:
    """A Redis that comes back empty brings nobody back: replicas forget everything once, and share anew."""
    apps = await rig.open(2, redis_server.url)
    user, gone = rig.newcomers(2)
    await statuses(apps, [user, gone])
    rig.end_session(gone)
    await tell_logout(apps[0], gone)
    gaps = [await metric(app, "sidecar_purges_total", cause="gap") for app in apps]
    redis_server.kill()
    await eventually_shared(apps, "lost")

    await redis_server.restart()
    await eventually_shared(apps, "up")
    for app, before in zip(apps, gaps, strict=True):
        await eventually(partial(_has_purged, app, before + 1))

    assert [await status(app, gone) for app in apps] == [401, 401]
    asked = rig.questions
    assert await statuses(apps, [user]) == {200}
    assert rig.questions == asked + 1
    assert [await metric(app, "sidecar_purges_total", cause="gap") for app in apps] == [before + 1 for before in gaps]


async def _is_up(app: RunningApp) -> bool:
    return await metric(app, "sidecar_shared_up") == 1


async def _refuses(app: RunningApp, user: User) -> bool:
    return await status(app, user) == 401


async def _has_purged(app: RunningApp, times: float) -> bool:
    return await metric(app, "sidecar_purges_total", cause="gap") == times
