"""Changes that one replica hears of, and questions under way at another."""

import base64
import json
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.doubles.directus import User, full, grants
from tests.doubles.redis.server import RedisServer
from tests.doubles.running_app import PEOPLE, RunningApp
from tests.doubles.waiting import eventually
from tests.integration.redis.followed import FOLLOWING, FollowedDirectus
from tests.integration.redis.rig import TARGET, Rig, metric, status, statuses, tell_logout

USER = "6a2b8b7e-0000-4000-8000-00000000c0de"


@pytest.fixture
async def directus() -> AsyncIterator[FollowedDirectus]:
    async with FollowedDirectus.running() as double:
        double.add_users(PEOPLE)
        yield double


async def of_a_session(rig: Rig) -> User:
    """Add a user whose token names it, as a session's does."""
    claims = {"iss": "directus", "id": USER, "role": None, "exp": 4_000_000_000}
    token = f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.MARKEDsignature"
    user = User(USER, token, grants(read=full()))
    rig.directus.add_users([user])
    rig.users.append(user)
    return user


async def hearing_and_deaf(rig: Rig, server: RedisServer) -> tuple[RunningApp, RunningApp]:
    """Give a replica that follows Directus, and one that hears of it only through Redis."""
    (hearing,) = await rig.open(1, server.url, FOLLOWING)
    await eventually(lambda: len(_followed(rig).followers) == 1)
    await eventually(partial(_has_settled, hearing))
    (deaf,) = await rig.open(1, server.url, beside=1)
    return hearing, deaf


async def test_a_change_is_felt_by_all(rig: Rig, redis_server: RedisServer) -> None:
    """A right that is taken away ends at once also at a replica that does not hear of it from Directus."""
    apps = await hearing_and_deaf(rig, redis_server)
    user = rig.newcomer()
    assert await statuses(apps, [user]) == {200}

    user.permissions = {}
    await _followed(rig).change_permissions()

    for app in apps:
        await eventually(partial(_refuses, app, user))


async def test_a_change_of_a_user_is_felt_by_all(rig: Rig, redis_server: RedisServer) -> None:
    """A change of one user ends what is known of it at each replica, and costs nobody else a question."""
    apps = await hearing_and_deaf(rig, redis_server)
    user, other = await of_a_session(rig), rig.newcomer()
    assert await statuses(apps, [user]) == {200}

    user.permissions = {}
    await _followed(rig).change_user(USER.upper())

    for app in apps:
        await eventually(partial(_refuses, app, user))
    assert await statuses(apps, [other]) == {200}
    assert [await metric(app, "sidecar_purges_total", cause="told") for app in apps] == [1, 0]


async def test_purge_during_a_question(rig: Rig, redis_server: RedisServer) -> None:
    """C7: An answer from before a change that another replica heard of is kept by nobody."""
    hearing, asking = await hearing_and_deaf(rig, redis_server)
    user = rig.newcomer()
    stall = rig.hold_answers()
    answer = asking.start(user, TARGET)
    await eventually(lambda: stall.arrived == 1)
    before = await metric(asking, "sidecar_purges_total", cause="told")
    await _followed(rig).change_permissions()
    await eventually(partial(_purged, asking, before + 1))

    stall.release()

    assert (await answer).status == 200
    user.permissions = {}
    assert [await status(app, user) for app in (asking, hearing)] == [401, 401]


async def test_change_of_a_user_during_its_question(rig: Rig, redis_server: RedisServer) -> None:
    """C7: An answer from before a change of its user that another replica heard of is not shared."""
    hearing, asking = await hearing_and_deaf(rig, redis_server)
    user = await of_a_session(rig)
    stall = rig.hold_answers()
    answer = asking.start(user, TARGET)
    await eventually(lambda: stall.arrived == 1)
    await _followed(rig).change_user(USER)
    await eventually(partial(_has_forgotten_a_user, asking))

    stall.release()

    assert (await answer).status == 200
    user.permissions = {}
    assert [await status(app, user) for app in (asking, hearing)] == [401, 401]


async def test_logout_during_a_question(rig: Rig, redis_server: RedisServer) -> None:
    """C7: An answer from before a logout that another replica was told of is kept by nobody."""
    asking, told = await rig.open(2, redis_server.url)
    user = rig.newcomer()
    stall = rig.hold_answers()
    answer = asking.start(user, TARGET)
    await eventually(lambda: stall.arrived == 1)
    await tell_logout(told, user)

    stall.release()

    assert (await answer).status == 200
    rig.end_session(user)
    (fresh,) = await rig.open(1, redis_server.url, beside=2)
    assert await statuses([asking, told, fresh], [user]) == {401}


def _followed(rig: Rig) -> FollowedDirectus:
    assert isinstance(rig.directus, FollowedDirectus)
    return rig.directus


async def _refuses(app: RunningApp, user: User) -> bool:
    return await status(app, user) in {401, 403}


async def _purged(app: RunningApp, times: float) -> bool:
    return await metric(app, "sidecar_purges_total", cause="told") >= times


async def _has_settled(app: RunningApp) -> bool:
    """Whether what is told when a feed begins has been heard, by this replica too."""
    return await metric(app, "sidecar_purges_total", cause="told") == 1


async def _has_forgotten_a_user(app: RunningApp) -> bool:
    return await metric(app, "sidecar_users_forgotten_total") >= 1
