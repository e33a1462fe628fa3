"""Row 9: Redis says nothing for a while, then it is killed. Callers go on asking through nginx."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks.fair.plan import Request
from tests.benchmarks.replicas.crowd import Answered, Shot, failures, slowest
from tests.benchmarks.replicas.fleet import Fleet
from tests.benchmarks.replicas.ground import LASTING, Ground
from tests.benchmarks.replicas.logouts import PAGE
from tests.benchmarks.replicas.outcome import Seen, seconds
from tests.benchmarks.replicas.stripe import limited_account

_STRIPE = 0.06  # seconds that it takes for a call
_REMEMBERED = 10  # callers
# Requests a second, all for one endpoint at Stripe: fewer than three replicas get there that share its limit evenly.
_OLD, _NEW = 8, 4
_WHILE_SILENT, _WHILE_DEAD = 1.0, 0.5  # seconds for the slowest answer
_BACK = 2.0  # seconds for the replicas to notice that Redis answers again


async def outages(ground: Ground) -> Seen:
    size = ground.size
    async with (
        limited_account(payments=100, latency=_STRIPE) as stripe,
        ground.fleet(stripe.url, LASTING) as fleet,
        fleet.nginx() as nginx,
    ):
        assert fleet.redis is not None
        old = [Request(PAGE, token) for token in fleet.directus.move_in("old", _REMEMBERED)]
        await fleet.meet(old)
        fleet.redis.freeze()
        silent = await _ask(fleet, nginx, old, "silent", size.silence)
        fleet.redis.resume()
        await asyncio.sleep(_BACK)
        fleet.redis.kill()
        dead = await _ask(fleet, nginx, old, "dead", size.dead)
    words = f"silent for {size.silence:.0f} s: {silent.words()}; dead: {dead.words()}"
    met = silent.met(_WHILE_SILENT) and dead.met(_WHILE_DEAD)
    return Seen(words, met, {"silent": silent.figures(), "dead": dead.figures()})


@dataclass(frozen=True, slots=True)
class _Outage:
    old: Sequence[Answered]
    new: Sequence[Answered]

    def words(self) -> str:
        answers = [*self.old, *self.new]
        failed = failures(answers)
        answered = f"{sum(answer.ok for answer in answers)} of {len(answers)} answered{', ' if failed else ''}{failed}"
        return f"remembered {seconds(slowest(self.old))}, new {seconds(slowest(self.new))}, {answered}"

    def met(self, most: float) -> bool:
        return all(answer.ok and answer.seconds < most for answer in (*self.old, *self.new))

    def figures(self) -> dict[str, object]:
        return {"old": slowest(self.old), "new": slowest(self.new), "failed": failures([*self.old, *self.new])}


async def _ask(fleet: Fleet, port: int, old: Sequence[Request], name: str, longest: float) -> _Outage:
    new = [Request(PAGE, token) for token in fleet.directus.move_in(f"new-{name}", max(1, round(longest * _NEW)))]
    known = [old[number % len(old)] for number in range(max(1, round(longest * _OLD)))]
    return _Outage(
        *await asyncio.gather(*(fleet.crowd.volley(_evenly(port, asked, longest)) for asked in (known, new)))
    )


def _evenly(port: int, asked: Sequence[Request], longest: float) -> Iterator[Shot]:
    for number, request in enumerate(asked):
        yield Shot(number * longest / len(asked), port, request)
