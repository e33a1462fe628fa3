"""The measured programs: the sidecar and the usual alternatives, all on loopback."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo import cache, install
from deploy.demo.processes import Server, free_port, running
from deploy.demo.progress import run, step
from deploy.demo.servers import ROOT, nginx_with
from deploy.demo.stack import Stack, running_stack

EXTENSION = Path(__file__).parent / "extension"
WITHOUT_LIMIT = {
    "STRIPE_MAX_RPS": "100000",
    "STRIPE_ACCOUNT_RPS": "100000",
    "MAX_CONCURRENT_REQUESTS": "5000",
    "MAX_CONCURRENT_PER_CALLER": "5000",
}


@dataclass(frozen=True, slots=True)
class Size:
    """The sizes of the measurements."""

    payments: int = 10_000
    many: int = 100_000
    seconds: float = 5
    callers: int = 1_000
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Peers:
    stripe: Server
    stack: Stack
    sidecar: Server
    relay: Server
    nginx: Server

    @property
    def extension(self) -> str:
        return f"{self.stack.directus.url}/pay"


@asynccontextmanager
async def all_peers(state: Path, size: Size) -> AsyncIterator[Peers]:
    """Start all programs, with files in the empty folder `state`."""
    async with AsyncExitStack() as exits:
        start = exits.enter_async_context
        stripe = await start(upstream(state, payments=size.payments, customers=size.payments))
        _install_extension(state / "stack" / "directus" / "extensions" / "directus-extension-pay")
        stack = await start(running_stack(state / "stack", directus_settings={"BENCHMARK_STRIPE": stripe.url}))
        yield Peers(
            stripe=stripe,
            stack=stack,
            sidecar=await start(stack.sidecar(STRIPE_API_BASE=stripe.url, **WITHOUT_LIMIT)),
            relay=await start(relay(state, stripe.url)),
            nginx=await start(_nginx(state, stripe.url, stack.directus.url)),
        )


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


def _nginx(state: Path, stripe: str, directus: str) -> AbstractAsyncContextManager[Server]:
    port = free_port()
    http = _HTTP.format(port=port, stripe=urlsplit(stripe).netloc, directus=urlsplit(directus).netloc)
    return nginx_with(http, state / "nginx", port=port, log=state / "nginx.log")


# Asks Directus on each request and passes every 200; nginx cannot read the permissions in the answer.
_HTTP = """
access_log off;
proxy_http_version 1.1;
proxy_buffers 64 8k;
upstream stripe {{ server {stripe}; keepalive 32; }}
upstream directus {{ server {directus}; keepalive 32; }}
server {{
    listen 127.0.0.1:{port};
    location /v1/ {{
        auth_request /allowed;
        proxy_set_header Authorization "Bearer sk_test_benchmark";
        proxy_set_header Connection "";
        proxy_pass http://stripe;
    }}
    location = /allowed {{
        internal;
        proxy_set_header Connection "";
        proxy_set_header Content-Length "";
        proxy_pass_request_body off;
        proxy_pass http://directus/permissions/me;
    }}
}}
"""
