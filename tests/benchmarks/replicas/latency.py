"""Row 10: how long a remembered caller waits with Redis and without, in turns within one run."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from statistics import median

from tests.benchmarks.fair import people
from tests.benchmarks.fair.account import stripe_account
from tests.benchmarks.fair.plan import Request
from tests.benchmarks.replicas.fleet import Fleet
from tests.benchmarks.replicas.ground import LASTING, UNLIMITED, Ground
from tests.benchmarks.replicas.outcome import Seen

_STRIPE = 0.06  # seconds that it takes for a call
_LANES = 6  # callers who read pages at once
# Beyond 1, what two noisy halves of one run may differ by; seconds below which a difference is noise too.
_MEDIAN, _P99, _NOTHING = 1.1, 1.3, 0.001
_FOR_REQUESTS = tuple(
    f'sidecar_shared_seconds_count{{part="{part}"}}' for part in ("permissions", "budgets", "changes")
)
_CHANCE = random.Random(16)  # noqa: S311 - the same turns in every run


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of each answer, with Redis and without, and how many `commands` Redis got for them."""

    shared: Sequence[float]
    alone: Sequence[float]
    commands: int

    @property
    def medians(self) -> float:
        return median(self.shared) / median(self.alone)

    @property
    def p99s(self) -> float:
        return _p99(self.shared) / _p99(self.alone)

    @property
    def met(self) -> bool:
        more = median(self.shared) - median(self.alone)
        return (self.medians <= _MEDIAN or more < _NOTHING) and self.p99s <= _P99

    def words(self) -> str:
        shared = f"median {self.medians:.2f} x ({median(self.shared) * 1000:.1f} ms), p99 {self.p99s:.2f} x"
        return f"{shared} ({_p99(self.shared) * 1000:.1f} ms)"

    def figures(self) -> dict[str, object]:
        ratios = {"median": self.medians, "p99": self.p99s}
        return {**ratios, "pairs": len(self.shared), "seconds": median(self.shared), "commands": self.commands}


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
    words = f"gate: {gate.words()}, {gate.commands} commands to Redis; page: {page.words()}"
    met = gate.met and page.met and gate.commands == 0
    return Seen(words, met, {"gate": gate.figures(), "page": page.figures()})


async def _measured(fleets: Sequence[Fleet], lanes: int, asked: Callable[[str, int], Request], ground: Ground) -> Times:
    """Let each lane's caller ask both fleets in turn, and in each fleet all replicas, one request after the other."""
    times: tuple[list[float], list[float]] = ([], [])
    requests = [[asked(token, lane) for lane, token in enumerate(_tokens(fleet, lanes))] for fleet in fleets]
    for fleet, its in zip(fleets, requests, strict=True):
        await fleet.crowd.all([(port, request) for request in its for port in fleet.ports], lanes)
    before = await _commands(fleets[0])
    ends = asyncio.get_running_loop().time() + ground.size.latency / 2

    async def lane(number: int) -> None:
        for turn in count():
            if times[0] and asyncio.get_running_loop().time() >= ends:
                return
            for which in _CHANCE.sample((0, 1), 2):
                ports = fleets[which].ports
                answer = await fleets[which].crowd.ask(ports[turn % len(ports)], requests[which][number])
                times[which].append(answer.seconds)

    await asyncio.gather(*map(lane, range(lanes)))
    return Times(*times, await _commands(fleets[0]) - before)


def _tokens(fleet: Fleet, lanes: int) -> list[str]:
    return fleet.directus.move_in(f"lane-of-{lanes}", lanes)


async def _commands(fleet: Fleet) -> int:
    """Count what the replicas have asked of Redis for requests, not what they tell each other all the time."""
    exposed = [(await replica.sidecar.call("/metrics")).body.decode() for replica in fleet.replicas]
    lines = [line for one in exposed for line in one.splitlines() if line.startswith(_FOR_REQUESTS)]
    return round(sum(float(line.rpartition(" ")[2]) for line in lines))


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[len(times) * 99 // 100]
