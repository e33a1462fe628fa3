"""What `check` says about Redis, on real servers."""

import pytest
from pydantic import SecretStr

from sidecar.commands.check_redis import redis_lines
from sidecar.commands.lines import Word
from sidecar.settings import Settings
from tests.doubles.redis.certificates import Certificates, certificates
from tests.doubles.redis.cluster import RedisCluster
from tests.doubles.redis.security import PASSWORD, Security
from tests.doubles.redis.sentinel import SentinelGroup
from tests.doubles.redis.server import RedisServer, redis_server_with
from tests.doubles.relay import Relay
from tests.doubles.running_app import SIDECAR_SECRET


async def check(redis: str | None, certificates: str | None = None) -> tuple[set[Word], str]:
    """Give the words of the lines, and the lines."""
    settings = Settings(
        directus_url="http://127.0.0.1:1",
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
        sidecar_secret=(SecretStr(SIDECAR_SECRET),),
        redis=None if redis is None else SecretStr(redis),
        redis_ca=certificates,
    )
    lines = [line async for line in redis_lines(settings)]
    return {line.word for line in lines}, "\n".join(line.text for line in lines)


async def test_no_redis() -> None:
    """Without REDIS there is nothing to say."""
    assert await check(None) == (set(), "")


async def test_all_is_well(redis_server: RedisServer) -> None:
    """Every use of Redis is tried, and leaves nothing that stays."""
    words, text = await check(redis_server.url)

    assert (words, text.count("\n")) == ({Word.OK}, 4)
    assert not [key for key in (await redis_server.cli("KEYS", "*")).split() if await lasts(redis_server, key)]


async def lasts(server: RedisServer, key: str) -> bool:
    return (await server.cli("PTTL", key)).strip() == "-1" and "stream" not in await server.cli("TYPE", key)


async def test_several_servers(redis_cluster: RedisCluster, redis_sentinel: SentinelGroup) -> None:
    """A cluster and a server behind sentinels are tried as one server is."""
    assert {Word.OK} == (await check(redis_cluster.url))[0] == (await check(redis_sentinel.url))[0]


async def test_nobody_is_there(redis_server: RedisServer) -> None:
    """If nobody answers, that is the one fault, and it shows no password."""
    redis_server.kill()

    words, text = await check(redis_server.url.replace("://", "://somebody:hush@"))

    assert words == {Word.FAULT}
    assert "cannot be reached" in text
    assert "hush" not in text


async def test_it_is_too_far(redis_relay: Relay) -> None:
    """A Redis that the service would not wait for is a fault that names the time."""
    redis_relay.delay = 0.2

    words, text = await check(redis_relay.url)

    assert (words, "nearer" in text) == ({Word.FAULT}, True)


async def test_a_wrong_password() -> None:
    """A login that Redis refuses is told from one that is not there."""
    async with redis_server_with(security=Security(PASSWORD, "sidecar", "~* +@all")) as server:
        words, text = await check(f"redis://sidecar:wrong@127.0.0.1:{server.port}/0")

    assert (words, "ACL user" in text) == ({Word.FAULT}, True)


@pytest.mark.parametrize("missing", ["eval", "evalsha", "xadd", "xread", "zadd", "zcount", "pexpire", "get"])
async def test_a_missing_right(missing: str) -> None:
    """A command that the user may not run is a fault that shows where to look."""
    async with redis_server_with(security=Security(PASSWORD, "sidecar", f"~* +@all -{missing}")) as server:
        words, text = await check(server.url)

    assert (Word.FAULT in words, "deploy/README.md" in text) == (True, True)


async def test_certificates(redis_certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A certificate of another authority is a fault, and of the right one it is not."""
    foreign = certificates(tmp_path_factory.mktemp("foreign"))
    async with redis_server_with(security=Security(certificates=redis_certificates)) as server:
        right = await check(server.url, redis_certificates.authority.read_text())
        wrong = await check(server.url, foreign.authority.read_text())

    assert right[0] == {Word.OK}
    assert (wrong[0], "REDIS_CA" in wrong[1]) == ({Word.FAULT}, True)
