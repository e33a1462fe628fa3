"""`python -m tests.benchmarks [speed] [--quick]`: measures, prints a table, writes .demo/benchmarks.json.

    upstream   a Stripe stand-in           relay, library, extension/   the peers of the sidecar
    load       many requests               peers                        starts them all
    whole      one whole list              measures                     the measurements
    gate       the cost of the gate        looking                      the cost of looking for secrets
    report     the table

`python -m tests.benchmarks fair [--quick] [--only ROWS]` is described in fair/command.py, and
`python -m tests.benchmarks replicas [--quick] [--only ROWS] [--silence SECONDS]` in replicas/command.py.

Not part of CI: the figures depend on the machine and on its other load.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from deploy.demo.servers import ROOT
from tests.benchmarks import measures, report
from tests.benchmarks.fair import command as fair
from tests.benchmarks.peers import Size, all_peers
from tests.benchmarks.replicas import command as replicas
from tests.benchmarks.replicas.rows import ROWS as REPLICA_ROWS

QUICK = Size(payments=300, many=1_000, seconds=0.3, callers=20, rounds=1)
_RESULTS = ROOT / ".demo" / "benchmarks.json"


async def measure(size: Size) -> measures.Figures:
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        state = Path(folder)
        (state / "stack").mkdir()
        async with all_peers(state, size) as peers:
            return {
                "machine": report.machine(),
                "page": await measures.one_page(peers, size),
                "list_60_ms": await measures.whole_list(peers, size, 0.06),
                "list_0_ms": await measures.whole_list(peers, size, 0),
                "memory": await measures.memory(peers, size, state),
                "gate": await measures.gate(peers, size),
                "looking": await measures.looking(size),
                "start": await measures.start(peers, size),
                "member": await measures.member(peers, size),
            }


def numbers(text: str) -> list[int]:
    """Read numbers with commas between them, for `argparse`."""
    return sorted({int(word) for word in text.split(",")})


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/benchmarks/run.sh")
    parser.add_argument(
        "what",
        nargs="?",
        choices=("speed", "fair", "replicas"),
        default="speed",
        help="speed beside others; what one may take; several replicas without and with Redis",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything runs")
    parser.add_argument("--only", type=numbers, default=(), metavar="N[,M]", help="some rows of `fair` or `replicas`")
    parser.add_argument("--silence", type=float, metavar="SECONDS", help="how long Redis is silent in `replicas`")
    options = parser.parse_args()
    rows = {"fair": set(fair.ROWS), "replicas": set(REPLICA_ROWS)}.get(options.what, set())
    if unknown := sorted(set(options.only) - rows):
        parser.error(f"`{options.what}` has no row {unknown[0]}")
    match options.what:
        case "fair":
            return fair.main(quick=options.quick, only=options.only)
        case "replicas":
            return replicas.main(quick=options.quick, only=options.only, silence=options.silence)
    figures = asyncio.run(measure(QUICK if options.quick else Size()))
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(report.table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
