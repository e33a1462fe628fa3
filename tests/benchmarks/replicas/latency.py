"""Row 10: how long a remembered caller waits with Redis and without, in turns within one run."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from tests.benchmarks.fair import people
from tests.benchmarks.fair.account import stripe_account
from tests.benchmarks.fair.plan import Request
from tests.benchmarks.replicas.fleet import Fleet
from tests.benchmarks.replicas.ground import LASTING, UNLIMITED, Ground
from tests.benchmarks.replicas.outcome import Seen

_STRIPE = 0.06  # seconds that it takes for a call
_LANES = 6  # callers who read pages at once
# Beyond 1, what two noisy halves of one run may differ by.
_MEDIAN, _P99 = 1.1, 1.3
_CHANCE = random.Random(16)  # noqa: S311 - the same turns in every run


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of each answer, with Redis and without."""

    shared: Sequence[float]
    alone: Sequence[float]

    @property
    def medians(self) -> float:
        return median(self.shared) / median(self.alone)

    @property
    def p99s(self) -> float:
        return _p99(self.shared) / _p99(self.alone)

    @property
    def met(self) -> bool:
        return self.medians <= _MEDIAN and self.p99s <= _P99

    def words(self) -> str:
        shared = f"median {self.medians:.2f} x ({median(self.shared) * 1000:.1f} ms), p99 {self.p99s:.2f} x"
        return f"{shared} ({_p99(self.shared) * 1000:.1f} ms)"

    def figures(self) -> dict[str, object]:
        return {"median": self.medians, "p99": self.p99s, "pairs": len(self.shared), "seconds": median(self.shared)}


async def latency(ground: Ground) -> Seen:
    """A request that only the gate answers, and a page."""
    settings, alone = {**LASTING, **UNLIMITED}, replace(ground, with_redis=False)
    async with (
        stripe_account(payments=100, owners=1, latency=_STRIPE) as stripe,
        ground.fleet(stripe.url, settings) as shared,
        alone.fleet(stripe.url, settings) as other,
    ):
        fleets = (shared, other)
        gate = await _measured(fleets, 1, lambda token, _: people.post("/stripe/customers", token), ground)
        page = await _measured(fleets, _LANES, lambda token, lane: people.page(token, limit=lane + 1), ground)
    words = f"gate: {gate.words()}; page: {page.words()}"
    return Seen(words, gate.met and page.met, {"gate": gate.figures(), "page": page.figures()})


async def _measured(fleets: Sequence[Fleet], lanes: int, asked: Callable[[str, int], Request], ground: Ground) -> Times:
    """Let each lane's caller ask both fleets in turn, one request after the other."""
    times: tuple[list[float], list[float]] = ([], [])
    ends = asyncio.get_running_loop().time() + ground.size.latency / 2

    async def lane(number: int) -> None:
        requests = [asked(fleet.directus.move_in(f"lane-{lanes}-{number}", 1)[0], number) for fleet in fleets]
        for fleet, request in zip(fleets, requests, strict=True):
            await fleet.crowd.ask(fleet.ports[0], request)
        while not times[0] or asyncio.get_running_loop().time() < ends:
            for which in _CHANCE.sample((0, 1), 2):
                answer = await fleets[which].crowd.ask(fleets[which].ports[0], requests[which])
                times[which].append(answer.seconds)

    await asyncio.gather(*map(lane, range(lanes)))
    return Times(*times)


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[len(times) * 99 // 100]
