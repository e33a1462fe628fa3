"""`./tests/benchmarks/run.sh replicas`: what several replicas of the service do without Redis, and with it.

    logouts      row 1                       ground       sizes, and fleets with or without Redis
    callers      rows 2, 7 and 8             fleet        the replicas, and nginx before them
    limits       rows 3 and 4                crowd        callers, on kept connections
    lists        rows 5 and 6                directus     a double with a feed, as slow as a real one
    outages      row 9                       stripe       a double with Stripe's limits
    latency      row 10                      rows         what there is to measure
    outcome      what a row measured         report       the table

A row that misses what it must be is no failure: figures depend on the machine and on its other load. One that cannot
run is.
"""

import asyncio
import json
import tempfile
import traceback
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deploy.demo import redis_program
from deploy.demo.progress import say
from deploy.demo.servers import ROOT
from tests.benchmarks.replicas import report
from tests.benchmarks.replicas.ground import Ground, Size
from tests.benchmarks.replicas.outcome import Seen
from tests.benchmarks.replicas.rows import ROWS

RESULTS = ROOT / ".demo" / "benchmarks-replicas.json"
QUICK = Size(
    replicas=2,
    sessions=2,
    lifetime=1,
    first=10,
    at_once=3,
    payments=300,
    reading=1,
    tries=2,
    changed=10,
    changing=2,
    restarted=5,
    settling=0.5,
    silence=1,
    dead=1,
    latency=0.4,
)
_LONGEST = 240.0  # seconds for one row in one column


@dataclass(frozen=True, slots=True)
class Found:
    """A row in one column. `seen` is None where it could not run, and `fault` says why, or was not measured."""

    seen: Seen | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Both:
    number: int
    alone: Found
    shared: Found

    @property
    def failed(self) -> bool:
        return bool(self.alone.fault or self.shared.fault)


async def measure(size: Size, numbers: Collection[int], *, redis: bool) -> list[Both]:
    with tempfile.TemporaryDirectory(prefix="replicas-") as folder:
        return [await both(size, Path(folder), number, redis=redis) for number in numbers]


async def both(size: Size, state: Path, number: int, *, redis: bool) -> Both:
    """Measure a row in both columns; without a `redis` in one."""
    alone, shared = (Ground(size, state, with_redis=one) for one in (False, True))
    nothing = Found()
    return Both(
        number,
        nothing if ROWS[number].redis_alone else await _one(alone, number),
        await _one(shared, number) if redis else nothing,
    )


async def _one(ground: Ground, number: int) -> Found:
    column = "with Redis" if ground.with_redis else "without"
    try:
        async with asyncio.timeout(_LONGEST):
            seen = await ROWS[number].run(ground)
    except Exception:  # noqa: BLE001 - the other rows are still worth measuring
        fault = traceback.format_exc()
        say(f"row {number}, {column}: {fault}")
        return Found(None, fault)
    say(f"row {number}, {column}: {seen.words}")
    return Found(seen)


def line(found: Both) -> str:
    row = ROWS[found.number]
    alone, shared = found.alone, found.shared
    columns = (
        report.cell(alone.seen, failed=bool(alone.fault), marked=False),
        report.cell(shared.seen, failed=bool(shared.fault), marked=True),
    )
    return report.line(found.number, row.title, row.ideal, columns, row.must)


def main(*, quick: bool, only: Collection[int] = (), silence: float | None = None) -> int:
    """Print the table; give 1 if a row could not run. `only` are numbers of rows; none means all.

    `silence` is for how many seconds Redis is silent.
    """
    size = QUICK if quick else Size()
    size = size if silence is None else replace(size, silence=silence)
    redis = redis_program.is_installed()
    if not redis:
        say("redis-server not found (Debian: apt-get install redis-tools): only the column without Redis is measured")
    found = asyncio.run(measure(size, only or ROWS, redis=redis))
    RESULTS.parent.mkdir(exist_ok=True)
    written = {"machine": report.machine(), "quick": quick, "rows": [asdict(one) for one in found]}
    RESULTS.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(report.table([line(one) for one in found]))
    print(report.circumstances(quick=quick))
    return int(any(one.failed for one in found))
