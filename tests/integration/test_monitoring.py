"""The service's log lines and request IDs. tests/integration/test_prometheus.py has its metrics."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deploy.demo import servers
from deploy.demo.processes import free_port
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import Sidecar, serving
from tests.doubles.running_app import CLERK, NOBODY, READER, bearer, environment
from tests.doubles.stripe import StripeDouble
from tests.doubles.wire import exchange, request_bytes

ID = "test-request:1.2_3"
PAYMENTS = "/stripe/payments?limit=1"


def lines(sidecar: Sidecar, message: str = "request") -> Iterator[dict[str, Any]]:
    for text in sidecar.said().splitlines():
        line = json.loads(text)
        if line["message"] == message:
            yield line


async def test_one_line_a_request(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """Each request is one JSON line: its ID, verdict, code, cache state and time, and neither query nor token."""
    async with serving(tmp_path / "output", **environment(directus.url, stripe.url)) as sidecar:
        for user in (CLERK, CLERK, NOBODY):
            await sidecar.call(PAYMENTS, bearer(user.token))
        await sidecar.call(f"{PAYMENTS}&access_token={quote(READER.token)}")
        await sidecar.call("/stripe/payments/../x")
        await sidecar.call("/metrics")
        shown = list(lines(sidecar))

    facts = [[line.get(name) for name in ("status", "reason", "permissions", "code")] for line in shown]
    assert facts == [
        [200, "granted", "asked", None],
        [200, "granted", "hit", None],
        [401, "no_access", "asked", "FORBIDDEN"],
        [200, "granted", "asked", None],
        [404, None, None, "ROUTE_NOT_FOUND"],
        [200, None, None, None],
    ]
    assert len({line["request_id"] for line in shown}) == len(shown)
    assert all(isinstance(line["ms"], float) and line["time"] and line["logger"] == "sidecar.access" for line in shown)
    assert not any("?" in line["path"] or "MARKED" in str(line) for line in shown)


async def test_audit_line(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """Each created customer is a log line: the caller, the customer and the request's ID."""
    json_type = ("Content-Type", "application/json")
    async with serving(tmp_path / "output", **environment(directus.url, stripe.url)) as sidecar:
        headers = (bearer(CLERK.token), json_type, ("X-Request-Id", ID))
        body = b'{"email": "ada@example.com"}'
        answer = await sidecar.call("/stripe/customers", *headers, method="POST", body=body)
        await sidecar.call("/stripe/customers", bearer(READER.token), json_type, method="POST", body=body)
        [line] = lines(sidecar, "customer created")

    assert (line["object"], line["request_id"], line["user"]) == (answer.json()["id"], ID, CLERK.name)
    assert line["new"] is True
    assert "ada@example.com" not in sidecar.said()


async def test_request_id(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """A well-formed request ID is accepted, returned, logged and passed to both upstreams; any other is replaced."""
    variables = environment(directus.url, stripe.url, PERMISSIONS_CACHE_TTL="0.001", PERMISSIONS_DENIED_TTL="0.001")
    async with serving(tmp_path / "output", **variables) as sidecar:
        for given in (ID, "short", "x" * 65, "with space", "new\tline", 'quote"quote', "ünïcode-id", None):
            headers = [] if given is None else [("X-Request-Id", given)]
            answer = await sidecar.call(PAYMENTS, bearer(CLERK.token), *headers)
            used = answer.header("X-Request-Id")

            assert (used == given) is (given == ID)
            assert re.fullmatch(r"[A-Za-z0-9_.:-]{8,64}", str(used))
            assert list(lines(sidecar))[-1]["request_id"] == used
            assert directus.requests[-1].values("X-Request-Id") == [used]
            assert stripe.requests[-1].values("X-Request-Id") == [used]


async def test_request_id_through_nginx(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """One ID is in the proxy's log, the sidecar's and both upstreams': the client's, or the proxy's own."""
    async with (
        serving(tmp_path / "output", **environment(directus.url, stripe.url)) as sidecar,
        servers.nginx(
            tmp_path, port=free_port(), directus=directus.url, sidecar=f"http://127.0.0.1:{sidecar.port}"
        ) as nginx,
    ):
        port = int(nginx.url.rpartition(":")[2])
        for given in ([("X-Request-Id", ID)], [("X-Request-Id", "no good")], []):
            answer = await exchange(port, request_bytes("GET", PAYMENTS, [bearer(CLERK.token), *given], None))
            used = answer.header("X-Request-Id")
            assert (used == ID) is (given == [("X-Request-Id", ID)])
            assert stripe.requests[-1].values("X-Request-Id") == [used]
            await asyncio.to_thread(_logged, nginx.log, str(used))


def _logged(log: Path, identity: str) -> None:
    assert identity in [json.loads(line).get("request_id") for line in log.read_text().splitlines() if line[:1] == "{"]


async def test_upstreams_times(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """A request's line has the time of each upstream that was asked."""
    async with serving(tmp_path / "output", **environment(directus.url, stripe.url)) as sidecar:
        await sidecar.call(PAYMENTS, bearer(CLERK.token))
        await sidecar.call(PAYMENTS, bearer(NOBODY.token))
        shown = list(lines(sidecar))

    assert [("directus_ms" in line, "stripe_ms" in line) for line in shown] == [(True, True), (True, False)]
