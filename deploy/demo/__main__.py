"""`python -m deploy.demo [--once] [--replicas N]`: start the stack, ask as everybody, print the answers, wait.

The exit code is 0 if every answer was as expected, 1 if one was not or a program did not start, and 130 if the demo was
interrupted before that.
"""

import argparse
import asyncio
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path

from deploy.demo import redis_program, report
from deploy.demo.matrix import ask_all, forget_created
from deploy.demo.processes import is_taken
from deploy.demo.progress import Fault, say, step
from deploy.demo.replicas import ask_around_logout, names
from deploy.demo.servers import ROOT
from deploy.demo.shop.running import running_shop
from deploy.demo.stack import running_stack

_STATE = ROOT / ".demo"
_PORT = 8000
_PORTS = 65536
_MOST_REPLICAS = 9
_INTERRUPTED = 130


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/demo.sh", description="The sidecar at work on this machine.")
    parser.add_argument("--once", action="store_true", help="end after the table; exit code 1 if it is not as expected")
    parser.add_argument(
        "--replicas",
        type=int,
        default=1,
        choices=range(1, _MOST_REPLICAS + 1),
        metavar="N",
        help="start N sidecars that share a Redis, and show that each feels a logout",
    )
    arguments = parser.parse_args()
    try:
        return asyncio.run(_guarded(once=arguments.once, replicas=arguments.replicas))
    except Fault as fault:
        say(str(fault))
        return 1


async def _guarded(*, once: bool, replicas: int) -> int:
    """Run the demo. The first Ctrl-C ends it in order; further ones do not interrupt that."""
    demo = asyncio.ensure_future(_demo(_port(once=once), _stripe_key(), once=once, replicas=replicas))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, _canceller(demo))
    try:
        return await demo
    except asyncio.CancelledError:
        return _INTERRUPTED


def _canceller(task: asyncio.Task[int]) -> Callable[[], None]:
    def cancel() -> None:
        if not task.cancelling():
            say("Ending everything")
            task.cancel()

    return cancel


async def _demo(port: int | None, stripe_key: str | None, *, once: bool, replicas: int) -> int:
    if replicas > 1:
        redis_program.install()
    async with AsyncExitStack() as exits:
        state = exits.enter_context(_empty_state("once" if once else str(port)))
        sidecars = "the sidecar" if replicas == 1 else f"{replicas} sidecars with a Redis"
        with step(f"Starting Directus, {sidecars} and nginx", "10 to 20 seconds"):
            starting = running_stack(state, port=port, stripe_key=stripe_key, replicas=replicas)
            stack = await exits.enter_async_context(starting)
        rows = await ask_all(stack)
        await forget_created(stack.stripe_url, stack.settings["STRIPE_LIVE_SECRET_KEY"], rows)
        parts = [report.table(rows), report.views(rows)]
        if replicas > 1:
            around_logout = await ask_around_logout(stack)
            parts.append(report.table(around_logout, names(stack)))
            rows += around_logout
        print("\n" + "\n\n".join([*parts, report.verdict(rows)]), flush=True)
        if not once:
            with step("Starting a shop on the same Directus", "5 seconds"):
                shop = await exits.enter_async_context(running_shop(stack))
            print(report.invitation(stack, shop.url), flush=True)
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
    return int(report.faults(rows) > 0)


@contextmanager
def _empty_state(name: str) -> Iterator[Path]:
    """Make an empty folder, which one run uses at a time. Its files remain until the next run."""
    _STATE.mkdir(mode=0o700, exist_ok=True)  # it contains passwords and tokens
    with (_STATE / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Fault("The demo is running from this checkout already; wait for its end") from None
        folder = _STATE / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder


def _port(*, once: bool) -> int | None:
    """Choose the proxy's port; None for any free one, which does for `--once`, where nobody opens the page."""
    wanted = os.environ.get("DEMO_PORT")
    if once and not wanted:
        return None
    if wanted and not (wanted.isascii() and wanted.isdigit() and 0 < int(wanted) < _PORTS):
        raise Fault("DEMO_PORT is not a port number")
    port = int(wanted or _PORT)
    if is_taken(port):
        raise Fault(f"Port {port} is taken; choose another one: DEMO_PORT=8001 ./deploy/demo.sh")
    return port


def _stripe_key() -> str | None:
    key = os.environ.get("STRIPE_LIVE_SECRET_KEY")
    if key and not key.startswith(("sk_test_", "rk_test_")):
        raise Fault("STRIPE_LIVE_SECRET_KEY is not a test key (sk_test_… or rk_test_…); the demo creates customers")
    if key:
        say("Using Stripe itself: customers and payments are created in that key's test account")
    return key or None


if __name__ == "__main__":
    sys.exit(main())
