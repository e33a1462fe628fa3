"""Starts servers in process groups of their own, waits until they answer, and ends them with all their children."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from deploy.demo import children
from deploy.demo.progress import Fault, tail
from deploy.demo.watcher import signal_group

_START_DEADLINE = 180.0
_END_DEADLINE = 30.0  # more than the sidecar's own SHUTDOWN_TIMEOUT
_POLL = 0.05
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Server:
    """A running program: its address, its output, and its process for tests that disturb it."""

    url: str
    log: Path
    popen: "subprocess.Popen[bytes]"


def free_port() -> int:
    """Find a port below the range that systems assign by themselves, so that it is still free a moment later."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        if not is_taken(port):
            return port


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        # Servers set it too, so that ended connections do not keep a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Give `settings` and a few basic variables; others of the user's shell might configure the servers."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | dict(settings)


async def answers_http(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=2)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, allow_redirects=False):
            return True
    except (aiohttp.ClientError, TimeoutError):
        return False


@asynccontextmanager
async def running(
    command: Iterable[str | Path],
    *,
    port: int,
    log: Path,
    cwd: Path,
    settings: Mapping[str, str],
    scheme: str = "http",
    answers: Callable[[str], Awaitable[bool]] = answers_http,
) -> AsyncIterator[Server]:
    """Start `command` and yield once it `answers` at its URL on `port`. Raises Fault when it ends or stays silent."""
    with log.open("ab") as output:
        popen = children.popen(command, cwd=cwd, env=environment(settings), stdout=output, stderr=subprocess.STDOUT)
    server = Server(f"{scheme}://127.0.0.1:{port}", log, popen)
    try:
        await _until_it(answers, server)
        yield server
    finally:
        await _end(popen)


async def _until_it(answers: Callable[[str], Awaitable[bool]], server: Server) -> None:
    deadline = time.monotonic() + _START_DEADLINE
    while not await answers(server.url):
        if server.popen.poll() is not None:
            raise Fault(f"{tail(server.log)}\n{server.log.stem} ended; its full output is in {server.log}")
        if time.monotonic() > deadline:
            raise Fault(f"{server.log.stem} did not answer within {_START_DEADLINE:.0f} s; see {server.log}")
        await asyncio.sleep(_POLL)


async def _end(popen: "subprocess.Popen[bytes]") -> None:
    signal_group(popen.pid, signal.SIGTERM)
    try:
        await asyncio.to_thread(popen.wait, _END_DEADLINE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        signal_group(popen.pid, signal.SIGKILL)  # the group outlives its leader while a child is left
        popen.wait()
