"""`./tests/benchmarks/run.sh fair`: what one caller does to all others, row by row, with the shipped defaults.

    plan         what visitors do            rig        a fresh sidecar between doubles
    visitors     visitors in a process       real       callers at a real Directus
    connection   one of their connections    turns      rows: others wait for one caller
    visit        starts that process         costs      rows: what one caller costs
    account      the double of Stripe        outcome    what came out of a row, in words
    people       callers in Directus         report     the table
    machine      how busy it was

A row that is not met is no failure: figures depend on the machine and on its other load. One that cannot run is.
"""

import asyncio
import json
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.demo.progress import say
from deploy.demo.servers import ROOT
from deploy.demo.stack import running_stack
from tests.benchmarks.fair import costs, report, turns
from tests.benchmarks.fair.machine import Busy, others
from tests.benchmarks.fair.outcome import Outcome
from tests.benchmarks.fair.rig import Ground, Size

RESULTS = ROOT / ".demo" / "benchmarks-fair.json"
QUICK = Size(
    many=30,
    fewer=20,
    seconds=1.5,
    tries=2,
    settling=0.1,
    payments=300,
    rows=5,
    readers=5,
    slow_readers=10,
    clerks=20,
    edits=5,
    listening=0.1,
)
_LONGEST = 240.0  # seconds for a row


@dataclass(frozen=True, slots=True)
class Row:
    """`title` says what the one caller does; `on_directus`: at a real Directus."""

    title: str
    run: Callable[[Ground], Awaitable[Outcome]]
    on_directus: bool = False


ROWS = {
    1: Row("member with one customer, 520 connections, `GET /payments?limit=1`", turns.many_pages),
    2: Row("the same with 300 connections", turns.fewer_pages),
    3: Row("reader, 50 whole lists of 10,000 that differ", turns.whole_lists),
    4: Row("520 requests, each closed after 2 ms", turns.left_at_once),
    5: Row("member, `POST /setup_intents` without end on 40 connections", costs.endless_posts),
    6: Row("partial caller without a row: GET, cancel, DELETE, refund of others' IDs", costs.without_rows),
    7: Row("member whose subscription update Stripe answers with 429, 3 connections", turns.limited_object),
    8: Row("caller with 200 rows, `GET /customers?limit=1`", costs.many_rows),
    9: Row("the same, `POST /setup_intents` without `customer`", costs.which_customer, on_directus=True),
    10: Row("the same, `GET /payments?limit=1`, 3 at once", costs.heavy_pages),
    11: Row("reader, 240 connections reading whole lists slowly", costs.slow_readers),
    12: Row("a user who edits its own profile 38 times in 5 s, feed on", costs.own_profile, on_directus=True),
    13: Row("readers of a shared list who get slow one after another", turns.slow_one_after_another),
    14: Row("1,000 clerks who open the same page at once", turns.same_page),
    15: Row("1,000 requests of one token at once, for ten pages", turns.one_token),
    16: Row("one caller, 520 connections: pages, whole lists and POSTs mixed", turns.mixed),
}


@dataclass(frozen=True, slots=True)
class Found:
    """`outcome` is None where the row could not run, and `fault` says why. `busy` are percent of the processors."""

    number: int
    outcome: Outcome | None
    fault: str
    busy_before: float
    busy: float


async def measure(size: Size, numbers: Collection[int]) -> list[Found]:
    with tempfile.TemporaryDirectory(prefix="fair-") as folder:
        async with AsyncExitStack() as exits:
            stack = None
            if any(ROWS[number].on_directus for number in numbers):
                (state := Path(folder) / "stack").mkdir()
                stack = await exits.enter_async_context(running_stack(state))
            return [await one(Ground(size, Path(folder), stack), number) for number in numbers]


async def one(ground: Ground, number: int) -> Found:
    before, busy = await others(ground.size.listening), Busy()
    outcome, fault = None, ""
    try:
        async with asyncio.timeout(_LONGEST):
            outcome = await ROWS[number].run(ground)
    except Exception:  # noqa: BLE001 - the other rows are still worth measuring
        fault = traceback.format_exc()
    say(f"row {number}: {fault if outcome is None else outcome.seen}")
    return Found(number, outcome, fault, before, busy.percent())


def main(*, quick: bool, only: Collection[int] = ()) -> int:
    """Print the table; give 1 if a row could not run. `only` are numbers of rows; none means all."""
    found = asyncio.run(measure(QUICK if quick else Size(), only or ROWS))
    RESULTS.parent.mkdir(exist_ok=True)
    written = {"machine": report.machine(), "quick": quick, "rows": [asdict(one) for one in found]}
    RESULTS.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(report.table([(ROWS[one.number].title, one.number, one.outcome) for one in found]))
    print(report.circumstances([(one.number, one.busy_before, one.busy) for one in found], quick=quick))
    return int(any(one.outcome is None for one in found))
