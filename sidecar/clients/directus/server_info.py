"""What Directus tells of itself at `GET /server/info`: its version, limits, license and WebSockets.

Directus tells a caller with a token all of these, and a caller without one only the license.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
import orjson

from sidecar.clients.directus.client import data_in, fresh, is_export
from sidecar.clients.http import read_bounded
from sidecar.errors import DirectusUnavailable

_ANSWER_LIMIT = 1024 * 1024  # a project's own style sheet is a part of it
PATH = "/server/info"
# Before 11.8 the WebSocket knows no client address, so policies with `ip_access` do not count on it; and some of
# the versions before 11.3 give the holder of a share everything.
OLDEST = (11, 8, 0)

NO_LISTS = "Directus gives no list of anything: its QUERY_LIMIT_MAX must be 1 or more, and 100 are enough"

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """`version` is None where Directus does not tell it. `_told` is what it told."""

    version: Version | None = None
    _told: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_directus(cls, data: object) -> "ServerInfo":
        told = data if isinstance(data, dict) else {}
        return cls(parse_version(told.get("version")), told)

    @property
    def too_old(self) -> bool:
        return self.version is not None and self.version < OLDEST

    @property
    def tells_license(self) -> bool:
        """Whether it is of a version that asks for a license, 12 or newer; it tells that to everybody."""
        return isinstance(self._told.get("license"), dict)

    @property
    def unlicensed(self) -> bool:
        match self._told:
            case {"license": {"source": None}}:
                return True
            case _:
                return False

    @property
    def websockets(self) -> object:
        """`{"rest": {"path", "authentication"}}`, or False; None where Directus tells nothing of them."""
        return self._told.get("websocket")

    @property
    def websocket_path(self) -> str | None:
        match self._told:
            case {"websocket": {"rest": {"path": str(path)}}}:
                return path
            case _:
                return None

    @property
    def query_limit(self) -> int | float | None:
        """QUERY_LIMIT_MAX, where -1 is no limit; None where Directus does not tell it, as to a share."""
        match self._told:
            case {"queryLimit": {"max": int(most) | float(most)}}:
                return most
            case _:
                return None

    @property
    def gives_no_list(self) -> bool:
        """Whether QUERY_LIMIT_MAX is so small that Directus refuses every list, or gives an empty one."""
        return self.query_limit is not None and self.query_limit < 1 and self.query_limit != -1

    @property
    def limit_of_each(self) -> str | None:
        """How much Directus answers to one client address; None without that limit, or if it is not told."""
        return _limit(self._told.get("rateLimit"))

    @property
    def limit_of_all(self) -> str | None:
        return _limit(self._told.get("rateLimitGlobal"))


async def read_info(session: aiohttp.ClientSession, base: str, token: str | None = None) -> ServerInfo:
    """Raises DirectusUnavailable unless a whole answer comes within the session's timeout."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        async with session.get(base + fresh(PATH), headers=headers, allow_redirects=False) as response:
            body = orjson.loads(await read_bounded(response, _ANSWER_LIMIT))
            exported = is_export(response.status, response.headers)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise DirectusUnavailable(f"GET {PATH}: {type(error).__name__}") from error
    return ServerInfo.from_directus(data_in(body, exported=exported))


def parse_version(value: object) -> Version | None:
    found = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?![\d.])", value) if isinstance(value, str) else None
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


def dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _limit(value: object) -> str | None:
    match value:
        case {"points": int(points) | float(points), "duration": int(seconds) | float(seconds)}:
            return f"{points:g} requests in {seconds:g} s"
        case _:
            return None
