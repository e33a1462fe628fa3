"""nginx as the gate: `auth_request` to Directus on each request, or with the verdict kept for 30 s.

It passes every caller whom Directus knows: nginx cannot read the permissions in the answer. It removes no secret, and
has neither fields nor own rows.
"""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo.processes import Server, free_port
from deploy.demo.servers import nginx_with


def nginx(state: Path, stripe: str, directus: str, *, cached: bool) -> AbstractAsyncContextManager[Server]:
    port, name = free_port(), "nginx-cached" if cached else "nginx"
    http = _HTTP.format(
        port=port,
        stripe=urlsplit(stripe).netloc,
        directus=urlsplit(directus).netloc,
        store="proxy_cache_path verdicts keys_zone=verdicts:10m;" if cached else "",
        keeping=_KEEPING if cached else "",
    )
    return nginx_with(http, state / name, port=port, log=state / f"{name}.log")


_KEEPING = """
        proxy_cache verdicts;
        proxy_cache_key $http_authorization;
        proxy_cache_valid 200 30s;
        proxy_cache_lock on;
        proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
"""

_HTTP = """
access_log off;
proxy_http_version 1.1;
proxy_buffers 64 8k;
{store}
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
        {keeping}
    }}
}}
"""
