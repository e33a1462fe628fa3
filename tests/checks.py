"""`python -m tests.checks [NAME…]`: the checks behind tests/run.sh.

Standard library only: it runs before there is a virtual environment. A running check ends with this process.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from deploy.demo import children, prepare, tools
from deploy.demo.progress import Fault, say
from deploy.demo.watcher import signal_group

_INTERRUPTED = 130
_END_DEADLINE = 60.0  # seconds for pytest to end its child processes
_IN_CI = os.environ.get("CI") == "true"
_SCRIPTS = (
    *("deploy/demo.sh", "deploy/demo/environment.sh", "tests/run.sh"),
    *("tests/benchmarks/run.sh", "tests/soak/run.sh", ".ci/run"),
)
_SOURCED = ("-c", 'source deploy/demo/environment.sh && "$0"')
_UNIT = ("pytest", "tests/unit", "--numprocesses=auto")
_FEWER = (*_UNIT, "--hypothesis-profile=quick")
PYTHONS = (*_FEWER, "-m", "not npm and not redis and not further")  # for the matrix
_OTHERS = (*_FEWER, "-m", "not npm and not redis and not further and not slow")
_QUICK = (*_FEWER, "-m", "not npm and not redis and not further and not process and not slow")
_BY_FILE = ("--numprocesses=2", "--dist=loadfile")
_REDIS = "tests/integration/redis"  # on doubles and real Redis servers
# pytest comes last, so that a successful run ends with pytest's summary
_CHECKS = {
    "format": ("ruff", "format", "--check", "."),
    "lint": ("ruff", "check", "."),
    "types": ("mypy",),
    "imports": ("lint-imports", "--no-logo"),
    "shell": ("shellcheck", "--external-sources", *_SCRIPTS),
    "pythons": _OTHERS,
    "matrix": ("python", "-m", "tests.matrix", "--quick"),  # all of it: ./tests/run.sh matrix
    "unit": _UNIT,
    "redis": ("pytest", _REDIS, "--numprocesses=auto"),
    # Each worker starts a Directus of its own. Tests of a file share what they start, so they stay together.
    "integration": ("pytest", "tests/integration", f"--ignore={_REDIS}", *_BY_FILE),
    "e2e": ("pytest", "tests/e2e"),
}
# Each takes arguments of its own and runs alone; tests/README.md says what it shows.
_ALONE = ("arrangements", "fuzz", "matrix", "mutants", "stress")
_TOOLS = {"shell": "shellcheck", "e2e": "chromium"}
_NEEDS = {
    "shell": {"--shellcheck"},
    "matrix": {"--servers"},
    "unit": {"--packages", "--redis"},
    "redis": {"--redis"},
    "integration": {"--packages", "--servers", "--redis", "--prometheus", "--image"},
    "e2e": {"--packages", "--servers", "--browser"},
}


def main(wanted: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a background job in a shell ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    unknown = [name for name in wanted if name not in _CHECKS]
    try:
        if wanted == ["quick"]:
            return _report(list(_quick()))
        if wanted[:1] and wanted[0] in _ALONE:
            return _code(prepare.prepare(set()).parent, ("python", "-m", f"tests.{wanted[0]}", *wanted[1:]))
        if unknown:
            alone = ", ".join(("quick", *_ALONE))
            say(f"There is no check called {unknown[0]}; there are: {' '.join(_CHECKS)}; and, to run alone, {alone}")
            return 2
        return _report(list(_failed([name for name in _CHECKS if name in wanted or not wanted])))
    except Fault as fault:
        say(str(fault))
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _report(failed: Sequence[str]) -> int:
    if failed:
        say(f"Failed: {' '.join(failed)}")
    return int(bool(failed))


def _quick() -> Iterator[str]:
    """Run what needs only Python packages, with type checks in parallel; give the names of the failed checks."""
    folder = prepare.prepare(set()).parent
    with tempfile.TemporaryFile() as output:
        types = children.popen([folder / "mypy"], stdout=output, stderr=subprocess.STDOUT)
        commands = {name: _CHECKS[name] for name in ("format", "lint")} | {"unit": _QUICK}
        for name, command in commands.items():
            print(f"── {name}", flush=True)
            if _code(folder, command):
                yield name
        print("── types", flush=True)
        code = types.wait()
        output.seek(0)
        print(output.read().decode(), end="", flush=True)
    if code:
        yield "types"


def _failed(names: Sequence[str]) -> Iterator[str]:
    folder = prepare.prepare(set().union(*(_NEEDS.get(name, set()) for name in names))).parent
    for name in names:
        start = time.monotonic()
        print(f"── {name}", flush=True)
        try:
            passed = _pythons() if name == "pythons" else _passes(name, folder)
        except Fault as fault:
            passed = False
            say(str(fault))
        print(f"   {'' if passed else 'FAILED after '}{time.monotonic() - start:.0f} s", flush=True)
        if not passed:
            yield name


def _passes(name: str, folder: Path) -> bool:
    tool = _TOOLS.get(name)
    if tool and not tools.find(tool):
        return _left_out(f"{tool} is not installed")
    return _code(folder, _CHECKS[name]) == 0


def _left_out(why: str) -> bool:
    """Report a missing tool; in CI a missing tool is a failure, because a skipped check looks like a passed one."""
    print(f"   left out: {why}", flush=True)
    return not _IN_CI


def _pythons() -> bool:
    """Run most unit tests on the oldest Python that is installed; those between it and ours are the matrix's."""
    found, image = pythons(), said("bash", *_SOURCED, "image_python").strip()
    passed = image in found or _left_out(f"the image's Python {image} is not on this machine")
    oldest = min(found, key=lambda version: tuple(map(int, version.split("."))))
    if oldest == ".".join(map(str, sys.version_info[:2])):
        return passed
    print(f"   Python {oldest}", flush=True)
    other = Path(said(found[oldest], "-m", "deploy.demo.prepare").strip())
    return _code(other.parent, _OTHERS) == 0 and passed


def pythons() -> dict[str, str]:
    """Give the path of each installed Python that is new enough, by its version, such as 3.13."""
    return dict(line.split(" ", 1) for line in said("bash", *_SOURCED, "find_pythons").splitlines())


def said(*command: str) -> str:
    """Give the output of `command`. Raises Fault when the command fails; the command prints the reason itself."""
    with tempfile.TemporaryFile() as output:
        if children.popen(command, stdout=output).wait():
            raise Fault(f"{command[0]} failed")
        output.seek(0)
        return output.read().decode()


def _code(folder: Path, command: Sequence[str]) -> int:
    """Run `command`, from the environment if it is there. Ctrl-C is passed on, so that the command can clean up."""
    program = folder / command[0]
    child = children.popen([program if program.exists() else command[0], *command[1:]])
    try:
        return child.wait()
    except KeyboardInterrupt:
        signal_group(child.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_END_DEADLINE)
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
