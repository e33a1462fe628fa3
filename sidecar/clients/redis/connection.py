"""Makes redis-py's client for an address: no retries, bounded everywhere, and TLS that is always verified.

By its defaults the library tries again for many seconds, while a request waits. It is loaded with the first client, for
it takes six megabytes, brings OpenTelemetry where that is installed, and most deployments have no Redis.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from sidecar.settings.redis_address import Kind, RedisAddress

_LONGEST = 1.5  # seconds of one operation on a socket; longer than a blocking read, and what waits has its own deadline
_ENTRIES, _BLOCK = 500, 1_000  # of a stream at once; ms
if TYPE_CHECKING:
    from redis.asyncio import Redis, RedisCluster
Client: TypeAlias = "Redis | RedisCluster"


def open_client(address: RedisAddress, certificates: str | None = None, sentinel_password: str | None = None) -> Client:
    """Make the client, which connects when it is first used. Values it gives are bytes."""
    from redis.asyncio import Redis, RedisCluster, Sentinel  # noqa: PLC0415 - see above
    from redis.asyncio.cluster import ClusterNode  # noqa: PLC0415 - the same
    from redis.asyncio.retry import Retry  # noqa: PLC0415 - the same
    from redis.backoff import NoBackoff  # noqa: PLC0415 - the same

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
    from redis.asyncio.sentinel import SentinelConnectionPool  # noqa: PLC0415 - see above

    await client.aclose()
    if _is_server(client) and isinstance(client.connection_pool, SentinelConnectionPool):
        for sentinel in client.connection_pool.sentinel_manager.sentinels:
            await sentinel.aclose()


async def ping(client: Client, near: str | None) -> None:
    """Ask a server whether it is there: in a cluster the one that has this key."""
    if _is_cluster(client):
        await client.initialize()
        node = client.DEFAULT_NODE if near is None else client.get_node_from_key(near)
        await client.execute_command("PING", target_nodes=node)
    else:
        await client.execute_command("PING")


async def disconnect(client: Client) -> None:
    """End all connections, so that the next ones are made where the address leads now."""
    if _is_server(client):
        await client.connection_pool.disconnect()


def is_read_only(reply: object) -> bool:
    """Say whether a server takes no changes, as a replica of a failed master's."""
    from redis.exceptions import ReadOnlyError  # noqa: PLC0415 - see above

    return isinstance(reply, ReadOnlyError)


def lacks_script(reply: object) -> bool:
    from redis.exceptions import NoScriptError  # noqa: PLC0415 - see above

    return isinstance(reply, NoScriptError)


def _is_server(client: Client) -> "TypeGuard[Redis]":
    from redis.asyncio import Redis  # noqa: PLC0415 - see above

    return isinstance(client, Redis)


def _is_cluster(client: Client) -> "TypeGuard[RedisCluster]":
    from redis.asyncio import RedisCluster  # noqa: PLC0415 - see above

    return isinstance(client, RedisCluster)


async def read_stream(client: Client, stream: str, after: bytes) -> Sequence[tuple[bytes, Mapping[bytes, bytes]]]:
    """Give the entries of a stream after this one, and wait at most a second for some, on a connection of its own."""
    words = ("XREAD", "COUNT", _ENTRIES, "BLOCK", _BLOCK, "STREAMS", stream, after)
    if _is_cluster(client):
        await client.initialize()
        found = await client.execute_command(*words, target_nodes=client.get_node_from_key(stream))
    else:
        found = await client.execute_command(*words)
    return [entry for _, entries in found or () for entry in entries]
