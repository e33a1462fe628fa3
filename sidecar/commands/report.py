"""What `reconcile` prints: each finding as it comes on standard output, what it is doing on standard error."""

import sys
import time
from dataclasses import dataclass, field

from sidecar.core.flows.reconcile import Fill, Finding

_EVERY = 5.0  # seconds between two lines of progress


@dataclass(slots=True)
class Report:
    """Counts what was found so far. `left` are cases that there was no room for."""

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
        """Print the sum and give the exit code."""
        print(self._sum())
        if self.left:
            print(f"{self.left} more were left out: settle these, then run it again")
        return 1 if self._findings or self.left else 0

    def _sum(self) -> str:
        fills = f"{self._fills} to fill" if self.dry_run else f"{self._fills} filled"
        return f"{self.listed} customers, {self.ours} of this collection: {fills}, {self._findings} to decide"


def _shown(text: str) -> str:
    """What somebody wrote into Stripe's metadata must not forge lines here."""
    return text if text.isprintable() else ascii(text)
