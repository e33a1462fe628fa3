"""Redis as several servers, and Redis that asks for trust."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509

from tests.doubles.directus import User
from tests.doubles.redis.certificates import Certificates, certificates
from tests.doubles.redis.cluster import RedisCluster, redis_cluster_with
from tests.doubles.redis.security import PASSWORD, Security
from tests.doubles.redis.sentinel import SentinelGroup, sentinel_group
from tests.doubles.redis.server import RedisServer, redis_server_with
from tests.doubles.relay import Relay
from tests.doubles.running_app import RunningApp
from tests.doubles.waiting import eventually
from tests.integration.redis.rig import Rig, eventually_shared, shared, status, statuses, tell_logout

pytestmark = pytest.mark.redis


async def require_sharing(rig: Rig, apps: Sequence[RunningApp]) -> None:
    """Ten new callers come to all replicas, and Directus is asked once for each."""
    asked = rig.questions
    assert await statuses(apps, rig.newcomers(10)) == {200}
    assert rig.questions <= asked + 11


async def require_felt(rig: Rig, apps: Sequence[RunningApp], user: User) -> None:
    """A logout of which one replica is told ends the session at all of them."""
    rig.end_session(user)
    await tell_logout(apps[0], user)
    for app in apps:
        await eventually(partial(_refuses, app, user))


async def test_failover(rig: Rig, redis_sentinel: SentinelGroup) -> None:
    """While another server becomes the primary all requests are answered; then sharing works there."""
    apps = await rig.open(2, redis_sentinel.url)
    users = rig.newcomers(10)
    await statuses(apps, users)
    await redis_sentinel.replicated()
    primary = redis_sentinel.servers[0]

    with _load(rig, apps, users) as seen:
        primary.kill()
        await redis_sentinel.failed_over(primary)
        await eventually_shared(apps, "up")

    assert set(seen) == {200}
    await require_sharing(rig, apps)


async def test_logout_after_a_failover(rig: Rig, redis_sentinel: SentinelGroup) -> None:
    """A logout right after a failover is felt by all, although the old primary is only frozen and comes back."""
    apps = await rig.open(3, redis_sentinel.url)
    user, *_ = users = rig.newcomers(3)
    await statuses(apps, users)
    await redis_sentinel.replicated()
    primary = redis_sentinel.servers[0]
    primary.freeze()
    await redis_sentinel.failed_over(primary)
    rig.end_session(user)

    await tell_logout(apps[0], user)

    primary.resume()
    for app in apps:
        await eventually(partial(_refuses, app, user))
    await eventually_shared(apps, "up")
    assert await statuses(apps, [user]) == {401}


async def test_demoted(rig: Rig, redis_server: RedisServer, redis_relay: Relay) -> None:
    """When the address leads to another server, the one that has become its replica and still answers is left."""
    apps = await rig.open(2, redis_relay.url)
    user = rig.newcomer()
    await statuses(apps, [user])
    async with redis_server_with() as primary:
        await redis_server.cli("REPLICAOF", "127.0.0.1", str(primary.port))
        redis_relay.lead_to(primary.url)
        await eventually_shared(apps, "lost")
        await eventually_shared(apps, "up")

        await require_sharing(rig, apps)
        await require_felt(rig, apps, user)


async def test_sentinels_with_secrets(rig: Rig, redis_certificates: Certificates) -> None:
    """Sentinels with a password of their own, TLS and an ACL user for the servers: replicas share."""
    security = Security(PASSWORD, "sidecar", certificates=redis_certificates)
    async with sentinel_group(security=security, sentinel_password="of-the-Sentinels") as group:
        trusted = {"REDIS_CA": redis_certificates.authority.read_text(), "REDIS_SENTINEL_PASSWORD": "of-the-Sentinels"}
        apps = await rig.open(2, group.url, trusted)

        assert await statuses(apps, rig.newcomers(10)) == {200}
        assert rig.questions <= 11


async def test_cluster(rig: Rig, redis_cluster: RedisCluster) -> None:
    """On a cluster replicas ask once for each caller, and a logout is felt by all."""
    apps = await rig.open(3, redis_cluster.url)
    users = rig.newcomers(10)
    assert await statuses(apps, users) == {200}
    assert rig.questions <= 11

    rig.end_session(users[0])
    await tell_logout(apps[0], users[0])

    assert [await status(app, users[0]) for app in apps] == [401] * 3


async def test_cluster_goes_and_comes(rig: Rig, redis_cluster: RedisCluster) -> None:
    """When the node with the replicas' slot dies all are answered; when it is back replicas share again."""
    apps = await rig.open(2, redis_cluster.url)
    node = await redis_cluster.node_of(rig.space.name("news"))
    node.kill()
    await eventually_shared(apps, "lost")
    assert await statuses(apps, rig.newcomers(10)) == {200}
    assert rig.questions == 20

    await node.start()
    await eventually(redis_cluster.is_well)
    await eventually_shared(apps, "up")

    await require_sharing(rig, apps)


async def test_whole_cluster_goes_and_comes(rig: Rig, redis_cluster: RedisCluster) -> None:
    """A cluster that is away, also at the start, is as no Redis, and is found when it comes."""
    for node in redis_cluster.nodes:
        node.kill()
    apps = [await rig.open_anyway(redis_cluster.url) for _ in range(2)]
    assert await statuses(apps, rig.newcomers(3)) == {200}
    assert [await shared(app) for app in apps] == [(200, "lost")] * 2

    await asyncio.gather(*(node.start() for node in redis_cluster.nodes))
    await eventually(redis_cluster.is_well)

    await eventually_shared(apps, "up")
    await require_sharing(rig, apps)


async def test_moved_slot(rig: Rig, redis_cluster: RedisCluster) -> None:
    """When the replicas' slot moves to another node they follow it."""
    apps = await rig.open(2, redis_cluster.url)
    user = rig.newcomer()
    await statuses(apps, [user])
    name = rig.space.name("news")
    node = await redis_cluster.node_of(name)
    other = next(each for each in redis_cluster.nodes if each is not node)
    slot, identity = await node.cli("CLUSTER", "KEYSLOT", name), await other.cli("CLUSTER", "MYID")
    await node.cli("FLUSHALL")
    for each in (other, node):
        await each.cli("CLUSTER", "SETSLOT", slot, "NODE", identity)

    await eventually_shared(apps, "up")

    await require_sharing(rig, apps)
    await require_felt(rig, apps, user)


async def test_encrypted(rig: Rig, redis_certificates: Certificates) -> None:
    """Over TLS, with a user's password, replicas share when they trust the server's authority."""
    security = Security(PASSWORD, "sidecar", certificates=redis_certificates)
    async with redis_server_with(security=security) as server:
        apps = await rig.open(2, server.url, {"REDIS_CA": redis_certificates.authority.read_text()})

        assert await statuses(apps, rig.newcomers(10)) == {200}
        assert rig.questions <= 11


async def test_encrypted_cluster(rig: Rig, redis_certificates: Certificates) -> None:
    """The same holds for the nodes of a cluster."""
    security = Security(PASSWORD, "sidecar", certificates=redis_certificates)
    async with redis_cluster_with(security=security) as cluster:
        apps = await rig.open(2, cluster.url, {"REDIS_CA": redis_certificates.authority.read_text()})

        assert await statuses(apps, rig.newcomers(10)) == {200}
        assert rig.questions <= 11


@pytest.mark.parametrize("wrong", ["authority", "name", "none"])
async def test_not_verified(rig: Rig, redis_certificates: Certificates, tmp_path: Path, wrong: str) -> None:
    """A server that is not the named one by a trusted authority gets no password, and is as if it were away."""
    shown = redis_certificates
    if wrong == "name":
        shown = certificates(tmp_path, name=x509.DNSName("another.example"))
    trusted = certificates(tmp_path) if wrong == "authority" else shown
    settings = {} if wrong == "none" else {"REDIS_CA": trusted.authority.read_text()}
    async with redis_server_with(security=Security(PASSWORD, "sidecar", certificates=shown)) as server:
        apps = [await rig.open_anyway(server.url, settings) for _ in range(2)]

        assert await statuses(apps, rig.newcomers(3)) == {200}

        assert rig.questions == 6
        assert [await shared(app) for app in apps] == [(200, "lost")] * 2
        assert "user=sidecar" not in await server.cli("CLIENT", "LIST")


async def test_wrong_password(rig: Rig) -> None:
    """With a wrong password Redis is as if it were away; the right one does not stand in the log, nor the wrong one."""
    async with redis_server_with(security=Security(PASSWORD, "sidecar")) as server:
        wrong = server.url.replace("p%40ss", "MARKEDwrong")
        assert wrong != server.url
        apps = [await rig.open_anyway(wrong) for _ in range(2)]

        assert await statuses(apps, rig.newcomers(3)) == {200}

        assert rig.questions == 6
        assert [await shared(app) for app in apps] == [(200, "lost")] * 2
        assert not [line for line in rig.log if "MARKEDwrong" in line]


@contextmanager
def _load(rig: Rig, apps: list[RunningApp], users: list[User]) -> Iterator[list[int]]:
    """Let remembered and new users ask all the time; give which statuses they got until the end."""
    seen: list[int] = []

    async def ask() -> None:
        while True:
            for app in apps:
                seen.extend([await status(app, user) for user in (users[0], *rig.newcomers(1))])

    task = asyncio.create_task(ask())
    try:
        yield seen
    finally:
        task.cancel()


async def _refuses(app: RunningApp, user: User) -> bool:
    return await status(app, user) == 401
