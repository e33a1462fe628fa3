"""Redis whose keys somebody who may write has spoiled, once: replicas put them right, and agree again."""

from collections.abc import Awaitable, Callable

import pytest

from tests.doubles.redis.server import RedisServer
from tests.doubles.waiting import eventually
from tests.integration.redis.contents import Contents
from tests.integration.redis.rig import Rig, eventually_shared, statuses, tell_logout

LAST = b"18446744073709551615-18446744073709551615"  # the highest ID of an entry; none comes after it


async def of_another_type(contents: Contents) -> None:
    for name in list(contents):
        await contents.replace_by_list(name)


async def without_an_id_left(contents: Contents) -> None:
    for name in await contents.streams():
        await contents.add(name, LAST)


async def without_an_id_left_and_empty(contents: Contents) -> None:
    for name in await contents.streams():
        await contents.add(name, LAST)
        await contents.empty(name)


@pytest.mark.parametrize("spoil", [of_another_type, without_an_id_left, without_an_id_left_and_empty])
async def test_spoiled(
    rig: Rig, redis_server: RedisServer, redis_contents: Contents, spoil: Callable[[Contents], Awaitable[None]]
) -> None:
    """C13: A logout is felt by all replicas again, and who starts then hears of it too."""
    apps = await rig.open(2, redis_server.url)
    before, user = rig.newcomers(2)
    await statuses(apps, [user])
    await tell_logout(apps[0], before)
    await redis_contents.load()

    await spoil(redis_contents)

    await eventually_shared(apps, "up")
    apps += await rig.open(1, redis_server.url, beside=2)
    await statuses(apps, [user])
    rig.end_session(user)
    await tell_logout(apps[0], user)

    async def is_felt() -> bool:
        return await statuses(apps, [user]) == {401}

    await eventually(is_felt)
    await eventually_shared(apps, "up")
