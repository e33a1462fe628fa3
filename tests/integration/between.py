"""A real nginx between the sidecar and Directus that lets no SEARCH through, as CDNs do, and that caches too much."""

import os
import pwd
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo import tools
from deploy.demo.processes import Server, free_port, running

# Items are cached by their address alone: for every caller, and whatever Directus says about caching.
_CONFIGURATION = """
{user}
daemon off;
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
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
}}
"""


def without_search(state: Path, target: str) -> AbstractAsyncContextManager[Server]:
    """Start it with its files in `state`, in front of the Directus at `target`."""
    prefix, port = state / "between", free_port()
    prefix.mkdir(parents=True)
    # Root's nginx would change to a user who may not write its cache.
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    configuration = _CONFIGURATION.format(user=user, port=port, target=urlsplit(target).netloc)
    (prefix / "nginx.conf").write_text(configuration, encoding="utf-8")
    command = [tools.find("nginx") or "nginx", "-p", f"{prefix}/", "-c", "nginx.conf", "-e", "stderr"]
    return running(command, port=port, log=prefix / "nginx.log", cwd=prefix, settings={})
