"""The lines that `reconcile` prints: each finding on standard output, its progress on standard error."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.core.flows.adoption import Adoption, Doubtful
from sidecar.core.flows.reconcile import Fill, Finding

_EVERY = 5.0  # seconds between two lines of progress


@dataclass(slots=True)
class Report:
    """Prints findings and counts them. `left` is the number of cases above the limit, left to the next run."""

    dry_run: bool
    listed: int = 0
    ours: int = 0
    left: int = 0
    _fills: int = 0
    _adoptions: int = 0
    _repairs: int = 0
    _findings: int = 0
    _said: float = field(default_factory=time.monotonic)

    def progress(self, doing: str) -> None:
        if time.monotonic() - self._said > _EVERY:
            self._said = time.monotonic()
            print(f"{doing}: {self._sum()}", file=sys.stderr, flush=True)

    def fill(self, fill: Fill) -> None:
        self._fills += 1
        print(f"{'to fill' if self.dry_run else 'filled':<8} item {_shown(fill.item)}: {fill.customer}", flush=True)

    def finding(self, finding: Finding) -> None:
        self._findings += 1
        customers = ", ".join(map(_shown, finding.customers))
        print(f"{'DECIDE':<8} item {_shown(finding.item)}: {finding.problem} ({customers})", flush=True)

    def adoption(self, adoption: Adoption) -> None:
        self._adoptions += 1
        done = "to adopt" if self.dry_run else "adopted"
        print(f"{done:<8} item {_shown(adoption.item)}: {adoption.customer}", flush=True)

    def doubt(self, doubtful: Doubtful) -> None:
        self._findings += 1
        print(f"{'DECIDE':<8} item {_shown(doubtful.item)}: {doubtful.doubt} ({_shown(doubtful.customer)})", flush=True)

    def repair(self, item: str, fields: Sequence[str]) -> None:
        self._repairs += 1
        done = "to repair" if self.dry_run else "repaired"
        print(f"{done:<8} item {_shown(item)}: {', '.join(fields)}", flush=True)

    def unrepaired(self, customer: str, why: str) -> None:
        """Report a customer whose items could not be made true, or not all of them."""
        self._findings += 1
        print(f"{'DECIDE':<8} items of {customer}: {why}; `check` says what is wrong", flush=True)

    def unknown(self, customer: str) -> None:
        """Report a customer that a person named and that is none of before."""
        self._findings += 1
        why = "is signed already, names no item of this project and collection, or is not there"
        print(f"{'DECIDE':<8} {_shown(customer)}: {why}", flush=True)

    def end(self) -> int:
        """Print the totals and give the exit code."""
        print(self._sum())
        if self.left:
            print(f"{self.left} more were left out: settle these, then run it again")
        return 1 if self._findings or self.left else 0

    def _sum(self) -> str:
        fills = f"{self._fills} to fill" if self.dry_run else f"{self._fills} filled"
        if self._adoptions:
            fills = f"{self._adoptions} {'to adopt' if self.dry_run else 'adopted'}, {fills}"
        if self._repairs:
            fills = f"{fills}, {self._repairs} {'to repair' if self.dry_run else 'repaired'}"
        return f"{self.listed} customers, {self.ours} of this collection: {fills}, {self._findings} to decide"


def _shown(text: str) -> str:
    """Escape text from Stripe's metadata, which anybody with access may have written, so that it cannot forge lines."""
    return text if text.isprintable() else ascii(text)
