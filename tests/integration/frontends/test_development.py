"""The development servers' configurations in deploy/README.md, evaluated by Node, and pages made on a server."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.demo import children, install
from deploy.demo.install import NodeTools
from deploy.demo.processes import environment, free_port, running
from tests.documents.pages import DEPLOY, block_after
from tests.doubles.directus import User
from tests.doubles.running_app import CLERK, RunningApp
from tests.doubles.wire import exchange, request_bytes

Evaluate = Callable[[str, str], Awaitable[Any]]
ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture
def evaluate(node_tools: NodeTools, tmp_path: Path) -> Evaluate:
    """`await evaluate(module, expression)`: the JSON of an expression in which `module` is what a module exports."""

    async def run(module: str, expression: str) -> Any:  # noqa: ANN401 - any JSON
        (tmp_path / "module.mjs").write_text(module)
        (tmp_path / "main.mjs").write_text(
            f"import * as module from './module.mjs';\nconsole.log(JSON.stringify(await ({expression})));\n"
        )
        process = await children.spawn(
            [node_tools.node, tmp_path / "main.mjs"],
            env=environment({}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    return run


@pytest.mark.parametrize(("short", "verdict"), [(False, (201, None)), (True, (403, "FOREIGN_ORIGIN"))])
async def test_vite(
    node_tools: NodeTools, app: RunningApp, tmp_path: Path, *, short: bool, verdict: tuple[int, str | None]
) -> None:
    """A page of Vite's server creates a customer by its session; where the target is only an address it may not."""
    port, sidecar = free_port(), f"http://127.0.0.1:{app.port}"
    host = f"127.0.0.1:{port}"
    config = block_after(DEPLOY, "vite").replace(ADDRESS, sidecar).replace("http://127.0.0.1:8055", app.directus.url)
    if short:
        config = re.sub(r"'/stripe': \{.*\}", f"'/stripe': '{sidecar}'", config)
    (tmp_path / "vite.config.js").write_text(config)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    command: list[str | Path] = [
        node_tools.node,
        node_tools.modules / "vite/bin/vite.js",
        tmp_path,
        "--host=127.0.0.1",
        f"--port={port}",
    ]
    page = [("Cookie", session(CLERK)), ("Content-Type", "application/json"), ("Origin", f"http://{host}")]

    async with running(command, port=port, log=tmp_path / "log", cwd=tmp_path, settings={}):
        sent = request_bytes("POST", "/stripe/customers", page, b'{"email": "ada@example.com"}')
        answer = await exchange(port, sent.replace(b"sidecar.test", host.encode()))

    assert (answer.status, answer.code) == verdict


async def test_nuxt(evaluate: Evaluate) -> None:
    """Nuxt forwards each path below the sidecar's prefix to the same path there."""
    rules = await evaluate(block_after(DEPLOY, "nuxt"), "module.default.routeRules")

    assert rules["/stripe/**"] == {"proxy": f"{ADDRESS}/stripe/**"}


async def test_next(evaluate: Evaluate) -> None:
    """Next forwards each path below the sidecar's prefix to the same path there."""
    rewrites = await evaluate(block_after(DEPLOY, "next"), "module.default.rewrites()")

    assert {"source": "/stripe/:path*", "destination": f"{ADDRESS}/stripe/:path*"} in rewrites


async def test_pages_made_on_a_server(evaluate: Evaluate, app: RunningApp) -> None:
    """A server that passes a visitor's cookie on gets what the visitor may see, and the reason where it may not."""
    app.stripe.add_payments(2, customer=app.stripe.add_customer(email="a@b.co")["id"])
    script = block_after(DEPLOY, "server-side").replace(ADDRESS, f"http://127.0.0.1:{app.port}")
    visitor = "new Request('https://shop.example/', {{ headers: {{ cookie: '{}' }} }})"

    seen = await evaluate(
        f"{script}\nexport {{ payments }};", f"module.payments({visitor.format(session(CLERK))}, '192.0.2.7')"
    )
    refused = await evaluate(
        f"{script}\nexport {{ payments }};",
        f"module.payments({visitor.format('')}, '192.0.2.7').catch((error) => error.message)",
    )

    assert len(seen) == 2
    assert isinstance(refused, str)


def session(user: User) -> str:
    return f"directus_session_token={user.token.replace('+', '%2B')}"


def test_directus_has_these_settings() -> None:
    """Directus's variables for other origins are ones that the demo's Directus knows."""
    modules = install.directus().cli.parents[4]
    known = "".join(path.read_text() for path in (modules / "@directus/env/dist").rglob("*.js"))
    named = re.findall(r"^([A-Z_]+)=", block_after(DEPLOY, "cors-directus"), re.MULTILINE)

    assert named
    assert [name for name in named if name not in known] == []
