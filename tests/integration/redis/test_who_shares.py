"""Which replicas share, and which share nothing although they use one Redis."""

import pytest

from tests.doubles.directus import DirectusDouble
from tests.doubles.redis.server import RedisServer
from tests.doubles.running_app import PEOPLE, SIDECAR_SECRET
from tests.doubles.waiting import eventually
from tests.integration.redis.contents import Contents
from tests.integration.redis.rig import Rig, errors, metric, status, statuses, tell_logout

OLD, NEW = SIDECAR_SECRET, "another-secret-of-32-bytes-or-more"
# Steps of a rotation, of which two that follow each other run at once.
STEPS = (OLD, f"{OLD},{NEW}", f"{NEW},{OLD}", NEW)


async def test_another_secret(rig: Rig, redis_server: RedisServer) -> None:
    """A replica with another secret shares nothing with the others, and disturbs nothing."""
    apps = await rig.open(2, redis_server.url)
    (stranger,) = await rig.open(1, redis_server.url, {"SIDECAR_SECRET": NEW})
    user = rig.newcomer()

    assert await statuses([*apps, stranger], [user]) == {200}
    assert rig.questions == 2
    rig.end_session(user)
    await tell_logout(stranger, user)
    assert [await status(app, user) for app in (*apps, stranger)] == [200, 200, 401]
    await tell_logout(apps[0], user)

    assert [await status(app, user) for app in apps] == [401, 401]
    assert [await errors(app) for app in (*apps, stranger)] == [0, 0, 0]


@pytest.mark.parametrize("told", [0, 1])
@pytest.mark.parametrize("step", range(len(STEPS) - 1))
async def test_rotation(rig: Rig, redis_server: RedisServer, step: int, told: int) -> None:
    """While a secret is replaced step by step, a logout told to one replica is felt by those of the next step too."""
    apps = [
        await rig.open_anyway(redis_server.url, {"SIDECAR_SECRET": secret})
        for secret in (STEPS[step], STEPS[step + 1], STEPS[step])
    ]
    user = rig.newcomer()
    await statuses(apps, [user])
    rig.end_session(user)

    await tell_logout(apps[told], user)

    async def all_refuse() -> bool:
        return await statuses(apps, [user]) == {401}

    await eventually(all_refuse)


async def test_another_directus(rig: Rig, redis_server: RedisServer) -> None:
    """Replicas of another Directus, with the same secret and Redis, never answer for each other."""
    (app,) = await rig.open(1, redis_server.url)
    user = rig.newcomer()
    assert await status(app, user) == 200
    async with DirectusDouble.running() as another:
        another.add_users(PEOPLE)
        other = await rig.open_anyway(redis_server.url, {"DIRECTUS_URL": another.url})

        assert await status(other, user) == 401
        assert await status(app, user) == 200
        assert await metric(other, "sidecar_replicas") == 1


async def test_other_collections(rig: Rig, redis_server: RedisServer) -> None:
    """Replicas that ask about other collections never answer for each other."""
    (app,) = await rig.open(1, redis_server.url)
    (other,) = await rig.open(1, redis_server.url, {"STRIPE_CUSTOMERS_COLLECTION": "people"})
    user = rig.newcomer()

    assert [await status(app, user), await status(other, user)] == [200, 401]
    assert rig.questions == 2


async def test_another_version(rig: Rig, redis_server: RedisServer, redis_contents: Contents) -> None:
    """What another version sealed is as if it were not there, and a metric; the marks of both are the same."""
    apps = await rig.open(2, redis_server.url)
    user = rig.newcomer()
    await status(apps[0], user)
    name, marks, sealed = await redis_contents.answer()
    await redis_contents.write(name, marks + b"\x02" + sealed[1:])

    assert await status(apps[1], user) == 200

    assert (rig.questions, await errors(apps[1]) > 0) == (2, True)
    rig.end_session(user)
    await tell_logout(apps[1], user)
    assert [await status(app, user) for app in apps] == [401, 401]


async def test_news_of_another_version(rig: Rig, redis_server: RedisServer, redis_contents: Contents) -> None:
    """News of a kind that this version does not know, or that another sealed, make each replica forget all once."""
    apps = await rig.open(2, redis_server.url)
    space = rig.space
    stream = space.name("news")

    for told, news in enumerate((space.close(stream, b"?what"), b"\x02" + space.close(stream, b"e")[1:]), 1):
        await redis_contents.announce(stream, news)

        async def each_forgot(times: int = told) -> bool:
            return [await metric(app, "sidecar_purges_total", cause="told") for app in apps] == [times, times]

        await eventually(each_forgot)
        assert [await metric(app, "sidecar_purges_total", cause="gap") for app in apps] == [1, 1]
