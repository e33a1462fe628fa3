"""Rows: memory, the gate, looking for secrets, the start."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from deploy.demo.processes import Server
from tests.benchmarks.measures import get, program
from tests.benchmarks.peers import WITHOUT_LIMIT, Peers, Size, upstream
from tests.benchmarks.speed.outcome import Goal, Seen


async def memory(peers: Peers, size: Size, state: Path) -> Seen:
    """The sidecar's memory: idle, after some pages, the most during a large list, and afterwards."""
    token = peers.clerks[0]
    async with (
        upstream(state, payments=size.many, customers=100) as stripe,
        peers.stack.sidecar(STRIPE_API_BASE=stripe.url, **WITHOUT_LIMIT) as sidecar,
    ):
        idle = _resident(sidecar)
        await program("load", f"{sidecar.url}/stripe/payments?limit=100", token, "--seconds", "1")
        before = _resident(sidecar)
        async with _most_of(sidecar) as samples:
            figures = await program("whole", f"{sidecar.url}/stripe/payments", token, "--lines")
        assert figures["objects"] == size.many
        await asyncio.sleep(1)
        after = _resident(sidecar)
    grows = f"memory: grows in a list of {size.many} payments by"
    return Seen(
        goals=[
            Goal("memory: idle", idle, 70, unit="MiB", at_most=True),
            Goal(grows, max(samples) - before, 32, unit="MiB", at_most=True),
            Goal("memory: a second later, more than before the list", after - before, unit="MiB", at_most=True),
            Goal("that list", figures["total"], unit="s", at_most=True),
        ]
    )


def _resident(server: Server) -> float:
    status = Path(f"/proc/{server.popen.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@asynccontextmanager
async def _most_of(server: Server) -> AsyncIterator[list[float]]:
    samples = [_resident(server)]

    async def sample() -> None:
        while True:
            samples.append(_resident(server))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(sample())
    try:
        yield samples
    finally:
        task.cancel()


async def gate(peers: Peers, size: Size) -> Seen:
    """CPU time of the gate for a remembered caller; requests to Directus for many first requests with one token."""
    warm = await program("gate", peers.stripe.url, str(size.callers * 10))
    async with peers.stack.sidecar(
        # The answer is late where the machine is slow to take so many requests.
        STRIPE_API_BASE=peers.stripe.url,
        DIRECTUS_URL=peers.stripe.url,
        DIRECTUS_TIMEOUT="60",
        **WITHOUT_LIMIT,
    ) as sidecar:
        await get(f"{peers.stripe.url}/latency/0.05")
        before = int(await get(f"{peers.stripe.url}/count/permissions/me"))
        url = f"{sidecar.url}/stripe/customers?limit=1"
        answered = await program("load", url, "first-callers", "--connections", str(size.callers), "--seconds", "0")
        asked = int(await get(f"{peers.stripe.url}/count/permissions/me")) - before
        await get(f"{peers.stripe.url}/latency/0")
    if answered["failures"]:
        raise RuntimeError(f"of {answered['requests']} requests failed: {answered['failed']}")
    return Seen(
        goals=[
            Goal("gate and place of a remembered caller, CPU", warm["ms"] * 1000, 150, unit="µs", at_most=True),
            Goal(f"{size.callers} first requests of a token: questions to Directus", asked, 1, unit="", at_most=True),
        ]
    )


async def looking(size: Size) -> Seen:
    """CPU time of looking for secrets in a page, beside parsing that page."""
    rounds = [await program("looking", str(size.callers)) for _ in range(size.lists)]
    return Seen(
        goals=[
            Goal(
                f"looking for secrets in 100 {kind}, of parsing them",
                median(one[kind] for one in rounds),
                1,
                at_most=True,
            )
            for kind in rounds[0]
        ]
    )


async def start(peers: Peers, size: Size) -> Seen:
    token, found = peers.clerks[0], []
    for _ in range(size.lists):
        began = time.perf_counter()
        async with peers.stack.sidecar(STRIPE_API_BASE=peers.stripe.url, **WITHOUT_LIMIT) as sidecar:
            await program("whole", f"{sidecar.url}/stripe/customers/cus_{1:014}", token)
            found.append(time.perf_counter() - began)
    return Seen(goals=[Goal("start to first answer", median(found), 1, unit="s", at_most=True)])
