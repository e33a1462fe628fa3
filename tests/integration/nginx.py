"""A real nginx between the sidecar and a real Directus, set up well or badly."""

import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo import tools
from deploy.demo.processes import free_port, running

APPENDS = "$proxy_add_x_forwarded_for"
OVERWRITES = "$remote_addr"
_UPGRADE = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $passed;"
_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@asynccontextmanager
async def nginx_before(
    folder: Path, *upstreams: str, forwarded: str = APPENDS, websockets: bool = True
) -> AsyncIterator[str]:
    """Give the URL of an nginx; it names the chosen one of several upstreams in `X-Upstream`."""
    port = free_port()
    servers = " ".join(f"server {urlsplit(url).netloc};" for url in upstreams)
    names = "add_header X-Upstream $upstream_addr;" if len(upstreams) > 1 else ""
    user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
    places = " ".join(f"{name}_temp_path {name};" for name in _FOLDERS)
    configuration = f"""
    {user} daemon off; pid nginx.pid; events {{}}
    http {{
        {places} access_log off;
        map $http_upgrade $passed {{ default upgrade; "" close; }}
        upstream directus {{ {servers} }}
        server {{
            listen 127.0.0.1:{port}; {names}
            location / {{
                proxy_pass http://directus; proxy_set_header X-Forwarded-For {forwarded};
                {_UPGRADE if websockets else ""}
            }}
        }}
    }}
    """
    (folder / "nginx.conf").write_text(configuration, encoding="utf-8")
    command = [tools.find("nginx") or "nginx", "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]
    async with running(command, port=port, log=folder / "nginx.log", cwd=folder, settings={}) as server:
        yield server.url
