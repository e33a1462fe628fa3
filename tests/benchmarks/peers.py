"""The measured programs: the sidecar and the usual alternatives, all on loopback."""

import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.demo import cache, install
from deploy.demo.processes import Server, free_port, running
from deploy.demo.progress import run, step
from deploy.demo.servers import ROOT
from deploy.demo.stack import Stack, running_stack
from tests.benchmarks.earlier import unpacked
from tests.benchmarks.nginx import nginx

EXTENSION = Path(__file__).parent / "extension"
WITHOUT_LIMIT = {
    "STRIPE_MAX_RPS": "100000",
    "STRIPE_ACCOUNT_RPS": "100000",
    "MAX_CONCURRENT_REQUESTS": "5000",
    "MAX_CONCURRENT_PER_CALLER": "5000",
}


@dataclass(frozen=True, slots=True)
class Size:
    """The sizes of the measurements; `lists` are rounds of whole lists, `together` lists read for one figure of CPU.

    `refresh` is in seconds, between two looks of a clerk at a dashboard.
    """

    payments: int = 10_000
    many: int = 100_000
    short: tuple[int, ...] = (150, 350, 1_000)
    seconds: float = 1.5
    callers: int = 1_000
    clerks: int = 100
    refresh: float = 5
    rounds: int = 5
    lists: int = 3
    together: int = 10


@dataclass(frozen=True, slots=True)
class Peers:
    """`before` is a sidecar of an earlier revision, whose code is in `earlier`; both are None without one.

    `clerks` are tokens of users who all have one role. `extension` is its address, None where it is not installed.
    """

    stripe: Server
    stack: Stack
    sidecar: Server
    relay: Server
    nginx: Server
    cached: Server
    clerks: Sequence[str]
    before: Server | None = None
    earlier: Path | None = None
    extension: str | None = None

    @property
    def sidecars(self) -> dict[str, Server]:
        return {"sidecar": self.sidecar} | ({"before": self.before} if self.before else {})

    @property
    def revisions(self) -> dict[str, dict[str, str]]:
        """Give the settings by which a sidecar runs each revision's code."""
        return {"sidecar": {}} | ({"before": {"PYTHONPATH": str(self.earlier)}} if self.earlier else {})


@asynccontextmanager
async def all_peers(state: Path, size: Size, before: str | None = None) -> AsyncIterator[Peers]:
    """Start all programs, with files in the empty folder `state`; `before` names an earlier revision of the sidecar."""
    (state / "stack").mkdir()
    earlier = unpacked(before, state / "earlier") if before else None
    async with upstream(state, payments=size.payments, customers=size.payments) as stripe:
        _install_extension(state / "stack" / "directus" / "extensions" / "directus-extension-pay")
        async with running_stack(state / "stack", directus_settings={"BENCHMARK_STRIPE": stripe.url}) as stack:
            extension = f"{stack.directus.url}/pay"
            async with beside(stack, stripe, state, size, earlier) as peers:
                yield replace(peers, extension=extension)


@asynccontextmanager
async def beside(
    stack: Stack, stripe: Server, state: Path, size: Size, earlier: Path | None = None
) -> AsyncIterator[Peers]:
    """Start what is measured beside a stack, except for the extension."""
    settings = {"STRIPE_API_BASE": stripe.url, **WITHOUT_LIMIT}
    async with AsyncExitStack() as exits:
        start = exits.enter_async_context
        yield Peers(
            stripe=stripe,
            stack=stack,
            sidecar=await start(stack.sidecar(**settings)),
            relay=await start(relay(state, stripe.url)),
            nginx=await start(nginx(state, stripe.url, stack.directus.url, cached=False)),
            cached=await start(nginx(state, stripe.url, stack.directus.url, cached=True)),
            clerks=await start(_clerks(stack, size.clerks)),
            before=await start(stack.sidecar(**settings, PYTHONPATH=str(earlier))) if earlier else None,
            earlier=earlier,
        )


@asynccontextmanager
async def _clerks(stack: Stack, number: int) -> AsyncIterator[list[str]]:
    tokens = [secrets.token_hex(24) for _ in range(number)]
    role = stack.people["clerk"].role
    users = [{"first_name": "Clerk", "token": token, "role": role} for token in tokens]
    made = await stack.admin.request("POST", "/users", users)
    try:
        yield tokens
    finally:
        await stack.admin.request("DELETE", "/users", [user["id"] for user in made])


def upstream(state: Path, *, payments: int, customers: int) -> AbstractAsyncContextManager[Server]:
    return _module("upstream", state, "--payments", str(payments), "--customers", str(customers))


def relay(state: Path, stripe: str) -> AbstractAsyncContextManager[Server]:
    return _module("relay", state, stripe)


def _module(name: str, state: Path, *arguments: str) -> AbstractAsyncContextManager[Server]:
    port = free_port()
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", str(port), *arguments]
    return running(command, port=port, log=state / f"{name}-{port}.log", cwd=ROOT, settings={})


def _install_extension(folder: Path) -> None:
    sources = [EXTENSION / name for name in ("package.json", "package-lock.json", "index.js")]
    name = f"benchmark-{cache.fingerprint(*(source.read_bytes() for source in sources))}"
    built = cache.built(name, lambda target, log: _npm(sources, target, log))
    shutil.copytree(built, folder)


def _npm(sources: list[Path], folder: Path, log: Path) -> None:
    for source in sources:
        shutil.copy(source, folder)
    node = install.directus().node
    env = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    with step("Installing Stripe's library for Node", "some seconds, once"):
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, log=log, env=env)
