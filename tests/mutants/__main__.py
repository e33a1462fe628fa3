"""`python -m tests.mutants [paths]`: changes core in small steps, and sees whether its unit tests fail.

    mutant      the possible changes          trial       mutmut tries them
    equivalent  changes without an effect     profile     property tests with the same examples in each run

Prints the changes that no test noticed. The exit code is 1 if there are too many, or if the time ended first.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.demo.progress import Fault, say
from tests.mutants import report
from tests.mutants.equivalent import declared, obsolete
from tests.mutants.mutant import Mutant, mutants_of, sample
from tests.mutants.trial import copy_project, try_all

ROOT = Path(__file__).parents[2]


def main() -> int:
    options = _options()
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that child processes are ended
    try:
        chosen = _chosen(options.paths, options.most)
        say(f"{len(chosen)} mutants, on {options.workers} processes, within {options.seconds} s")
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            copy_project(ROOT, Path(folder))
            verdicts = try_all(chosen, Path(folder), seconds=options.seconds, workers=options.workers)
    except Fault as fault:
        say(str(fault))
        return 2
    except KeyboardInterrupt:
        return 130
    print(report.text(verdicts))
    too_little = report.too_little(verdicts)
    for line in too_little:
        say(line)
    return 1 if too_little else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/run.sh mutants")
    parser.add_argument("paths", nargs="*", default=["sidecar/core"], help="modules or folders within sidecar/core")
    parser.add_argument("--seconds", type=int, default=3600, help="end after this time; untried mutants are a failure")
    parser.add_argument("--most", type=int, help="try only this many, the same ones in each run")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _chosen(paths: list[str], most: int | None) -> list[Mutant]:
    mutants = [mutant for path in paths for module in _modules(Path(path)) for mutant in mutants_of(module)]
    equivalent = declared()
    if left := obsolete(equivalent, mutants):
        raise Fault("equivalent.toml declares changes that are no mutants now:\n" + "\n".join(map(str, left)))
    tried = [mutant for mutant in mutants if not mutant.wording and mutant.change not in equivalent]
    if not tried:
        raise Fault(f"Nothing can be changed in {', '.join(paths)}")
    return tried if most is None else sample(tried, most)


def _modules(path: Path) -> Iterator[Path]:
    yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main())
