"""`python -m tests.benchmarks [speed] [--quick] [--only ROWS] [--before REV]`: prints tables, and writes JSON to .demo.

    upstream   a Stripe stand-in           relay, nginx, extension/   the peers of the sidecar
    load       many requests               library, plain             other ways to read a whole list
    whole      one whole list              peers, earlier             start them all, and an earlier revision
    gate       the cost of the gate        looking                    the cost of looking for secrets
    measures   runs these programs         report                     the machine

`speed/command.py` lists the rest of it. `python -m tests.benchmarks fair [--quick] [--only ROWS]` is described in
fair/command.py, and `python -m tests.benchmarks replicas [--quick] [--only ROWS] [--silence SECONDS]` in
replicas/command.py.
`python -m tests.benchmarks.schedules` reads whole lists in virtual time, and says what they take beside plain paging.

Not part of CI: the figures depend on the machine and on its other load.
"""

import argparse
import sys

from tests.benchmarks.fair import command as fair
from tests.benchmarks.replicas import command as replicas
from tests.benchmarks.replicas.rows import ROWS as REPLICA_ROWS
from tests.benchmarks.speed import command as speed
from tests.benchmarks.speed.rows import ROWS as SPEED_ROWS

_ROWS = {"speed": set(SPEED_ROWS), "fair": set(fair.ROWS), "replicas": set(REPLICA_ROWS)}


def numbers(text: str) -> list[int]:
    """Read numbers with commas between them, for `argparse`."""
    return sorted({int(word) for word in text.split(",")})


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/benchmarks/run.sh")
    parser.add_argument(
        "what",
        nargs="?",
        choices=tuple(_ROWS),
        default="speed",
        help="speed beside others; what one may take; several replicas without and with Redis",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything runs")
    parser.add_argument("--only", type=numbers, default=(), metavar="N[,M]", help="some rows")
    parser.add_argument("--before", metavar="REV", help="an earlier revision, for `speed` to measure in the same run")
    parser.add_argument("--silence", type=float, metavar="SECONDS", help="how long Redis is silent in `replicas`")
    options = parser.parse_args()
    if unknown := sorted(set(options.only) - _ROWS[options.what]):
        parser.error(f"`{options.what}` has no row {unknown[0]}")
    match options.what:
        case "fair":
            return fair.main(quick=options.quick, only=options.only)
        case "replicas":
            return replicas.main(quick=options.quick, only=options.only, silence=options.silence)
    return speed.main(quick=options.quick, only=options.only, before=options.before)


if __name__ == "__main__":
    sys.exit(main())
