"""The library's client as it is made for each form of address."""

from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster

from sidecar.clients.redis.connection import Client, close_client, open_client
from sidecar.settings.redis_address import redis_address

FORMS = ("redis://u:p@h/3", "rediss://u:p@h", "redis+sentinel://u:p@h/m", "rediss+sentinel://u:p@h/m")
CLUSTERS = ("redis+cluster://u:p@h", "rediss+cluster://u:p@h")


def options(client: Client) -> dict[str, Any]:
    if isinstance(client, RedisCluster):
        return client.connection_kwargs
    return client.connection_pool.connection_kwargs


@pytest.mark.parametrize("form", [*FORMS, *CLUSTERS])
async def test_bounded(form: str) -> None:
    """Each client has deadlines, tries nothing again, and logs in as the user."""
    client = open_client(redis_address(form))
    found = options(client)

    assert (found["socket_timeout"], found["socket_connect_timeout"]) == (1.5, 1.5)
    retry = client.retry if isinstance(client, RedisCluster) else found["retry"]
    assert (retry.get_retries(), found["health_check_interval"]) == (0, 0)
    assert (found["username"], found["password"], found["protocol"]) == ("u", "p", 2)
    await close_client(client)


@pytest.mark.parametrize("form", [*FORMS, *CLUSTERS])
async def test_encrypted(form: str) -> None:
    """Over TLS certificates and names are always verified, with the operator's authority where there is one."""
    client = open_client(redis_address(form), "an authority")
    found = options(client)

    wanted = {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_data": "an authority"}
    assert {name: found.get(name) for name in wanted} == (wanted if "rediss" in form else dict.fromkeys(wanted))
    await close_client(client)


async def test_sentinels_have_their_own_password() -> None:
    """Sentinels get neither the user nor the password of the servers, but their own; and TLS as the servers."""
    client = open_client(redis_address("rediss+sentinel://u:p@h/m"), "an authority", "of the sentinels")
    assert isinstance(client, Redis)
    (sentinel,) = client.connection_pool.sentinel_manager.sentinels  # type: ignore[attr-defined]  # of this pool
    found = options(sentinel)

    assert (found["username"], found["password"], found["ssl_ca_data"]) == (None, "of the sentinels", "an authority")
    assert (found["socket_timeout"], found["retry"].get_retries()) == (1.5, 0)
    await close_client(client)
