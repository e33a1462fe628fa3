"""A real nginx between the sidecar and a real Directus, set up well or badly."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo import servers
from deploy.demo.processes import Server, free_port

APPENDS = "$proxy_add_x_forwarded_for"
OVERWRITES = "$remote_addr"
_UPGRADE = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $passed;"
# Items are cached by their address alone: for every caller, and whatever Directus says about caching.
_WITHOUT_SEARCH = """
access_log off;
proxy_cache_path cache keys_zone=items:1m;
server {{
    listen 127.0.0.1:{port};
    if ($request_method = SEARCH) {{ return 405; }}
    location / {{ proxy_pass http://{target}; }}
    location /items/ {{
        proxy_pass http://{target};
        proxy_cache items;
        proxy_cache_key $request_uri;
        proxy_cache_valid 200 10m;
        proxy_ignore_headers Cache-Control Expires Vary;
    }}
}}
"""


@asynccontextmanager
async def nginx_before(
    folder: Path, *upstreams: str, forwarded: str = APPENDS, websockets: bool = True
) -> AsyncIterator[str]:
    """Give the URL of an nginx; it names the chosen one of several upstreams in `X-Upstream`."""
    port = free_port()
    nodes = " ".join(f"server {urlsplit(url).netloc};" for url in upstreams)
    names = "add_header X-Upstream $upstream_addr;" if len(upstreams) > 1 else ""
    http = f"""
    access_log off;
    map $http_upgrade $passed {{ default upgrade; "" close; }}
    upstream directus {{ {nodes} }}
    server {{
        listen 127.0.0.1:{port}; {names}
        location / {{
            proxy_pass http://directus; proxy_set_header X-Forwarded-For {forwarded};
            {_UPGRADE if websockets else ""}
        }}
    }}
    """
    async with servers.nginx_with(http, folder, port=port, log=folder / "nginx.log") as server:
        yield server.url


def without_search(state: Path, target: str) -> AbstractAsyncContextManager[Server]:
    """Start one that lets no SEARCH through, as CDNs do, and that caches too much, with its files in `state`."""
    port = free_port()
    http = _WITHOUT_SEARCH.format(port=port, target=urlsplit(target).netloc)
    return servers.nginx_with(http, state / "between", port=port, log=state / "between.log")
