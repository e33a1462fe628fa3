"""The rows: what each measures, the ideal, and what must be."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.benchmarks.replicas import callers, latency, limits, lists, logouts, outages
from tests.benchmarks.replicas.ground import Ground
from tests.benchmarks.replicas.outcome import Seen


@dataclass(frozen=True, slots=True)
class Row:
    """`redis_alone`: there is nothing to measure without Redis, or both columns are measured at once."""

    title: str
    ideal: str
    must: str
    run: Callable[[Ground], Awaitable[Seen]]
    redis_alone: bool = False


ROWS = {
    1: Row("logout told to one: (session, replica) pairs still let in", "none", "none, < 250 ms", logouts.logouts),
    2: Row("1,000 callers x 6 at once: questions to Directus", "1,000", "<= 1,050", callers.first_callers),
    3: Row(
        "list requests at Stripe, all serving whole lists",
        "<= 20/s",
        "<= 21/s mean, <= 25 in any second, <= 3 answers of 429",
        limits.whole_lists,
    ),
    4: Row("creations beside that, Stripe at 25/s for all", "< 1 s", "< 1 s", limits.creations),
    5: Row("a customer made at A, then the list asked at B", "all", "all", lists.created_elsewhere),
    6: Row("an event answered at A, then the list asked at B", "all", "all", lists.told_elsewhere),
    7: Row(
        "one permission change, 400 callers: questions to Directus",
        "<= 800, no 503",
        "<= 2.2 a caller, no 503",
        callers.changed_permission,
    ),
    8: Row("restarts in turn, 300 callers: questions to Directus", "0", "<= 30", callers.restarts),
    9: Row(
        "Redis silent, then dead: slowest answers",
        "",
        "< 1 s / < 0.5 s, all answered",
        outages.outages,
        redis_alone=True,
    ),
    10: Row(
        "a remembered caller's latency, with Redis / without",
        "1 x",
        "no more: median <= 1.1 x or 1 ms, p99 <= 1.3 x",
        latency.latency,
        redis_alone=True,
    ),
}
