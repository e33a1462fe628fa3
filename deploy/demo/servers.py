"""Starts each program of the stack. Each one listens on 127.0.0.1 only and writes to a log of its own."""

import asyncio
import os
import pwd
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo import install, tools
from deploy.demo.admin import SESSION_COOKIE
from deploy.demo.pages import DESK, Page, with_pages
from deploy.demo.processes import Server, environment, running
from deploy.demo.progress import Fault, run

ROOT = Path(__file__).parents[2]
_TEMPLATE = ROOT / "deploy" / "nginx" / "default.conf.template"
NOBODY_IS_TOLD = Path(os.devnull)
LOGOUT_SECRET = secrets.token_urlsafe(32)  # a new one for each start


@asynccontextmanager
async def directus(
    state: Path, *, port: int, settings: Mapping[str, str], lock: Path = install.DEMO
) -> AsyncIterator[Server]:
    """Start the Directus that the folder `lock` locks, on a SQLite file in `state` unless `settings` name a database.

    The first start prepares the database, with the administrator in `settings`.
    """
    installed = install.directus(lock)
    for folder in ("uploads", "extensions"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "package.json").write_text("{}", encoding="utf-8")  # Directus reads its extensions from there
    settings = _DIRECTUS | dict(settings) | _directus_places(state, installed, port)
    command = [str(installed.node), str(installed.cli)]
    log = state.parent / "directus.log"
    if not (state / "data.db").exists():
        await asyncio.to_thread(run, [*command, "bootstrap"], log=log, cwd=state, env=environment(settings))
    async with running([*command, "start"], port=port, log=log, cwd=state, settings=settings) as server:
        yield server


_DIRECTUS = {
    "DB_CLIENT": "sqlite3",
    "WEBSOCKETS_ENABLED": "true",
    "TELEMETRY": "false",
    "CACHE_ENABLED": "false",
    "RATE_LIMITER_ENABLED": "false",
    "LOG_LEVEL": "warn",
}


def _directus_places(state: Path, installed: install.Directus, port: int) -> dict[str, str]:
    return {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DB_FILENAME": str(state / "data.db"),
        "TEMP_PATH": str(state / "temporary"),
        "NODE_COMPILE_CACHE": str(installed.compiled),  # halves the start
    }


def emulator(state: Path, *, port: int, webhook: tuple[str, str] | None = None) -> AbstractAsyncContextManager[Server]:
    """Start the stand-in for Stripe; `webhook` is the URL that gets its events, and their signing secret."""
    url, secret = webhook or ("", "")
    command = [sys.executable, "-m", "deploy.stripe_stand_in", str(port), *([url] if url else [])]
    settings = {"STRIPE_WEBHOOK_SECRET": secret} if secret else {}
    return running(command, port=port, log=state / "stripe.log", cwd=ROOT, settings=settings)


def sidecar(
    state: Path, *, port: int, settings: Mapping[str, str], log: str = "sidecar.log"
) -> AbstractAsyncContextManager[Server]:
    settings = {
        "PYTHONPATH": str(ROOT),
        "SIDECAR_HOST": "127.0.0.1",
        "SIDECAR_PORT": str(port),
    } | dict(settings)
    return running([sys.executable, "-m", "sidecar"], port=port, log=state / log, cwd=state, settings=settings)


async def provision(state: Path, *, token: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Run `provision` with an administrator's `token`; give the settings that name the files which it made.

    Raises Fault with its output if it fails.
    """
    files = (str(state / "service-token"), str(state / "sidecar-secret"))
    command = [sys.executable, "-m", "sidecar", "provision", "--yes", "--create-collection"]
    command += ["--token-file", files[0], "--secret-file", files[1]]
    env = environment({"PYTHONPATH": str(ROOT), "DIRECTUS_ADMIN_TOKEN": token} | dict(settings))
    await asyncio.to_thread(run, command, log=state / "provision.log", cwd=state, env=env)
    return dict(zip(("DIRECTUS_SERVICE_TOKEN_FILE", "SIDECAR_SECRET_FILE"), files, strict=True))


def nginx(
    state: Path,
    *,
    port: int,
    directus: str,
    sidecar: str,
    replicas: Sequence[str] = (),
    own_servers: str = "",
    logout_secret: str = LOGOUT_SECRET,
    pages: Sequence[Page] = (DESK,),
) -> AbstractAsyncContextManager[Server]:
    """Start nginx, unprivileged, with the configuration of deploy/nginx, these pages and its files in `state`.

    `replicas` are further sidecars. `own_servers` is the template's OWN_SERVERS: who has no limits. With
    `logout_secret` it tells of logouts.
    """
    header = logout_header(state, logout_secret)
    http = shipped(
        port=port,
        directus=directus,
        sidecar=sidecar,
        replicas=replicas,
        own_servers=own_servers,
        logout_header=header,
        pages=pages,
    )
    return nginx_with(http, state / "nginx", port=port, log=state / "nginx.log")


def logout_header(state: Path, secret: str) -> Path:
    """Write the file that the template includes, for this user only."""
    state.mkdir(parents=True, exist_ok=True)
    path = state / "logout-header"
    path.touch(mode=0o600)
    path.write_text(f'proxy_set_header X-Sidecar-Logout "{secret}";\n', encoding="utf-8")
    return path


def shipped(
    *,
    port: int,
    directus: str,
    sidecar: str,
    replicas: Sequence[str] = (),
    own_servers: str = "",
    logout_header: Path = NOBODY_IS_TOLD,
    pages: Sequence[Page] = (DESK,),
) -> str:
    """Give the configuration of deploy/nginx with its variables replaced, and the pages in it."""
    values = {
        "LISTEN": f"127.0.0.1:{port}",
        "DIRECTUS_UPSTREAM": urlsplit(directus).netloc,
        "SIDECAR_SERVERS": " ".join(map(_replica, (sidecar, *replicas))),
        "SESSION_COOKIE_NAME": SESSION_COOKIE,
        "OWN_SERVERS": own_servers,
        "LOGOUT_HEADER_FILE": str(logout_header),
    }
    return _filled(with_pages(_TEMPLATE.read_text(encoding="utf-8"), pages), values)


def _replica(url: str) -> str:
    return f"server {urlsplit(url).netloc} max_fails=3 fail_timeout=3s;"


def nginx_with(http: str, prefix: Path, *, port: int, log: Path) -> AbstractAsyncContextManager[Server]:
    """Start nginx, unprivileged, with its files in `prefix`; `http` is its http block, which must listen on `port`."""
    prefix.mkdir(parents=True, exist_ok=True)
    (prefix / "http.conf").write_text(http, encoding="utf-8")
    (prefix / "nginx.conf").write_text(_NGINX.format(user=_user()), encoding="utf-8")
    command = [tools.find("nginx") or "nginx", "-p", f"{prefix}/", "-c", "nginx.conf", "-e", "stderr"]
    return running(command, port=port, log=log, cwd=prefix, settings={})


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Replace each ${NAME} by its value, as the nginx image does from the environment when it starts."""
    for name, value in values.items():
        template = template.replace(f"${{{name}}}", value)
    if "${" in template:
        raise Fault("nginx's configuration names a variable that is not set")
    return template


def _user() -> str:
    """Give a `user` line for root only: root's nginx would change to a user who may not enter root's checkout."""
    return f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""


_NGINX = """
{user}
daemon off;
pid nginx.pid;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include http.conf;
}}
"""
