"""Row 1: sessions that every replica remembers are logged out, and the proxy tells one replica."""

import asyncio
import time
from collections.abc import Sequence

import aiohttp

from tests.benchmarks.fair.plan import Request
from tests.benchmarks.replicas.directus import SESSION_COOKIE
from tests.benchmarks.replicas.fleet import Fleet
from tests.benchmarks.replicas.ground import Ground
from tests.benchmarks.replicas.outcome import Seen, seconds

PAGE = "/stripe/payments?limit=1"
_SOON = 0.25  # seconds
_AT_FIRST, _LATER = 0.02, 0.25  # seconds between two looks
_AT_FIRST_FOR = 0.6  # seconds

_Pair = tuple[int, Request]


async def logouts(ground: Ground) -> Seen:
    lifetime = ground.size.lifetime
    async with (
        ground.generous(PERMISSIONS_CACHE_TTL=str(lifetime), PERMISSIONS_DENIED_TTL="1") as fleet,
        fleet.nginx() as nginx,
    ):
        sessions = fleet.directus.move_in("session", ground.size.sessions)
        pages = [Request(PAGE, session) for session in sessions]
        await fleet.meet(pages)
        await asyncio.gather(*(_log_out(nginx, session) for session in sessions))
        pairs = [(port, page) for page in pages for port in fleet.ports]
        at_once, last = await _until_none(fleet, pairs)
    words = f"{at_once} of {len(pairs)}"
    words += f", none after {seconds(last)} (an answer lives for {lifetime:.0f} s)" if at_once else " right after it"
    return Seen(words, at_once == 0 and last < _SOON, {"at_once": at_once, "of": len(pairs), "none_after": last})


async def _log_out(nginx: int, session: str) -> None:
    async with (
        aiohttp.ClientSession(cookies={SESSION_COOKIE: session}) as browser,
        browser.post(f"http://127.0.0.1:{nginx}/auth/logout") as answer,
    ):
        assert answer.status == 204


async def _until_none(fleet: Fleet, pairs: Sequence[_Pair]) -> tuple[int, float]:
    """Give how many were still let in at once, and the seconds until none was."""
    began, looked, at_once = time.monotonic(), time.monotonic(), None
    while True:
        answers = await fleet.crowd.all(pairs, len(pairs))
        pairs = [pair for pair, answer in zip(pairs, answers, strict=True) if answer.ok]
        at_once = len(pairs) if at_once is None else at_once
        if not pairs:
            return at_once, looked - began
        await asyncio.sleep(_AT_FIRST if time.monotonic() - began < _AT_FIRST_FOR else _LATER)
        looked = time.monotonic()
