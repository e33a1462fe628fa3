"""A Redis that loses what it had, is full, or lets its user do less than the sidecar needs."""

import re

import pytest

from deploy.demo import servers
from tests.doubles.redis.security import PASSWORD, Security
from tests.doubles.redis.server import RedisServer, redis_server_with
from tests.doubles.running_app import RunningApp
from tests.doubles.waiting import eventually
from tests.integration.redis.rig import (
    Rig,
    errors,
    eventually_shared,
    metric,
    status,
    statuses,
    tell_logout,
)

pytestmark = pytest.mark.redis
FILL = "for n = 1, 3000 do redis.call('SET', n, string.rep('x', 1000)) end"
[RULES] = re.findall(
    r"^ACL SETUSER \S+ on \S+ (resetkeys .+)$", (servers.ROOT / "deploy/README.md").read_text(), re.MULTILINE
)


async def test_flushed(rig: Rig, redis_server: RedisServer) -> None:
    """FLUSHALL brings nobody back who was logged out, and costs each replica one purge."""
    apps = await rig.open(2, redis_server.url)
    user, gone = rig.newcomers(2)
    await statuses(apps, [user, gone])
    rig.end_session(gone)
    await tell_logout(apps[0], gone)
    before = [await _gaps(app) for app in apps]

    await redis_server.cli("FLUSHALL")

    async def both_noticed() -> bool:
        return [await _gaps(app) for app in apps] == [gaps + 1 for gaps in before]

    await eventually(both_noticed)
    assert [await status(app, gone) for app in apps] == [401, 401]
    asked = rig.questions
    assert await statuses(apps, [user]) == {200}
    assert rig.questions == asked + 1
    await tell_logout(apps[1], user)
    rig.end_session(user)
    assert [await status(app, user) for app in apps] == [401, 401]


async def test_flushed_during_a_question(rig: Rig, redis_server: RedisServer) -> None:
    """C7: An answer whose marks were flushed while Directus gave it is not shared."""
    (app,) = await rig.open(1, redis_server.url)
    stall = rig.hold_answers()
    asking = app.start(rig.newcomer(), "/stripe/customers?limit=1")
    await eventually(lambda: stall.arrived == 1)
    await redis_server.cli("FLUSHALL")
    stall.release()

    assert (await asking).status == 200

    (other,) = await rig.open(1, redis_server.url, beside=1)
    asked = rig.questions
    assert await status(other, rig.users[-1]) == 200
    assert rig.questions == asked + 1


async def test_full(rig: Rig, redis_full: RedisServer) -> None:
    """A Redis that refuses to store more shares nothing; a logout is felt where it is told."""
    apps = await rig.open(2, redis_full.url)
    await redis_full.cli("EVAL", FILL, "0")
    failed = [await errors(app) for app in apps]
    users = rig.newcomers(10)

    assert await statuses(apps, users) == {200}

    assert rig.questions == 20
    assert [await errors(app) > before for app, before in zip(apps, failed, strict=True)] == [True, True]
    rig.end_session(users[0])
    await tell_logout(apps[0], users[0])
    assert await status(apps[0], users[0]) == 401
    await eventually_shared(apps, "lost")


async def test_no_more_full(rig: Rig, redis_full: RedisServer) -> None:
    """What a full Redis would not take is told once there is room, and sharing works again."""
    apps = await rig.open(2, redis_full.url)
    user = rig.newcomer()
    await statuses(apps, [user])
    await redis_full.cli("EVAL", FILL, "0")
    rig.end_session(user)
    await tell_logout(apps[0], user)
    assert [await status(app, user) for app in apps] == [401, 200]

    await redis_full.cli("EVAL", "for n = 1, 3000 do redis.call('DEL', n) end", "0")

    async def is_felt() -> bool:
        return await status(apps[1], user) == 401

    await eventually(is_felt)
    await eventually_shared(apps, "up")
    asked = rig.questions
    assert await statuses(apps, rig.newcomers(10)) == {200}
    assert rig.questions <= asked + 11


async def test_evicting(rig: Rig) -> None:
    """A Redis that drops what it had, marks too, lets nobody in who was logged out."""
    async with redis_server_with("maxmemory 2mb", "maxmemory-policy allkeys-lru") as server:
        apps = await rig.open(2, server.url)
        users = rig.newcomers(10)
        await statuses(apps, users)
        for user in users[:5]:
            rig.end_session(user)
            await tell_logout(apps[0], user)
        await server.cli("EVAL", FILL, "0")
        (fresh,) = await rig.open(1, server.url, beside=2)

        assert await statuses([*apps, fresh], users[:5]) == {401}
        assert await statuses([*apps, fresh], users[5:]) == {200}
        assert int(await server.info("evicted_keys")) > 0


@pytest.mark.parametrize("less", ["-evalsha", "-xadd", "-xread", "-get", "-time", "-ping", "resetkeys ~other:*"])
async def test_few_rights(rig: Rig, less: str) -> None:
    """Whatever its user may not do, all are answered, errors are counted, and the log stays short."""
    async with redis_server_with(security=Security(PASSWORD, "sidecar", f"{RULES} {less}")) as server:
        apps = [await rig.open_anyway(server.url) for _ in range(2)]
        users = rig.newcomers(10)

        assert await statuses(apps, users) == {200}

        async def each_counts() -> bool:
            return all([await errors(app) > 0 for app in apps])

        await eventually(each_counts)
        rig.end_session(users[0])
        await tell_logout(apps[0], users[0])
        assert await status(apps[0], users[0]) == 401
        assert rig.lines_about_redis() == []


async def test_just_enough_rights(rig: Rig) -> None:
    """The user of deploy/README.md shares all, and a logout is felt by all."""
    async with redis_server_with(security=Security(PASSWORD, "sidecar", RULES)) as server:
        apps = await rig.open(2, server.url)
        (user,) = rig.newcomers(1)
        assert await statuses(apps, [user]) == {200}
        assert rig.questions == 1

        rig.end_session(user)
        await tell_logout(apps[0], user)

        assert await statuses(apps, [user]) == {401}
        assert [await errors(app) for app in apps] == [0, 0]


async def _gaps(app: RunningApp) -> float:
    return await metric(app, "sidecar_purges_total", cause="gap")
