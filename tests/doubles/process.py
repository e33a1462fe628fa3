"""The real sidecar in its own process, with exactly the given environment."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo import children
from deploy.demo.processes import free_port
from tests.doubles.waiting import PATIENCE, eventually
from tests.doubles.wire import Answer, exchange, request_bytes

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Sidecar:
    """`output` is the file with the process's stdout and stderr."""

    process: asyncio.subprocess.Process
    port: int
    output: Path

    async def call(
        self, target: str, *headers: tuple[str, str], method: str = "GET", body: bytes | None = None
    ) -> Answer:
        return await exchange(self.port, request_bytes(method, target, headers, body))

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def exit_code(self, within: float = PATIENCE) -> int:
        async with asyncio.timeout(within):
            return await self.process.wait()

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Program:
    """What is run, and where: by default this checkout, beside the output, where nobody has a `.env`."""

    command: Sequence[str] = (sys.executable, "-m", "sidecar")
    folder: Path | None = None


_CHECKOUT = Program()


@asynccontextmanager
async def started_as(program: Program, output: Path, *arguments: str, **variables: str) -> AsyncIterator[Sidecar]:
    """Start a program on SIDECAR_PORT, by default a free port; kill it at the end if it still runs."""
    port = int(variables.get("SIDECAR_PORT") or free_port())
    checkout = {"PYTHONPATH": str(ROOT)} if program.folder is None else {}
    environment = {"PATH": os.defpath, "SIDECAR_PORT": str(port), **checkout, **variables}
    folder = program.folder or output.parent
    with output.open("wb") as stream:
        command = [*program.command, *arguments]
        process = await children.spawn(command, cwd=folder, env=environment, stdout=stream, stderr=stream)
    try:
        yield Sidecar(process, port, output)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def serving_as(program: Program, output: Path, **variables: str) -> AsyncIterator[Sidecar]:
    """Start a program, and wait until it accepts connections."""
    async with started_as(program, output, **variables) as sidecar:
        await eventually(lambda: _has_begun(sidecar))
        yield sidecar


@asynccontextmanager
async def started(output: Path, *arguments: str, **variables: str) -> AsyncIterator[Sidecar]:
    """Start `python -m sidecar` on a free port; kill it at the end if it still runs."""
    async with started_as(_CHECKOUT, output, *arguments, **variables) as sidecar:
        yield sidecar


@asynccontextmanager
async def serving(output: Path, **variables: str) -> AsyncIterator[Sidecar]:
    """Start the sidecar, and wait until it accepts connections."""
    async with serving_as(_CHECKOUT, output, **variables) as sidecar:
        yield sidecar


async def _has_begun(sidecar: Sidecar) -> bool:
    assert sidecar.process.returncode is None, sidecar.said()
    return await is_listening(sidecar.port)


async def is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
