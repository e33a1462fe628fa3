"""Shows that unit tests do not depend on the machine's speed: `python -m tests.stress busy` or `… stopped`.

`busy` runs the tests while other processes use every core; `stopped` stops some of the tests' processes (pytest,
its workers, their children) for 3 s at random moments, as a suspended laptop or a machine short of memory does.
`--runs 5` repeats that five times; arguments after `--` go to pytest. The exit code is 1 if any run failed.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from deploy.demo import children

ROOT = Path(__file__).parents[1]
_STOPPED = 3.0  # seconds
_RUNNING = (2.0, 12.0)  # seconds between two stops, chosen at random
_UNIT = ("tests/unit", "--numprocesses=2")
_SPIN = "while True: pass"


def main(arguments: Sequence[str]) -> int:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given, tests = _parser().parse_args(arguments[:end]), arguments[end + 1 :] or _UNIT
    seed = random.SystemRandom().randrange(2**32) if given.seed is None else given.seed
    print(f"{given.mode}: {given.runs} runs, seed {seed}", flush=True)
    results = [_run(given.mode, tests, random.Random(f"{seed} {n}")) for n in range(given.runs)]  # noqa: S311 - no secret
    failed = sum(code != 0 for code in results)
    print(f"{given.mode}: {given.runs - failed} of {given.runs} runs passed, seed {seed}", flush=True)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("mode", choices=["busy", "stopped"])
    parser.add_argument("--runs", type=int, default=1, help="how many times the tests run")
    parser.add_argument("--seed", type=int, help="repeats the moments and the choice of an earlier run")
    return parser


def _run(mode: str, arguments: Sequence[str], chance: random.Random) -> int:
    """Give pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    began = time.monotonic()
    with _processes([command]) as [tests]:
        if mode == "busy":
            with _processes([[sys.executable, "-c", _SPIN]] * (os.cpu_count() or 1)):
                code = tests.wait()
        else:
            code = _with_stops(tests, chance)
    print(f"exit code {code} after {time.monotonic() - began:.0f} s", flush=True)
    return code


def _with_stops(tests: "subprocess.Popen[bytes]", chance: random.Random) -> int:
    stops = 0
    while not _ends_within(tests, chance.uniform(*_RUNNING)):
        group = _family(tests.pid)
        chosen = chance.sample(group, chance.randint(1, len(group)))
        try:
            _signal_all(chosen, signal.SIGSTOP)
            time.sleep(_STOPPED)
        finally:
            _signal_all(chosen, signal.SIGCONT)
        stops += 1
    print(f"{stops} stops of {_STOPPED:.0f} s", flush=True)
    return tests.returncode


def _ends_within(tests: "subprocess.Popen[bytes]", seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        tests.wait(seconds)
    return tests.returncode is not None


def _family(pid: int) -> list[int]:
    """Give a process and all its descendants."""
    started = defaultdict[int, list[int]](list)
    for child, parent in _parents():
        started[parent].append(child)
    family = [pid]
    for member in family:
        family.extend(started[member])
    return family


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The name is in parentheses and may contain anything; state and parent follow it.
                yield int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])


def _signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@contextmanager
def _processes(commands: Sequence[Sequence[str]]) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Start each in its own process group, and kill the groups at the end."""
    with ExitStack() as exits:
        yield [exits.enter_context(_process(command)) for command in commands]


@contextmanager
def _process(command: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = children.popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
