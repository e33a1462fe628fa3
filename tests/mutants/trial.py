"""Tries mutants: mutmut runs the tests that reach each changed function, in a copy of the project."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from deploy.demo.progress import Fault, tail
from tests.mutants.mutant import Mutant

_COPIED = ("sidecar", "deploy", "tests", "pyproject.toml")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", ".demo", "integration", "e2e", "benchmarks", "soak")


class Verdict(StrEnum):
    """TIMEOUT: the change makes a test endless, which counts as found. INCOMPETENT: the change ends pytest itself."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    INCOMPETENT = "incompetent"
    NOT_TRIED = "not tried"


# pytest's exit codes, and mutmut's: 33 where no test reaches the function, 36 and signal 24 for a timeout
_VERDICTS: dict[int | None, Verdict] = {
    0: Verdict.SURVIVED,
    1: Verdict.KILLED,
    5: Verdict.SURVIVED,
    33: Verdict.SURVIVED,
    **dict.fromkeys((24, -24, 36, 152, 255), Verdict.TIMEOUT),
    None: Verdict.NOT_TRIED,
}


def copy_project(source: Path, target: Path) -> None:
    for name in _COPIED:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=_LEFT_OUT)
        else:
            shutil.copy2(source / name, target / name)


def try_all(mutants: Sequence[Mutant], project: Path, *, seconds: float, workers: int) -> dict[Mutant, Verdict]:
    """Try mutants in a copy of the project, which is unusable afterwards. Raises Fault."""
    said = project / "mutmut.log"
    mutmut = str(Path(sys.executable).with_name("mutmut"))
    command = [mutmut, "run", f"--max-children={workers}", *(mutant.name for mutant in mutants)]
    with said.open("wb") as log:
        process = subprocess.Popen(command, cwd=project, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - our own arguments, no shell
        try:
            failed = process.wait(seconds) != 0
        except subprocess.TimeoutExpired:
            failed = False
        finally:
            _end_session(process)
    if failed:
        raise Fault(f"{tail(said)}\nmutmut failed before it tried anything.")
    codes = {
        name: code
        for path in {mutant.change.path for mutant in mutants}
        for name, code in _exit_codes(project, path).items()
    }
    return {mutant: _VERDICTS.get(codes.get(mutant.name), Verdict.INCOMPETENT) for mutant in mutants}


def _end_session(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _exit_codes(project: Path, path: str) -> dict[str, int | None]:
    """Read mutmut's results, written after each mutant; none if mutmut failed before the first."""
    try:
        noted = json.loads((project / "mutants" / f"{path}.meta").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return dict(noted["exit_code_by_key"])
