"""Whether several Directus nodes seem to be behind DIRECTUS_URL, which without Redis do not tell each other of changes.

Directus itself tells nobody which node answers. So this looks at the addresses of the name, and at headers by which
proxies name the node that they have chosen.
"""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import aiohttp

from sidecar.commands.check_reach import ask_openly
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings

_ASKED = 6  # times, each on a new connection
_NAMES_A_NODE = re.compile(r"(^|[-_])(backend|upstream|served|server|node|host|instance|pod)([-_]|$)", re.IGNORECASE)
_REDIS = (
    "if these are several nodes, they need Redis (REDIS in each node's settings, see Directus's guide to scaling): "
    "without it one node goes on granting what another has taken away, and the change feed hears of one node only"
)


async def node_lines(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Line]:
    host = urlsplit(settings.directus_url).hostname or ""
    if (count := await _addresses(host)) > 1:
        yield Line(Word.NOTE, f"{host} has {count} addresses: {_REDIS}")
    try:
        answers = [await _fresh(settings, session) for _ in range(_ASKED)]
    except (aiohttp.ClientError, TimeoutError, OSError):
        return
    if header := differing(answers):
        yield Line(Word.NOTE, f"answers on new connections differ in the header {header}: {_REDIS}")


async def _addresses(host: str) -> int:
    """Count the addresses of a name; one IPv4 and one IPv6 address count as one."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return 0
    return hosts((family, str(place[0])) for family, _, _, _, place in found)


def hosts(addresses: Iterable[tuple[int, str]]) -> int:
    """Count the most different addresses of one family."""
    families = Counter(family for family, _ in set(addresses))
    return max(families.values(), default=0)


async def _fresh(settings: Settings, session: aiohttp.ClientSession) -> Mapping[str, str]:
    answer = await ask_openly(session, f"{settings.directus_url}/server/ping", Connection="close")
    return answer.headers


def differing(answers: Sequence[Mapping[str, str]]) -> str | None:
    """Name a header with several values that names a node, in all answers; a value for each answer names none."""
    for name in answers[0]:
        values = {answer.get(name) for answer in answers}
        if _NAMES_A_NODE.search(name) and 1 < len(values) < len(answers) and None not in values:
            return name
    return None
