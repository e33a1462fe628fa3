"""Replicas that end and begin."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import pytest

from tests.doubles.redis.server import RedisServer
from tests.doubles.running_app import PEOPLE, RunningApp
from tests.doubles.waiting import eventually
from tests.integration.redis.followed import FOLLOWING, FollowedDirectus
from tests.integration.redis.rig import Rig, metric, signs, statuses

CALLERS, QUESTIONS = 300, 30


@pytest.fixture
async def directus() -> AsyncIterator[FollowedDirectus]:
    async with FollowedDirectus.running() as double:
        double.add_users(PEOPLE)
        yield double


@pytest.mark.parametrize("settings", [{}, FOLLOWING], ids=["alone", "following"])
async def test_rolling(rig: Rig, redis_server: RedisServer, settings: dict[str, str]) -> None:
    """While all replicas are replaced one by one, 300 callers cost at most 30 questions."""
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        running = {each: await _opened(rig, redis_server, each, settings) for each in (first, second)}
        users = rig.newcomers(CALLERS)
        assert await statuses([running[first]], users) == {200}
        asked = rig.questions
        assert asked == CALLERS

        for each, other in ((first, second), (second, first)):
            await each.aclose()
            await signs(running[other], 1)  # while all asked at once, the last one may have become old
            running[each] = await _opened(rig, redis_server, each, settings)
            assert await statuses(list(running.values()), users) == {200}

        assert rig.questions - asked <= QUESTIONS


async def test_feed_beside_another(rig: Rig, redis_server: RedisServer) -> None:
    """What is shared stays when a replica begins to follow Directus while another one does."""
    (first,) = await rig.open(1, redis_server.url, FOLLOWING)
    await eventually(partial(_told, first, 1))
    users = rig.newcomers(10)
    await statuses([first], users)
    (second,) = await rig.open(1, redis_server.url, FOLLOWING, beside=1)
    await eventually(partial(_follows, second))

    assert await statuses([first, second], users) == {200}

    assert rig.questions == 10
    assert [await metric(app, "sidecar_purges_total", cause="told") for app in (first, second)] == [1, 0]


async def test_first_feed(rig: Rig, redis_server: RedisServer) -> None:
    """What was shared while nobody followed Directus ends when the first replica does: changes may have been missed."""
    (deaf,) = await rig.open(1, redis_server.url)
    users = rig.newcomers(10)
    await statuses([deaf], users)
    await rig.open(1, redis_server.url, FOLLOWING, beside=1)
    await eventually(partial(_told, deaf, 1))

    assert await statuses([deaf], users) == {200}

    assert rig.questions == 20


async def test_feed_after_the_last(rig: Rig, redis_server: RedisServer) -> None:
    """The sign of a replica that has just ended does not count as somebody who follows Directus."""
    (deaf,) = await rig.open(1, redis_server.url)
    async with AsyncExitStack() as ending:
        gone = await rig.open_anyway(redis_server.url, FOLLOWING, within=ending)
        await eventually(partial(_told, gone, 1))
    users = rig.newcomers(10)
    await statuses([deaf], users)
    told = await metric(deaf, "sidecar_purges_total", cause="told")
    await signs(deaf, 2)  # what is told sooner counts as what was told last
    await rig.open_anyway(redis_server.url, FOLLOWING)

    await eventually(partial(_told, deaf, told + 1))

    assert await statuses([deaf], users) == {200}
    assert rig.questions == 20


async def _opened(rig: Rig, server: RedisServer, exits: AsyncExitStack, settings: dict[str, str]) -> RunningApp:
    app = await rig.open_anyway(server.url, settings, within=exits)
    if settings:
        await eventually(partial(_follows, app))
        await signs(app, 5)  # then it knows whether another one followed Directus while it began to
    return app


async def _told(app: RunningApp, times: float) -> bool:
    return await metric(app, "sidecar_purges_total", cause="told") == times


async def _follows(app: RunningApp) -> bool:
    return await metric(app, "sidecar_feed_connected") == 1
