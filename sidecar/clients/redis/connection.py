"""Makes redis-py's client for an address: no retries, bounded everywhere, and TLS that is always verified.

By its defaults the library tries again for many seconds, while a request waits.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff

from sidecar.settings.redis_address import Kind, RedisAddress

_LONGEST = 1.5  # seconds of one operation on a socket; longer than a blocking read, and what waits has its own deadline
_ENTRIES, _BLOCK = 500, 1_000  # of a stream at once; ms
Client = Redis | RedisCluster


def open_client(address: RedisAddress, certificates: str | None = None, sentinel_password: str | None = None) -> Client:
    """Make the client, which connects when it is first used. Values it gives are bytes."""
    options: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "socket_timeout": _LONGEST,
        "socket_connect_timeout": _LONGEST,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,  # CLIENT SETINFO is one more command that a user must be allowed
        "health_check_interval": 0,
    }
    if address.tls:
        options |= {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_data": certificates}
    match address.kind:
        case Kind.CLUSTER:
            nodes = [ClusterNode(host, port) for host, port in address.servers]
            return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **options)
        case Kind.SENTINEL:
            of_sentinels = {**options, "username": None, "password": sentinel_password}
            sentinels = Sentinel(address.servers, sentinel_kwargs=of_sentinels)  # type: ignore[no-untyped-call]  # as the library has it
            client: Redis = sentinels.master_for(address.service, db=address.database, **options)
            return client
        case Kind.SERVER:
            ((host, port),) = address.servers
            return Redis(host=host, port=port, db=address.database, **options)


async def close_client(client: Client) -> None:
    """Close it with its connections to sentinels, which the library leaves open."""
    await client.aclose()
    if isinstance(client, Redis) and isinstance(client.connection_pool, SentinelConnectionPool):
        for sentinel in client.connection_pool.sentinel_manager.sentinels:
            await sentinel.aclose()


async def ping(client: Client, near: str | None) -> None:
    """Ask a server whether it is there: in a cluster the one that has this key."""
    if isinstance(client, RedisCluster):
        await client.initialize()
        node = RedisCluster.DEFAULT_NODE if near is None else client.get_node_from_key(near)
        await client.execute_command("PING", target_nodes=node)
    else:
        await client.execute_command("PING")  # type: ignore[no-untyped-call]  # as the library has it


async def disconnect(client: Client) -> None:
    """End all connections, so that the next ones are made where the address leads now."""
    if isinstance(client, Redis):
        await client.connection_pool.disconnect()


async def read_stream(client: Client, stream: str, after: bytes) -> Sequence[tuple[bytes, Mapping[bytes, bytes]]]:
    """Give the entries of a stream after this one, and wait at most a second for some, on a connection of its own."""
    words = ("XREAD", "COUNT", _ENTRIES, "BLOCK", _BLOCK, "STREAMS", stream, after)
    if isinstance(client, RedisCluster):
        await client.initialize()
        found = await client.execute_command(*words, target_nodes=client.get_node_from_key(stream))
    else:
        found = await client.execute_command(*words)  # type: ignore[no-untyped-call]  # as the library has it
    return [entry for _, entries in found or () for entry in entries]
