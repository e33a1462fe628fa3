"""Rows 3 and 4: all replicas read whole lists from a Stripe that allows 25 calls a second."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from tests.benchmarks.fair import people
from tests.benchmarks.fair.account import worst_second
from tests.benchmarks.fair.plan import Request
from tests.benchmarks.replicas.crowd import Answered, failures, slowest
from tests.benchmarks.replicas.fleet import Fleet
from tests.benchmarks.replicas.ground import SANDBOX_KEY, Ground
from tests.benchmarks.replicas.outcome import Seen, seconds
from tests.benchmarks.replicas.stripe import LIVE, SANDBOX, LimitedAccount, limited_account

_PAGE = 0.06  # seconds that Stripe takes for a call
_READERS = 3  # at each replica
_EACH = 0.33  # seconds between two creations
_MOST_MEAN, _MOST_IN_A_SECOND, _MOST_REFUSED = 21.0, 25, 3
_SLOWEST = 1.0  # seconds
_LIST = "/v1/payment_intents"


async def whole_lists(ground: Ground) -> Seen:
    """In live mode, so that only the endpoint's limit matters."""
    longest = ground.size.reading
    async with limited_account(payments=ground.size.payments, latency=_PAGE, in_all=LIVE) as stripe:
        async with ground.fleet(stripe.url, {}) as fleet, _reading(fleet):
            await asyncio.sleep(longest)
        asked = [call for call in stripe.asked if call.path == _LIST]
        refused = _refused(stripe)
    mean, worst = len(asked) / longest, worst_second(asked)
    words = f"{mean:.0f}/s, worst second {worst}, {refused} answers of 429"
    met = mean <= _MOST_MEAN and worst <= _MOST_IN_A_SECOND and refused <= _MOST_REFUSED
    return Seen(words, met, {"mean": mean, "worst_second": worst, "refused": refused})


async def creations(ground: Ground) -> Seen:
    """In a sandbox, whose limit all calls share; the creations go to the replicas in turn."""
    longest = ground.size.reading
    async with limited_account(payments=ground.size.payments, latency=_PAGE, in_all=SANDBOX) as stripe:
        async with ground.fleet(stripe.url, {"STRIPE_LIVE_SECRET_KEY": SANDBOX_KEY}) as fleet, _reading(fleet):
            answers = await _create(fleet, longest)
        refused = _refused(stripe)
    worst, failed = slowest(answers), failures(answers)
    words = f"slowest of {len(answers)} {seconds(worst)}, {refused} answers of 429{'; ' if failed else ''}{failed}"
    figures = {"slowest": worst, "refused": refused, "creations": len(answers), "failed": failed}
    return Seen(words, worst < _SLOWEST and not failed, figures)


def _refused(stripe: LimitedAccount) -> int:
    return len(stripe.refused)


async def _create(fleet: Fleet, longest: float) -> Sequence[Answered]:
    [token] = fleet.directus.move_in("creator", 1)
    warm = Request("/stripe/payment_intents/pi_00000000000001", token)
    await fleet.meet([warm])
    loop, asked = asyncio.get_running_loop(), list[asyncio.Task[Answered]]()
    began = loop.time()
    for number in range(max(1, round(longest / _EACH))):
        await asyncio.sleep(began + number * _EACH - loop.time())
        create = people.post("/stripe/customers", token, email=f"ada-{number}@example.com")
        asked.append(asyncio.create_task(fleet.crowd.ask(fleet.ports[number % len(fleet.ports)], create)))
    return await asyncio.gather(*asked)


@asynccontextmanager
async def _reading(fleet: Fleet) -> AsyncIterator[None]:
    """Read whole lists at every replica, each by callers of its own, over and over. No two lists are the same."""
    numbers = count(1)

    async def read(port: int, token: str) -> None:
        while True:
            await fleet.crowd.ask(port, people.since(token, next(numbers)))

    tokens = fleet.directus.move_in("reader", _READERS * len(fleet.ports))
    readers = [
        asyncio.create_task(read(port, token))
        for number, port in enumerate(fleet.ports)
        for token in tokens[number :: len(fleet.ports)]
    ]
    try:
        yield
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
