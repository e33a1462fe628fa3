"""`python -m tests.matrix [cells]`: runs the service where deploy/README.md says it runs, and prints what was seen.

    cells       the table of cells                    claims      one sentence, and whether it holds
    main_job    the demo's table of answers           features    write-back, feed, events, the commands
    unlicensed  a Directus 12 without a license       nodes       two nodes of Directus with Redis
    users       IDs on the users                      pythons     other Pythons, newer dependencies
    whole       a sidecar with everything on          databases   a private PostgreSQL, a private Redis
    customers   the collection, where `provision` does not make it
    table       the results, printed and in deploy/README.md

The exit code is 1 if a claim does not hold. A cell that lacks a program is left out; in CI that is a failure.
"""

import argparse
import asyncio
import datetime as dt
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.demo.progress import Fault, say
from deploy.demo.servers import ROOT
from tests.matrix.cells import CELLS, Cell
from tests.matrix.claims import Claim, Version
from tests.matrix.table import Outcome, printed, updated

_DOCUMENT = ROOT / "deploy/README.md"
_INTERRUPTED = 130


def main() -> int:
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # so that servers end
    chosen = [cell for cell in CELLS.values() if cell.name in options.cells or not options.cells]
    cells = [cell for cell in chosen if cell.quick or not options.quick]
    in_ci = os.environ.get("CI") == "true"
    state = Path(tempfile.mkdtemp(prefix="matrix-"))
    try:
        outcomes = [outcome(cell, state, installs=in_ci or not options.quick, in_ci=in_ci) for cell in cells]
    except KeyboardInterrupt:
        shutil.rmtree(state)
        return _INTERRUPTED
    passed = all(each.passed for each in outcomes)
    if passed:
        shutil.rmtree(state)
    else:
        say(f"The logs are in {state}")
    print(f"\n{printed(outcomes)}", flush=True)
    if options.document:
        ran = [each for each in outcomes if each.ran]
        _DOCUMENT.write_text(updated(_DOCUMENT.read_text(encoding="utf-8"), ran), encoding="utf-8")
    return 0 if passed else 1


def _options() -> argparse.Namespace:
    names = "\n".join(f"  {cell.name:<16}{cell.what}" for cell in CELLS.values())
    parser = argparse.ArgumentParser(
        prog="tests/run.sh matrix",
        epilog=f"cells:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cells", nargs="*", metavar="cell", help="only these")
    parser.add_argument(
        "--quick", action="store_true", help="only what is quick, and outside CI only what is installed"
    )
    parser.add_argument("--document", action="store_true", help="write the results into the table of deploy/README.md")
    options = parser.parse_args()
    if unknown := set(options.cells) - set(CELLS):
        parser.error(f"there is no cell called {', '.join(sorted(unknown))}")
    return options


def outcome(cell: Cell, state: Path, *, installs: bool, in_ci: bool) -> Outcome:
    """Run one cell in a folder of its own in `state`.

    In CI a cell that lacks a program fails, because a skipped check looks like a passed one.
    """
    print(f"── {cell.name}: {cell.what}", flush=True)
    today, start = dt.datetime.now(dt.UTC).date().isoformat(), time.monotonic()
    missing = _missing(cell, installs=installs)
    if missing:
        print(f"   left out: {missing}", flush=True)
        return Outcome(cell.name, (), f"left out: {missing}", 0, today, passed=not in_ci)
    folder = state / cell.name
    folder.mkdir()
    claims, ran = asyncio.run(_run(cell, folder))
    failed = sum(not claim.holds for claim in claims)
    result = f"FAILED, {failed} of {len(claims)} claims" if failed else f"passed, {len(claims)} claims"
    return Outcome(cell.name, ran, result, round(time.monotonic() - start), today, passed=not failed)


def _missing(cell: Cell, *, installs: bool) -> str:
    """Meet the cell's needs; say in one line what is missing."""
    for need in cell.needs:
        try:
            if not need.is_met() and not installs:
                return f"{need.name} is not installed; `./tests/run.sh matrix {cell.name}` installs it"
            need.meet()
        except Fault as fault:
            return "; ".join(str(fault).splitlines())
    return ""


async def _run(cell: Cell, folder: Path) -> tuple[Sequence[Claim], tuple[str, ...]]:
    claims: list[Claim] = []
    ran: list[str] = []
    try:
        async for finding in cell.run(folder):
            match finding:
                case Version(text):
                    ran.append(text)
                    print(f"   {text}", flush=True)
                case Claim():
                    claims.append(finding)
                    print(f"   {finding}", flush=True)
    except Exception as error:  # noqa: BLE001 - the other cells run all the same
        claims.append(Claim("the cell comes to its end", expected="", seen=f"{type(error).__name__}: {error}"))
        print(f"   {claims[-1]}", flush=True)
    return claims, tuple(ran)


if __name__ == "__main__":
    sys.exit(main())
