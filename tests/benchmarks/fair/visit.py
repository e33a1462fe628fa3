"""Starts visitors in a process of their own, and reads what became of them."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo import children
from deploy.demo.servers import ROOT
from tests.benchmarks.fair.plan import Group, Tally, plan, tallies_of

_ENDING = 20.0  # seconds for visitors to end


@dataclass(frozen=True, slots=True)
class Visit:
    """Visitors on their way; they began when this was made."""

    process: asyncio.subprocess.Process
    longest: float

    async def ended(self) -> dict[str, Tally]:
        """Wait until they have done what they do. Raises RuntimeError and TimeoutError where they do not end well."""
        assert self.process.stdout is not None
        async with asyncio.timeout(self.longest + _ENDING):
            written = await self.process.stdout.read()
            code = await self.process.wait()
        if code:
            raise RuntimeError(f"the visitors ended with {code}")
        return tallies_of(json.loads(written))

    async def stop(self) -> dict[str, Tally]:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.ended()


@asynccontextmanager
async def visiting(port: int, groups: Sequence[Group], *, seconds: float, state: Path) -> AsyncIterator[Visit]:
    """Yield when all visitors are connected and begin; `state` is a folder for the plan."""
    file = state / "plan.json"
    file.write_text(json.dumps(plan(port, seconds, groups)), encoding="utf-8")
    command = [sys.executable, "-m", "tests.benchmarks.fair.visitors", str(file)]
    process = await children.spawn(command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        if await process.stdout.readline() != b"ready\n":
            raise RuntimeError("the visitors did not begin")
        yield Visit(process, seconds)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
