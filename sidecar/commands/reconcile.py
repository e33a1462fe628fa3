"""``reconcile``: write the customer IDs that a crash kept from their items, and report what a person must decide.

It reads everything before it writes any ID, and it only ever writes one into an empty field. Then it makes fields true
that repeat what belongs to a customer, as events do. So it can be killed, run again, and run twice at once.
"""

import asyncio
import logging
import re
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sidecar import opening
from sidecar.commands.adopt import adopt
from sidecar.commands.ledger import Ledger, Listed
from sidecar.commands.report import Report
from sidecar.commands.status_repair import StatusRepair
from sidecar.core.flows.customer_state import CustomerState
from sidecar.core.flows.reconcile import (
    Case,
    Fill,
    Finding,
    Problem,
    Seen,
    compare,
    decide,
    merge,
    unlisted,
)
from sidecar.core.operations.resources import is_customer_id
from sidecar.errors import SidecarError
from sidecar.settings import Settings, SettingsFault, load

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOST_CASES = 100_000  # some 40 MB; the next run does the rest


def run(*, dry_run: bool, since: str | None, adopted: Sequence[str] | None = None) -> int:
    """Give the exit code: 0 if nothing is left to decide, 1 if something is or it stopped. Raises SettingsFault.

    `adopted` are the customers that a person named after --adopt; None without it.
    """
    faults = [f"--adopt: {name!a} is no customer's ID" for name in adopted or () if not is_customer_id(name)]
    if faults:
        raise SettingsFault(faults)
    settings, start = load(Settings), _start(since)
    logging.disable()  # the printed lines say what the clients would log
    try:
        return asyncio.run(_run(settings, start, Report(dry_run), adopted))
    except SidecarError as error:
        print(f"Stopped: {error.detail or error.message}. What was filled stays; run it again.", file=sys.stderr)
        return 1


def _start(since: str | None) -> int | None:
    """Read "7d" as the Unix time of seven days ago."""
    if since is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})([mhdw])", since)
    if match is None:
        raise SettingsFault(["--since: must be a number and m, h, d or w, such as 7d"])
    return max(0, int(time.time()) - int(match[1]) * _UNITS[match[2]])


async def _run(settings: Settings, start: int | None, report: Report, adopted: Sequence[str] | None) -> int:
    async with _sides(settings, report) as (ledger, status):
        missing = await ledger.lacking_rights()
        if missing:
            print(f"The service token must be allowed to {', '.join(missing)}: run `provision`.", file=sys.stderr)
            return 1
        if adopted is None:
            await _reconcile(ledger, status, start, report)
        else:
            await adopt(ledger, start, report, adopted)
        return report.end()


@asynccontextmanager
async def _sides(settings: Settings, report: Report) -> AsyncIterator[tuple[Ledger, StatusRepair]]:
    async with opening.directus_session(settings) as directus, opening.stripe_session(settings) as stripe:
        yield Ledger(settings, directus, stripe), StatusRepair(settings, directus, stripe, report)


async def _reconcile(ledger: Ledger, status: StatusRepair, start: int | None, report: Report) -> None:
    """Compare both sides, then settle each case. Deleted customers show only in a run over the whole account.

    Such a run looks at what belongs to everybody; another one at those whose events met an item without their ID.
    """
    seen = Seen(secrets.token_bytes(16)) if start is None else None  # the next run errs with others
    cases: dict[str, Case] = {}
    async for page in ledger.customers(start):
        await _compare(page, ledger, cases, report)
        if seen is not None:
            seen.update(page.ids)
    filled = [customer for case in cases.values() if (customer := await _settle(case, ledger, report)) is not None]
    if seen is None:
        await status.of_these(filled)
        return
    await _look_for_deleted(ledger, seen, cases, report)
    await status.of_everybody()


async def _compare(page: Listed, ledger: Ledger, cases: dict[str, Case], report: Report) -> None:
    items = await ledger.named(list({customer.item for customer in page.customers}))
    for customer in page.customers:
        if customer.item not in items:
            report.finding(Finding(Problem.GONE, customer.item, (customer.id,)))
    for case in compare(page.customers, items):
        if case.item in cases:
            cases[case.item] = merge(cases[case.item], case)
        elif len(cases) < _MOST_CASES:
            cases[case.item] = case
        else:
            report.left += 1
    report.listed += len(page.ids)
    report.ours += len(page.customers)
    report.progress("Comparing")


async def _settle(case: Case, ledger: Ledger, report: Report) -> str | None:
    """Give the customer whose ID is filled in; None without one."""
    verdict = decide(case, CustomerState.ALIVE if case.linked is None else await ledger.state(case.linked))
    if isinstance(verdict, Fill):
        if await ledger.state(verdict.customer) is not CustomerState.ALIVE:
            return None  # it was deleted since it was listed
        verdict = await ledger.elsewhere(verdict) or verdict
    if isinstance(verdict, Fill) and not report.dry_run:
        verdict = await ledger.fill(verdict) or verdict
    match verdict:
        case Fill():
            report.fill(verdict)
            return verdict.customer
        case Finding():
            report.finding(verdict)
    return None


async def _look_for_deleted(ledger: Ledger, seen: Seen, cases: dict[str, Case], report: Report) -> None:
    async for items in ledger.linked():
        report.progress("Looking for deleted customers")
        for case in unlisted(items, seen):
            if case.item not in cases:
                await _settle(case, ledger, report)
