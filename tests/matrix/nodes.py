"""Two nodes of Directus that share a PostgreSQL and a Redis, behind an nginx that asks them in turn."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo import servers, tools
from deploy.demo.admin import DirectusAdmin
from deploy.demo.processes import Server, free_port, running
from deploy.demo.stack import Stack, running_stack
from tests.integration.commands import run
from tests.matrix.claims import Claim, Findings
from tests.matrix.databases import postgresql, postgresql_version, redis, redis_version
from tests.matrix.features import feed
from tests.matrix.main_job import main_job, version_of
from tests.matrix.whole import whole

# As in deploy/nginx: a WebSocket may switch protocols, and the client's address passes unchanged.
_BALANCER = """
pid nginx.pid;
daemon off;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    map $http_upgrade $wanted {{ default ""; websocket upgrade; }}
    upstream nodes {{ {nodes} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $wanted;
        }}
    }}
}}
"""


async def two_nodes(state: Path, cheap: Mapping[str, str]) -> Findings:
    shared = {"SECRET": secrets.token_hex(32), "KEY": secrets.token_hex(16), **cheap}
    async with postgresql() as database, redis() as bus:
        settings = {**shared, **database, **bus}
        async with running_stack(state, directus_settings=settings) as stack, _second(stack, settings) as second:
            for version in (await version_of(stack), postgresql_version(), redis_version()):
                yield version
            async with _balancer(state, stack.directus, second) as balancer, _behind(stack, balancer) as balanced:
                async for claim in main_job(balanced):
                    yield claim
                async for claim in _told(stack, second, balancer):
                    yield claim


async def _told(stack: Stack, second: Server, balancer: Server) -> Findings:
    """Tell one node of a change, and look for it in a sidecar that asks the other, or the balancer."""
    token = stack.people["administrator"].token
    first_node, second_node = stack.admin, DirectusAdmin(second.url, token)
    async with whole(stack, DIRECTUS_URL=second.url) as on_second:
        async for claim in feed(on_second, told=first_node, name="told-to-first-seen-by-second"):
            yield claim
    async with whole(stack) as on_first:
        async for claim in feed(on_first, told=second_node, name="told-to-second-seen-by-first"):
            yield claim
    async with whole(stack, DIRECTUS_URL=balancer.url) as on_both:
        for node, name in ((first_node, "told-to-first"), (second_node, "told-to-second")):
            async for claim in feed(on_both, told=node, name=f"{name}-seen-through-nginx"):
                yield claim
        checked = await run("check", **on_both.settings)
        yield Claim("check finds no fault through nginx", (0, ""), (checked.code, checked.texts("FAULT")))


@asynccontextmanager
async def _second(stack: Stack, settings: Mapping[str, str]) -> AsyncIterator[Server]:
    state = stack.state / "second" / "directus"
    administrator = stack.people["administrator"]
    given = {**settings, "ADMIN_EMAIL": administrator.email, "ADMIN_PASSWORD": administrator.password}
    async with servers.directus(state, port=free_port(), settings=given) as server:
        yield server


@asynccontextmanager
async def _balancer(state: Path, *nodes: Server) -> AsyncIterator[Server]:
    prefix, port = state / "balancer", free_port()
    prefix.mkdir()
    lines = " ".join(f"server {urlsplit(node.url).netloc};" for node in nodes)
    (prefix / "nginx.conf").write_text(_BALANCER.format(nodes=lines, port=port), encoding="utf-8")
    command = [tools.find("nginx") or "nginx", "-p", f"{prefix}/", "-c", "nginx.conf", "-e", "stderr"]
    async with running(command, port=port, log=state / "balancer.log", cwd=prefix, settings={}) as server:
        yield server


@asynccontextmanager
async def _behind(stack: Stack, balancer: Server) -> AsyncIterator[Stack]:
    """Give the stack with a sidecar and an nginx that reach Directus through the balancer."""
    state = stack.state / "balanced"
    state.mkdir()
    async with (
        stack.sidecar(DIRECTUS_URL=balancer.url) as sidecar,
        servers.nginx(state, port=free_port(), directus=balancer.url, sidecar=sidecar.url) as proxy,
    ):
        yield replace(stack, main_sidecar=sidecar, proxy=proxy)
