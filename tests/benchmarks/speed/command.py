"""`./tests/benchmarks/run.sh`: the sidecar beside the alternatives, on loopback, row by row.

    rows         the rows                        pages        rows: one page under load
    lists        rows: whole lists               members      row: a caller with own rows
    costs        rows: memory, gate, start       dashboards   row: a page that stays open
    turns        entrants loaded in turn         cpu          processor time of programs
    outcome      figures, ratios, goals          report       the tables

With `--before REV` the service of that revision is measured in the same rounds: its package `sidecar`, the same
environment, and this revision's benchmark. A goal that is not met is no failure; a row that could not run is one.
"""

import asyncio
import json
import tempfile
import traceback
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.demo.progress import say
from deploy.demo.servers import ROOT
from tests.benchmarks.fair.machine import load
from tests.benchmarks.measures import get
from tests.benchmarks.peers import Size, all_peers
from tests.benchmarks.report import machine
from tests.benchmarks.speed import report
from tests.benchmarks.speed.outcome import Seen
from tests.benchmarks.speed.rows import ROWS, Ground

RESULTS = ROOT / ".demo" / "benchmarks.json"
QUICK = Size(
    payments=300,
    many=1_000,
    short=(150,),
    seconds=0.3,
    callers=20,
    clerks=16,
    refresh=0.5,
    rounds=1,
    lists=1,
    together=1,
)
_LONGEST = 300.0  # seconds for a row


@dataclass(frozen=True, slots=True)
class Found:
    """`seen` is None where the row could not run, and `fault` says why."""

    number: int
    title: str
    seen: Seen | None
    fault: str = ""


async def measure(size: Size, numbers: Collection[int], before: str | None) -> list[Found]:
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        async with all_peers(Path(folder), size, before) as peers:
            return [await one(Ground(peers, size, Path(folder)), number) for number in numbers]


async def one(ground: Ground, number: int) -> Found:
    row = ROWS[number]
    try:
        async with asyncio.timeout(_LONGEST):
            found = Found(number, row.title, await row.run(ground))
    except Exception:  # noqa: BLE001 - the other rows are still worth measuring
        found = Found(number, row.title, None, traceback.format_exc())
        await get(f"{ground.peers.stripe.url}/latency/0")  # the row may have left another one to those after it
    say(f"row {number}, {row.title}: {found.fault or 'measured'}")
    return found


def main(*, quick: bool, only: Collection[int] = (), before: str | None = None) -> int:
    """Print the tables; give 1 if a row could not run. `only` are numbers of rows; none means all."""
    began = load()
    found = asyncio.run(measure(QUICK if quick else Size(), only or ROWS, before))
    RESULTS.parent.mkdir(exist_ok=True)
    written = {"machine": machine(), "quick": quick, "before": before, "rows": [asdict(one) for one in found]}
    RESULTS.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    seen = [(one.number, one.seen) for one in found if one.seen is not None]
    print(report.table(seen), report.missed(seen), sep="\n\n")
    print(report.circumstances(began, quick=quick))
    for one in found:
        if one.seen is None:
            print(f"Row {one.number}, {one.title}, could not run.")
    return int(len(seen) < len(found))
