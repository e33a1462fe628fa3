"""Check C12: a purge while many callers ask, with a Directus that is as slow as a real one, in virtual time.

One Directus answers some 180 questions for permissions a second, one after the other, also those that nobody waits for
any more (seen in Directus 11.17).
"""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from sidecar.clients.directus.line import Line, Ready
from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.clients.directus.permission_flight import Place
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Action, Permissions
from sidecar.errors import DirectusUnavailable
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.directus.sources import READ, credential, granting

CALLERS, RATE, BUDGET = 400, 180.0, 2.0


class Directus:
    """Works on one question after the other. A question that is canceled has its time all the same."""

    def __init__(self, places: int) -> None:
        self.line = Line(places, BUDGET)
        self.rate = RATE
        self.asked = Counter[str]()
        self._busy_until = 0.0

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready
    ) -> Permissions:
        async with self.line.turn(credential.address, ready) as place:
            sent(place)
            await self._work_for(credential)
            return granting(Action.READ)

    async def user_patiently(self, credential: Credential) -> str | None:
        async with self.line.turn(credential.address):
            await self._work_for(credential)
            return f"user of {credential.token}"

    async def _work_for(self, credential: Credential) -> None:
        self.asked[credential.token] += 1
        now = asyncio.get_running_loop().time()
        self._busy_until = max(self._busy_until, now) + 1 / self.rate
        await asyncio.sleep(self._busy_until - now)

    async def identity(self, credential: Credential) -> Identity:
        raise AssertionError(credential)


class Crowd:
    """Each caller asks once a second, whether or not its last request was answered."""

    def __init__(self, places: int) -> None:
        self.directus = Directus(places)
        clock = asyncio.get_running_loop().time
        self.cache = PermissionCache(
            self.directus, ttl=3600, denied_ttl=5, size=1000, budget=BUDGET, timer=clock, clock=clock
        )
        self.failed = 0

    async def ask(self, seconds: float) -> None:
        await asyncio.gather(*(self._caller(number, seconds) for number in range(CALLERS)))

    async def _caller(self, number: int, seconds: float) -> None:
        caller = credential(f"t{number}", f"192.0.{number % 256}.{number // 256}")
        await asyncio.sleep(number / CALLERS)
        requests = []
        for _ in range(int(seconds)):
            requests.append(asyncio.create_task(self._request(caller)))
            await asyncio.sleep(1)
        await asyncio.gather(*requests)

    async def _request(self, caller: Credential) -> None:
        try:
            await self.cache.permissions(caller, READ.granted_by)
        except DirectusUnavailable:
            self.failed += 1


async def purged(places: int) -> Crowd:
    """Let all be remembered, purge twice as the feed does, and wait until it is quiet."""
    crowd = Crowd(places)
    await crowd.ask(5)
    assert crowd.failed == 0
    crowd.directus.asked.clear()
    loop = asyncio.get_running_loop()
    crowd.cache.purge("change")
    loop.call_later(1, crowd.cache.purge, "settled")
    await crowd.ask(10)
    return crowd


@in_virtual_time
async def test_a_purge_with_400_callers() -> None:
    """C12: After a change and its settled purge each caller costs at most 2.2 questions, and nobody hears 503."""
    crowd = await purged(places=20)

    assert crowd.failed == 0
    assert crowd.directus.asked.total() <= 2.2 * CALLERS
    assert max(crowd.directus.asked.values()) <= 3


@in_virtual_time
async def test_a_user_who_changes_all_the_time() -> None:
    """F6: While one user changes four times a second, 400 static tokens of others cost a few questions each, once."""
    crowd = Crowd(places=20)
    await crowd.ask(5)
    crowd.directus.asked.clear()
    changing = asyncio.create_task(_change_again_and_again(crowd.cache))
    await crowd.ask(12)
    settled = crowd.directus.asked.copy()
    await crowd.ask(10)
    changing.cancel()

    assert crowd.failed == 0
    assert settled.total() <= 3.2 * CALLERS
    assert crowd.directus.asked == settled


async def _change_again_and_again(cache: PermissionCache) -> None:
    while True:
        cache.forget_user("somebody else")
        await asyncio.sleep(0.25)


@in_virtual_time
async def test_a_purge_at_once() -> None:
    """C12: Also where all 400 ask in the moment of the purge, what waits in the line is not asked twice."""
    crowd = Crowd(places=20)
    crowd.cache.purge("change")
    asyncio.get_running_loop().call_later(1, crowd.cache.purge, "settled")

    requests = [crowd._request(credential(f"t{number}", f"192.0.2.{number % 250}")) for number in range(CALLERS)]
    await asyncio.gather(*requests)

    assert crowd.failed == 0
    assert crowd.directus.asked.total() == CALLERS


@in_virtual_time
async def test_an_overloaded_directus_is_not_asked_again() -> None:
    """C12: While Directus is slower than the budget and answers in turn, who asks again joins its own question."""
    crowd = Crowd(places=20)
    crowd.directus.rate = 5
    callers = [credential(f"t{number}", f"192.0.2.{number}") for number in range(20)]

    heard = await asyncio.gather(*(crowd._request(caller) for caller in callers for _ in range(3)))
    again = await asyncio.gather(*(crowd._request(caller) for caller in callers))

    assert (len(heard), len(again), crowd.directus.asked.total()) == (60, 20, 20)
    assert crowd.failed == pytest.approx(30, abs=3)  # those whose answers took longer than the budget
