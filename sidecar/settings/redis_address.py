"""Reads a connection string of Redis, as Directus takes one, and what it needs beyond that for several servers.

`redis://[user:password@]host[:6379][/database]`, `rediss://` over TLS; for several servers the forms of the library
`limits`: `redis+sentinel://host[:26379],…/service[/database]` and `redis+cluster://host[:6379],…`, also `rediss+…`.
"""

import re
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qsl, unquote

_FORM = re.compile(
    r"(?P<scheme>rediss?)(\+(?P<kind>sentinel|cluster))?://((?P<login>[^@/?#]*)@)?(?P<servers>[^/?#@]+)"
    r"(?P<path>/[^?#]*)?(\?(?P<query>[^#]*))?"
)
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:(?P<port>[0-9]{1,5}))?")
_PORT, _SENTINELS_PORT, _HIGHEST = 6379, 26379, 65535


class Kind(Enum):
    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`servers` are the sentinels where they know the `service`, and some of the nodes of a cluster."""

    kind: Kind
    servers: tuple[tuple[str, int], ...]
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    service: str = ""


def redis_address(text: str) -> RedisAddress:
    """Raises ValueError with a message that shows nothing of the text."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(
            "must look like redis://user:password@host:6379/0, with rediss for TLS, redis+sentinel for "
            "host,host/service or redis+cluster for host,host; other characters in a password are percent-encoded"
        )
    kind = Kind(found["kind"] or "server")
    if any(name != "family" for name, _ in parse_qsl(found["query"] or "", keep_blank_values=True)):
        raise ValueError(
            "must have no options after a ? but family, which Directus takes and the sidecar does not need"
        )
    username, separator, password = (found["login"] or "").partition(":")
    servers = tuple(_server(each, kind) for each in found["servers"].split(","))
    service, database = _path(found["path"] or "", kind)
    if kind is Kind.SERVER and len(servers) > 1:
        raise ValueError("must name one server, or begin with redis+sentinel or redis+cluster")
    return RedisAddress(
        kind,
        servers,
        tls=found["scheme"] == "rediss",
        username=unquote(username) or None,
        password=unquote(password) if separator else None,
        database=database,
        service=service,
    )


def _server(text: str, kind: Kind) -> tuple[str, int]:
    found = _SERVER.fullmatch(text)
    port = int(found["port"] or (_SENTINELS_PORT if kind is Kind.SENTINEL else _PORT)) if found else 0
    if found is None or not 0 < port <= _HIGHEST:
        raise ValueError("must name servers as host or host:port, several separated by commas")
    return found["host"].strip("[]"), port


def _path(path: str, kind: Kind) -> tuple[str, int]:
    """Give the service of sentinels, and the database."""
    parts = [part for part in path.split("/") if part]
    service = unquote(parts.pop(0)) if kind is Kind.SENTINEL and parts else ""
    if kind is Kind.SENTINEL and not service:
        raise ValueError("must name the service that the sentinels watch after their addresses, such as /mymaster")
    if len(parts) > 1 or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):  # noqa: PLR2004 - of 16 by default
        raise ValueError("must end with the number of a database, or with none")
    database = int(parts[0]) if parts else 0
    if kind is Kind.CLUSTER and database:
        raise ValueError("must name no database: a cluster has only one")
    return service, database
