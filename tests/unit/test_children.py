"""Child processes end with the process that started them."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.doubles.process import is_listening
from tests.doubles.waiting import eventually

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
STARTER = """
import asyncio, sys
from pathlib import Path
from deploy.demo import children
from deploy.demo.processes import free_port, running

async def main():
    port, folder = free_port(), Path(sys.argv[1])
    # Whatever is alive keeps the test's pipe open: it is their standard output, and the server's is its log.
    children.popen(["/bin/sh", "-c", "trap '' TERM; sleep 600 & echo child; wait"])
    command = ["/bin/sh", "-c", f"{sys.executable} -m http.server --bind 127.0.0.1 {port} & wait"]
    async with running(command, port=port, log=folder / "server.log", cwd=folder, settings={}):
        print(port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_starter_leaves_nothing(tmp_path: Path) -> None:
    """Servers, their children, and children that ignore SIGTERM end soon after their starting process is killed."""
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTER, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    async with asyncio.timeout(60):
        port = int({await starter.stdout.readline(), await starter.stdout.readline()}.difference({b"child\n"}).pop())

        starter.kill()
        rest = await starter.stdout.read()

    assert (rest, await starter.wait()) == (b"", -9)
    await eventually(lambda: _is_free(port))


async def _is_free(port: int) -> bool:
    return not await is_listening(port)
