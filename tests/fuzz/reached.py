"""Which operations were reached and how requests ended, by the service's own metrics."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

from tests.unit.web.table.cases import CASES

_LINE = re.compile(r'sidecar_requests_total\{operation="([^"]+)",status="([^"]+)",verdict="[^"]+"\} ([0-9.e+]+)')
Reached = Mapping[str, Counter[str]]


def reached(exposition: str) -> Reached:
    """Give the number of requests by operation and status; `none` has those that reached no operation."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, status, number in _LINE.findall(exposition):
        found[name][status] += int(float(number))
    return found


def never_successful(found: Reached) -> list[str]:
    """Name the operations that no request reached with success, of those that need no object in a state of its own."""
    wanted = [name for name, case in CASES.items() if not case.given]
    return [name for name in wanted if not (name in found and found[name]["200"] + found[name]["201"])]


def table(found: Reached) -> str:
    """Write a table, Markdown too, of operations by status."""
    statuses = sorted({status for row in found.values() for status in row})
    lines = [f"| operation | {' | '.join(statuses)} |", f"|---|{'---:|' * len(statuses)}"]
    for name in sorted(found):
        cells = (str(found[name][status] or "") for status in statuses)
        lines.append(f"| {'no operation' if name == 'none' else name} | {' | '.join(cells)} |")
    return "\n".join(lines)
