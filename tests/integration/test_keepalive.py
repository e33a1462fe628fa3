"""Connections that nginx keeps to the sidecar's server, for a longer or shorter time than a request may take."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo import servers
from deploy.demo.processes import free_port
from tests.doubles.one_handler import GET, NEVER, Serving, served
from tests.doubles.waiting import eventually
from tests.doubles.wire import exchange, request_bytes

_HTTP = """
access_log off;
upstream sidecar {{ server 127.0.0.1:{sidecar}; keepalive 4; keepalive_timeout {idle}; }}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://sidecar;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }}
}}
"""


@asynccontextmanager
async def nginx(folder: Path, serving: Serving, idle: str) -> AsyncIterator[int]:
    port = free_port()
    http = _HTTP.format(sidecar=serving.port, port=port, idle=idle)
    async with servers.nginx_with(http, folder, port=port, log=folder / "nginx.log"):
        yield port


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def post(port: int) -> int:
    return (await exchange(port, request_bytes("POST", "/", [], b"{}"))).status


async def test_nginx_keeps_them_longer_than_a_request_may_take(exits: AsyncExitStack, tmp_path: Path) -> None:
    """A POST of nginx's on a connection that has waited longer than a request may take to arrive is answered."""
    serving = await exits.enter_async_context(served(keepalive=NEVER))
    port = await exits.enter_async_context(nginx(tmp_path, serving, "60s"))
    assert await post(port) == 200
    [kept] = serving.runner._kept

    reader = await serving.connect(GET)
    assert await reader.read() == b""  # its deadline, which began after nginx's connection waited

    assert await post(port) == 200
    await eventually(lambda: serving.runner._kept == {kept})


async def test_nginx_keeps_them_shorter(exits: AsyncExitStack, tmp_path: Path) -> None:
    """Where nginx ends idle connections first, it opens another one, and every POST is answered."""
    serving = await exits.enter_async_context(served(keepalive=NEVER))
    port = await exits.enter_async_context(nginx(tmp_path, serving, "100ms"))
    before = serving.begun  # until it ran, nginx was asked whether it runs
    for _ in range(3):
        assert await post(port) == 200
        await eventually(lambda: not serving.runner._kept)

    assert serving.begun == before + 3
