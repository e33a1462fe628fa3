"""A private Redis on loopback that keeps nothing: for the demo, the tests and the matrix."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from deploy.demo import redis_program
from deploy.demo.processes import Server, free_port, running

_ALWAYS = ("bind 127.0.0.1", "daemonize no", 'save ""', "appendonly no")


def command(folder: Path, *lines: str) -> list[str]:
    """Write a configuration with these lines into `folder`, and give the command that starts a Redis with it."""
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text("\n".join((*_ALWAYS, f'dir "{folder}"', *lines, "")), encoding="utf-8")
    return [str(redis_program.server()), str(configuration)]


def redis(folder: Path, *, log: Path) -> AbstractAsyncContextManager[Server]:
    """Start a Redis without a password on a free port, with its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    started = command(folder, f"port {port}")
    return running(started, port=port, log=log, cwd=folder, settings={}, scheme="redis", answers=_answers_ping)


async def cli(options: Sequence[str], *words: str, variables: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run `redis-cli`; give its exit code, which is not 0 for a refusal either, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        redis_program.client(),
        *("-e", *options, *words),
        env={"PATH": os.defpath, **(variables or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, printed.decode().strip()


async def _answers_ping(url: str) -> bool:
    return await cli(("-u", url), "PING") == (0, "PONG")
