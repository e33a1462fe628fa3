"""Child processes that end with their parent, however the parent ends, SIGKILL included.

Only the parent keeps the write end of a pipe open; the watcher has the read end. A child writes the number of its
process group into the pipe before it executes its program, so the watcher knows every child. When the parent has ended,
the pipe ends too, and the watcher ends every group that is left. This needs pipes and process groups only, and it ends
the children of a child too, which Linux's parent-death signal (prctl PR_SET_PDEATHSIG) does not.
"""

import asyncio
import atexit
import functools
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

_REGISTER = 'echo $$ >&0 && exec "$@" </dev/null'  # standard input is the pipe until then
_WATCHER = Path(__file__).with_name("watcher.py")
_Output = int | IO[bytes] | None


def popen(
    command: Iterable[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: _Output = None,
    stderr: _Output = None,
) -> "subprocess.Popen[bytes]":
    """Start `command` in a session of its own, so that a Ctrl-C in the terminal reaches only the parent.

    A command that does not exist ends with 127 and a line on `stderr`.
    """
    return subprocess.Popen(
        _registering(command), cwd=cwd, env=env, stdin=_pipe(), stdout=stdout, stderr=stderr, start_new_session=True
    )


async def spawn(
    command: Iterable[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: _Output = None,
    stderr: _Output = None,
) -> asyncio.subprocess.Process:
    """Do the same for asyncio."""
    return await asyncio.create_subprocess_exec(
        *_registering(command), cwd=cwd, env=env, stdin=_pipe(), stdout=stdout, stderr=stderr, start_new_session=True
    )


def _registering(command: Iterable[str | Path]) -> list[str]:
    return ["/bin/sh", "-c", _REGISTER, "sh", *map(str, command)]


@functools.cache
def _pipe() -> int:
    """Start the watcher of this process and give the write end of its pipe."""
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", _WATCHER],
        stdin=subprocess.PIPE,
        # Otherwise a reader of the parent's output would wait for the watcher's end.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    atexit.register(watcher.communicate)
    assert watcher.stdin is not None  # noqa: S101 - for the type: it is a pipe
    return watcher.stdin.fileno()
