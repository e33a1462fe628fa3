"""Messages to the terminal while something takes long, and the exception by which expected failures end a command."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.demo import children

_TAIL = 20


class Fault(Exception):
    """A failure that the user can mend; only its text is shown."""


def say(line: str) -> None:
    """Print to standard error; standard output is for results."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def step(what: str, usually: str) -> Iterator[None]:
    """Announce `what` and how long it `usually` takes, then how long it took."""
    say(f"{what} (usually {usually})")
    start = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - start:.0f} s")


def tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:])


def run(command: list[str], *, log: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run a command with its output in `log`. Raises Fault with the end of the log if the command fails."""
    with log.open("ab") as output:
        code = children.popen(command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT).wait()
    if code:
        raise Fault(f"{tail(log)}\n{Path(command[0]).name} failed; its full output is in {log}")
