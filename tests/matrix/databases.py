"""A private PostgreSQL and a private Redis, from the machine's packages. They end with the cell, or with this process.

PostgreSQL refuses to run as root, so root starts it as the user that Debian's package made for it.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.demo import children, redis_program, redis_server, tools
from deploy.demo.processes import free_port
from deploy.demo.progress import Fault, run, tail
from deploy.demo.watcher import signal_group
from tests import checks
from tests.matrix.claims import Version

_USER = "postgres"
_START_DEADLINE = 60.0
_END_DEADLINE = 20.0


def postgresql_programs() -> Path | None:
    """Find the folder of the newest installed PostgreSQL; Debian keeps it off the PATH."""
    found = [program.parent for program in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    return max(found, key=lambda folder: int(folder.parent.name), default=Path(on_path).parent if on_path else None)


def install_postgresql() -> None:
    tools.from_debian("initdb", "postgresql")
    if postgresql_programs() is None:
        raise Fault("initdb not found; install PostgreSQL (Debian: apt-get install postgresql)")


def postgresql_version() -> Version:
    return Version(f"PostgreSQL {_version_of(str((postgresql_programs() or Path()) / 'postgres'))}")


def redis_version() -> Version:
    return Version(f"Redis {_version_of(str(redis_program.server()))}")


def _version_of(program: str) -> str:
    """Give the first number that a program says about itself, such as 15.18; Redis writes `v=` before it."""
    words = [word.removeprefix("v=") for word in checks.said(program, "--version").split()]
    return next(word for word in words if word[:1].isdigit())


@asynccontextmanager
async def postgresql() -> AsyncIterator[dict[str, str]]:
    """Start PostgreSQL on a socket in a folder of its own; give Directus's settings for it."""
    programs = postgresql_programs()
    if programs is None:
        raise Fault("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder, port = Path(name), free_port()
        if os.geteuid() == 0:
            shutil.chown(folder, _USER, _USER)
        log = folder.with_suffix(".log")
        try:
            await asyncio.to_thread(run, [*_as_user(), str(programs / "initdb"), *_cluster(folder)], log=log)
            command = [*_as_user(), str(programs / "postgres"), *_listening(folder, port)]
            ready = [str(programs / "pg_isready"), "--quiet", f"--host={folder}", f"--port={port}"]
            async with _running(command, log, lambda: _ends_well(ready)):
                yield _settings(folder, port)
        finally:
            log.unlink(missing_ok=True)


def _as_user() -> list[str]:
    return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if os.geteuid() == 0 else []


def _cluster(folder: Path) -> list[str]:
    return ["--pgdata", str(folder / "data"), "--username=directus", "--auth=trust", "--encoding=UTF8", "--no-sync"]


def _listening(folder: Path, port: int) -> list[str]:
    return ["-D", str(folder / "data"), "-k", str(folder), "-p", str(port), "-c", "listen_addresses=", "-F"]


def _settings(folder: Path, port: int) -> dict[str, str]:
    return {
        "DB_CLIENT": "pg",
        "DB_HOST": str(folder),
        "DB_PORT": str(port),
        "DB_DATABASE": "postgres",
        "DB_USER": "directus",
        "DB_PASSWORD": "of no use on a private socket",
    }


@asynccontextmanager
async def redis() -> AsyncIterator[dict[str, str]]:
    """Start Redis, which keeps nothing; give Directus's settings for it."""
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        async with redis_server.redis(Path(name), log=Path(name) / "redis.log") as server:
            yield {"REDIS": server.url, "SYNCHRONIZATION_STORE": "redis"}


@asynccontextmanager
async def _running(command: Sequence[str], log: Path, is_ready: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    with log.open("ab") as output:
        popen = children.popen(command, stdout=output, stderr=subprocess.STDOUT, env=_environment())
    try:
        async with asyncio.timeout(_START_DEADLINE):
            while not await is_ready():
                if popen.poll() is not None:
                    raise Fault(f"{tail(log)}\n{log.stem} ended")
                await asyncio.sleep(0.05)
        yield
    finally:
        signal_group(popen.pid, signal.SIGINT)  # to PostgreSQL: end without waiting for clients
        try:
            await asyncio.to_thread(popen.wait, _END_DEADLINE)
        finally:
            signal_group(popen.pid, signal.SIGKILL)


def _environment() -> Mapping[str, str]:
    return {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}


async def _ends_well(command: Sequence[str]) -> bool:
    process = await asyncio.create_subprocess_exec(*command)
    return await process.wait() == 0
