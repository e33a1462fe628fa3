"""The measurements, as the README describes them. Times are in seconds, or in milliseconds where the name says so."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from deploy.demo.processes import Server
from deploy.demo.servers import ROOT
from tests.benchmarks.peers import WITHOUT_LIMIT, Peers, Size, upstream

Figures = dict[str, Any]
_PAGE = "limit=100"


async def program(module: str, *arguments: str) -> Figures:
    """Run one of this folder's programs to its end, and give the figures that it prints."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{module} ended with {process.returncode}")
    figures: Figures = json.loads(output)
    return figures


async def get(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.read()


async def one_page(peers: Peers, size: Size) -> Figures:
    """A page of 100 customers on 16 connections, callers remembered; peers take turns; the best round counts."""
    token = peers.stack.people["clerk"].token
    urls = {
        "sidecar": f"{peers.sidecar.url}/stripe/customers?{_PAGE}",
        "extension": f"{peers.extension}/customers",
        "nginx": f"{peers.nginx.url}/v1/customers?{_PAGE}",
        "relay": f"{peers.relay.url}/v1/customers?{_PAGE}",
    }
    found: dict[str, list[Figures]] = {name: [] for name in urls}
    for _ in range(size.rounds):
        for name, url in urls.items():
            found[name].append(await program("load", url, token, "--seconds", str(size.seconds)))
    return {name: max(rounds, key=lambda figures: float(figures["rps"])) for name, rounds in found.items()}


async def whole_list(peers: Peers, size: Size, latency: float) -> Figures:
    """All payments as one array; the median of the rounds, by total time."""
    await get(f"{peers.stripe.url}/latency/{latency}")
    token = peers.stack.people["clerk"].token
    ways: dict[str, Callable[[], Awaitable[Figures]]] = {
        "sidecar": lambda: program("whole", f"{peers.sidecar.url}/stripe/payments", token),
        "extension": lambda: program("whole", f"{peers.extension}/payments", token),
        "library": lambda: program("library", peers.stripe.url),
    }
    found: Figures = {}
    for name, way in ways.items():
        rounds = [await way() for _ in range(size.rounds)]
        assert {figures["objects"] for figures in rounds} == {size.payments}, name
        found[name] = sorted(rounds, key=lambda figures: float(figures["total"]))[len(rounds) // 2]
    await get(f"{peers.stripe.url}/latency/0")
    return found


async def memory(peers: Peers, size: Size, state: Path) -> Figures:
    """The sidecar's memory in MiB: idle, after one page, the most during a large list, and afterwards."""
    token = peers.stack.people["clerk"].token
    async with (
        upstream(state, payments=size.many, customers=100) as stripe,
        peers.stack.sidecar(STRIPE_API_BASE=stripe.url, **WITHOUT_LIMIT) as sidecar,
    ):
        idle = resident(sidecar)
        await program("load", f"{sidecar.url}/stripe/payments?{_PAGE}", token, "--seconds", "1")
        before = resident(sidecar)
        async with most_of(sidecar) as samples:
            figures = await program("whole", f"{sidecar.url}/stripe/payments", token, "--lines")
        assert figures["objects"] == size.many
        await asyncio.sleep(1)
        after = resident(sidecar)
    return {"idle": idle, "before": before, "most": max(samples), "after": after, "seconds": figures["total"]}


def resident(server: Server) -> float:
    status = Path(f"/proc/{server.popen.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@asynccontextmanager
async def most_of(server: Server) -> AsyncIterator[list[float]]:
    samples = [resident(server)]

    async def sample() -> None:
        while True:
            samples.append(resident(server))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(sample())
    try:
        yield samples
    finally:
        task.cancel()


async def gate(peers: Peers, size: Size) -> Figures:
    """CPU time of the gate for a remembered caller; requests to Directus for many first requests with one token."""
    warm = await program("gate", peers.stripe.url, str(size.callers * 10))
    async with peers.stack.sidecar(
        STRIPE_API_BASE=peers.stripe.url, DIRECTUS_URL=peers.stripe.url, **WITHOUT_LIMIT
    ) as sidecar:
        await get(f"{peers.stripe.url}/latency/0.05")
        before = int(await get(f"{peers.stripe.url}/count/permissions/me"))
        url = f"{sidecar.url}/stripe/customers?limit=1"
        answered = await program("load", url, "first-callers", "--connections", str(size.callers), "--seconds", "0")
        asked = int(await get(f"{peers.stripe.url}/count/permissions/me")) - before
        await get(f"{peers.stripe.url}/latency/0")
    return {"cpu_ms": warm["ms"], "callers": answered["requests"], "failures": answered["failures"], "asked": asked}


async def looking(size: Size) -> Figures:
    """CPU time of looking for secrets in a page, beside parsing that page; the median of the rounds, by their sum."""
    rounds = [await program("looking", str(size.callers)) for _ in range(size.rounds)]
    return sorted(rounds, key=lambda figures: sum(figures.values()))[len(rounds) // 2]


async def start(peers: Peers, size: Size) -> Figures:
    """Seconds from the start of the process to its first page; the median of the rounds."""
    token, found = peers.stack.people["clerk"].token, []
    for _ in range(size.rounds):
        began = time.perf_counter()
        async with peers.stack.sidecar(STRIPE_API_BASE=peers.stripe.url, **WITHOUT_LIMIT) as sidecar:
            await program("whole", f"{sidecar.url}/stripe/customers/cus_{1:014}", token)
            found.append(time.perf_counter() - began)
    return {"seconds": statistics.median(found)}


async def member(peers: Peers, size: Size) -> Figures:
    """A page of 100 payments, for a member with 3 of the account's customers and for a clerk; one caller, then 16."""
    people, admin = peers.stack.people, peers.stack.admin
    owned = await admin.request("GET", f"/items/customers?filter[owner][_eq]={people['member'].id}&fields=id")
    await admin.request("DELETE", "/items/customers", [row["id"] for row in owned])
    rows = [{"name": "Own", "stripe_customer_id": f"cus_{n:014}", "owner": people["member"].id} for n in (1, 2, 3)]
    await admin.request("POST", "/items/customers", rows)
    url = f"{peers.sidecar.url}/stripe/payments?{_PAGE}"
    return {
        f"{name}_{connections}": await program(
            "load", url, people[name].token, "--connections", str(connections), "--seconds", str(size.seconds)
        )
        for connections in (1, 16)
        for name in ("clerk", "member")
    }
