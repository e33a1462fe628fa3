"""The lines that `reconcile` prints: each finding on standard output, its progress on standard error."""

import sys
import time
from dataclasses import dataclass, field

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

    def end(self) -> int:
        """Print the totals and give the exit code."""
        print(self._sum())
        if self.left:
            print(f"{self.left} more were left out: settle these, then run it again")
        return 1 if self._findings or self.left else 0

    def _sum(self) -> str:
        fills = f"{self._fills} to fill" if self.dry_run else f"{self._fills} filled"
        return f"{self.listed} customers, {self.ours} of this collection: {fills}, {self._findings} to decide"


def _shown(text: str) -> str:
    """Escape text from Stripe's metadata, which anybody with access may have written, so that it cannot forge lines."""
    return text if text.isprintable() else ascii(text)
