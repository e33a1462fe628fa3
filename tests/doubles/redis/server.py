"""A real redis-server, which keeps nothing on disk and which a test can freeze, kill and start again."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.demo import children, redis_server
from deploy.demo.processes import free_port
from deploy.demo.progress import tail
from tests.doubles.redis.security import OPEN, Security
from tests.doubles.waiting import PATIENCE, eventually

_PLAIN_MODE = ("enable-debug-command local",)


class Refused(Exception):
    """Redis refused a command, or could not be reached; the text is redis-cli's."""


class RedisServer:
    """Stopped until `start`. The port and the configuration stay the same over `restart`.

    `lines` are added to the configuration, of which a Sentinel may rewrite its own and those of its servers.
    """

    def __init__(self, folder: Path, *lines: str, security: Security = OPEN, sentinel: bool = False) -> None:
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.security = security
        self.log = folder / "redis.log"
        mode = () if sentinel else _PLAIN_MODE
        configuration = (*security.listening(self.port), *security.lines(), *mode, *lines)
        self._command = [*redis_server.command(folder, *configuration), *(["--sentinel"] if sentinel else [])]
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give the value of REDIS for a client."""
        return self.security.url([self.port], path="/0")

    @property
    def pid(self) -> int:
        return self._process().pid

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as output:
            environment = {"PATH": os.defpath}
            self._popen = children.popen(
                self._command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=self.log.parent
            )
        await eventually(self._answers)

    async def restart(self) -> None:
        """Start it again, empty, on the same port; kill it before if it runs."""
        self.kill()
        await self.start()

    def freeze(self) -> None:
        """Stop the process: connections stay open, the system accepts new ones, and nothing is answered."""
        self._process().send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let a frozen process go on, with the commands that it got meanwhile."""
        self._process().send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, also if it is frozen. Does nothing if it does not run."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    async def cli(self, *words: str) -> str:
        """Run a command as the default user, and give what redis-cli prints. Raises Refused."""
        return await self._printed("-p", str(self.port), *words)

    async def cli_as_client(self, *words: str) -> str:
        """Do the same as who has only `url` and, with TLS, the authority's certificate."""
        return await self._printed("--no-auth-warning", "-u", self.url, *words)

    async def info(self, field: str) -> str:
        """Give one field of INFO."""
        lines = (await self.cli("INFO", "everything")).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)[field].strip()

    async def _printed(self, *words: str) -> str:
        async with asyncio.timeout(PATIENCE):
            code, printed = await redis_server.cli(self.security.options(), *words, variables=self.security.variables())
        if code:
            raise Refused(printed)
        return printed

    async def _answers(self) -> bool:
        assert self.is_running, tail(self.log)
        try:
            return await self.cli("PING") == "PONG"
        except Refused:
            return False

    def _process(self) -> subprocess.Popen[bytes]:
        assert self._popen is not None, "not started"
        return self._popen


@asynccontextmanager
async def redis_server_with(*lines: str, security: Security = OPEN) -> AsyncIterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(Path(folder), *lines, security=security)
        try:
            await server.start()
            yield server
        finally:
            server.kill()
