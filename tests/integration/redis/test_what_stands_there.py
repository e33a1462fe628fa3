"""What somebody finds in Redis who may read all of it, and what somebody achieves who may also write."""

import pytest

from tests.doubles.redis.server import RedisServer
from tests.doubles.running_app import CLERK, KEY, LOGOUT_SECRET, NOBODY, PEOPLE, SIDECAR_SECRET, spellings
from tests.doubles.waiting import eventually
from tests.integration.redis.contents import Contents
from tests.integration.redis.replica_parts import announcements_to, answers_in
from tests.integration.redis.rig import TARGET, Rig, errors, status, statuses, tell_logout

ADDRESS, HOUR = "127.9.8.7", 3_600_000
EMAIL, USER = "ada.marked@example.com", "6a2b8b7e-0000-4000-8000-00000000c0de"


async def test_nothing_shows(rig: Rig, redis_server: RedisServer, redis_contents: Contents) -> None:
    """Neither names nor values show a token, an address, a key, an e-mail address or an ID, in any spelling."""
    apps = await rig.open(2, redis_server.url)
    users = [*rig.newcomers(3), *PEOPLE]
    await statuses(apps, users)
    await apps[0].call(CLERK, TARGET, source=ADDRESS)
    created = await apps[0].create(CLERK, email=EMAIL)
    await tell_logout(apps[0], users[0])
    async with announcements_to(redis_server, rig.space) as announcements:
        announcements.change_user(USER)
        announcements.change_everybody()

    await redis_contents.load()

    assert len(redis_contents) > 15
    assert all(name.startswith("sidecar:{") for name in redis_contents)
    secrets = {KEY, SIDECAR_SECRET, LOGOUT_SECRET, ADDRESS, "127.0.0.1", EMAIL, USER, created.json()["id"], "customers"}
    secrets |= {part for user in users for part in (user.token, user.name)}
    stands = [text for name, value in redis_contents.items() for text in (name, value.decode("latin-1"))]
    for secret in secrets:
        assert not [text for text in stands for spelling in spellings(secret) if spelling in text], secret
    assert not [text for text in stands if "cus_" in text]


async def test_moved(rig: Rig, redis_server: RedisServer, redis_contents: Contents) -> None:
    """A permission that is moved to another caller's key lets nobody in: that caller is asked for anew."""
    first, second = await rig.open(2, redis_server.url)
    assert await status(first, CLERK) == 200
    name, _, sealed = await redis_contents.answer()
    assert await status(first, NOBODY) == 401
    before = set(redis_contents)
    await redis_contents.load()
    (other,) = [key for key in redis_contents.answers() if key not in before]
    await redis_contents.write(other, redis_contents.marks(other) + sealed)
    asked, failed = rig.questions, await errors(second)

    assert await status(second, NOBODY) == 401

    assert (rig.questions, await errors(second) > failed, other != name) == (asked + 1, True, True)


@pytest.mark.parametrize("place", [0, 1, 20, -1])
async def test_changed(rig: Rig, redis_server: RedisServer, redis_contents: Contents, place: int) -> None:
    """A value of which one bit was changed is as if it were not there, wherever the bit is."""
    first, second = await rig.open(2, redis_server.url)
    assert await status(first, CLERK) == 200
    name, marks, sealed = await redis_contents.answer()
    changed = bytearray(sealed)
    changed[place] ^= 1
    await redis_contents.write(name, marks + bytes(changed))

    assert await status(second, CLERK) == 200

    assert (rig.questions, await errors(second) > 0) == (2, True)


@pytest.mark.parametrize("rubbish", [b"", b"|||", b"x", b"\xff" * 100])
async def test_rubbish(rig: Rig, redis_server: RedisServer, redis_contents: Contents, rubbish: bytes) -> None:
    """Whatever stands in the place of the values, all callers are answered by Directus."""
    apps = await rig.open(2, redis_server.url)
    assert await status(apps[0], CLERK) == 200
    await redis_contents.load()
    for name in await redis_contents.texts():
        await redis_contents.write(name, rubbish)

    assert await statuses(apps, [CLERK, *rig.newcomers(3)]) == {200}
    assert await statuses(apps, [NOBODY]) == {401}


async def test_of_another_type(rig: Rig, redis_server: RedisServer, redis_contents: Contents) -> None:
    """Keys of another type than the sidecar's cost questions and end nothing."""
    apps = await rig.open(2, redis_server.url)
    assert await status(apps[0], CLERK) == 200
    await redis_contents.load()
    for name in await redis_contents.texts():
        await redis_contents.replace_by_list(name)

    assert await statuses(apps, [CLERK, *rig.newcomers(3)]) == {200}


async def test_replayed_after_a_logout(rig: Rig, redis_server: RedisServer, redis_contents: Contents) -> None:
    """Whoever puts back all that stood there before a logout brings nobody back where the logout was felt."""
    apps = await rig.open(2, redis_server.url)
    user = rig.newcomer()
    await statuses(apps, [user])
    await redis_contents.load()
    before = {name: redis_contents[name] for name in await redis_contents.texts()}
    rig.end_session(user)
    await tell_logout(apps[0], user)
    for name, value in before.items():
        await redis_contents.put(name, value, HOUR)

    assert await statuses(apps, [user]) == {401}


async def test_prolonged(redis_server: RedisServer, redis_contents: Contents) -> None:
    """A key whose life was made longer, or that was put back, gives no yes later than its time and 5 seconds."""
    async with answers_in(redis_server) as shared:
        await shared.keep(yes=10.0, no=3.0)
        (name,) = await redis_contents.load_answers()
        await redis_contents.prolong(name, HOUR)

        lives = [await shared.left(later) for later in (0.0, 5.0, 14.0, 15.1, 600.0)]
        assert [(yes > 0, no > 0) for yes, no in lives] == [
            (True, True),
            (True, True),
            (True, False),
            (False, False),
            (False, False),
        ]
        assert all(yes <= 10.0 for yes, _ in lives)
        await redis_contents.put(name, redis_contents[name], HOUR)
        assert [yes > 0 for yes, _ in [await shared.left(14.0), await shared.left(15.1)]] == [True, False]


async def test_without_end(redis_server: RedisServer, redis_contents: Contents) -> None:
    """An answer whose key was made to live for ever is not given at all."""
    async with answers_in(redis_server) as shared:
        await shared.keep(yes=10.0, no=3.0)
        (name,) = await redis_contents.load_answers()
        await redis_contents.write_for_ever(name)

        assert await shared.look(0.0) is None


async def test_replayed_late(rig: Rig, redis_server: RedisServer, redis_contents: Contents) -> None:
    """A permission that is put back again and again for an hour lets nobody in once its time and 5 seconds are over."""
    settings = {"PERMISSIONS_CACHE_TTL": "1", "PERMISSIONS_DENIED_TTL": "1"}
    first, second = await rig.open(2, redis_server.url, settings)
    user = rig.newcomer()
    assert await status(first, user) == 200
    name, marks, sealed = await redis_contents.answer()
    rig.end_session(user)

    async def is_refused_for_good() -> bool:
        await redis_contents.put(name, marks + sealed, HOUR)
        return {await status(second, user), await status(first, user)} == {401}

    await eventually(is_refused_for_good, within=30)
    assert await is_refused_for_good()
