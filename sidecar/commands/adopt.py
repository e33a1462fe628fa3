"""``reconcile --adopt``: sign the customers of before customers were signed, or of a secret that is being replaced.

What the item proves is adopted; what only metadata claim is listed, and adopted once a person has named the customer.
"""

from collections.abc import Collection

from sidecar.commands.ledger import Claimed, Ledger
from sidecar.commands.report import Report
from sidecar.core.flows.adoption import Adoption, Doubtful, judge
from sidecar.core.flows.reconcile import Fill


async def adopt(ledger: Ledger, start: int | None, report: Report, chosen: Collection[str]) -> None:
    """`chosen` are the customers that a person named. Raises what the ledger raises."""
    unseen = set(chosen)
    async for page in ledger.of_before(start):
        items = await ledger.named(list({claimed.named.item for claimed in page.claimed}))
        report.listed += page.listed
        report.ours += len(page.claimed)
        for claimed in page.claimed:
            unseen.discard(claimed.customer)
            await _settle(_judged(claimed, items, chosen), ledger, report)
        report.progress("Looking")
    for customer in sorted(unseen):
        report.unknown(customer)


def _judged(claimed: Claimed, items: dict[str, str | None], chosen: Collection[str]) -> Adoption | Doubtful:
    item = claimed.named.item
    return judge(claimed.customer, claimed.named, items.get(item), exists=item in items, chosen=chosen)


async def _settle(verdict: Adoption | Doubtful, ledger: Ledger, report: Report) -> None:
    if isinstance(verdict, Doubtful):
        report.doubt(verdict)
        return
    fill = Fill(verdict.item, verdict.customer)
    if verdict.fill and (elsewhere := await ledger.elsewhere(fill)) is not None:
        report.finding(elsewhere)
        return
    if not report.dry_run:
        await ledger.sign(verdict)
    report.adoption(verdict)
    if not verdict.fill:
        return
    finding = None if report.dry_run else await ledger.fill(fill)
    if finding is None:
        report.fill(fill)
    else:
        report.finding(finding)
