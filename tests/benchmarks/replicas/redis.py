"""A redis-server of one's own on loopback that keeps nothing, and what can become of it."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo import children, tools
from deploy.demo.processes import free_port
from tests.doubles.process import is_listening
from tests.doubles.waiting import eventually


@dataclass(frozen=True, slots=True)
class Redis:
    port: int
    popen: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def silence(self) -> None:
        """Stop it: the system still accepts connections in its name, and nothing is answered."""
        self.popen.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()


@asynccontextmanager
async def redis_server(state: Path) -> AsyncIterator[Redis]:
    """Start redis-server with its files in `state`."""
    port = free_port()
    program = tools.find("redis-server") or "redis-server"
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with (state / "redis.log").open("ab") as output:
        popen = children.popen(
            [*command, "--dir", str(state)], cwd=state, stdout=output, stderr=subprocess.STDOUT, env={}
        )
    redis = Redis(port, popen)
    try:
        await eventually(lambda: _has_begun(redis))
        yield redis
    finally:
        await asyncio.to_thread(redis.kill)


async def _has_begun(redis: Redis) -> bool:
    assert redis.popen.poll() is None
    return await is_listening(redis.port)
