"""The service's log lines and request IDs, and the metrics that dashboard and alerts use."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from deploy.demo import servers, tools
from deploy.demo.processes import free_port
from sidecar.clients.stripe.limits import Limit
from sidecar.core.flows.events import Result
from sidecar.core.operations.table import OPERATIONS
from sidecar.metrics import Metrics
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import Sidecar, serving
from tests.doubles.running_app import CLERK, NOBODY, READER, bearer, environment
from tests.doubles.stripe import StripeDouble
from tests.doubles.wire import exchange, request_bytes

MONITORING = servers.ROOT / "deploy" / "monitoring"
ID = "test-request:1.2_3"
PAYMENTS = "/stripe/payments?limit=1"
_LITERAL = re.compile(r'"[^"]*"')
_NAME = re.compile(r"\b(?:sidecar|process)_[a-z_]+\b")
_MATCHER = re.compile(r'([a-z]+)\s*(=~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\bby \(([^)]*)\)")


def expressions() -> dict[str, str]:
    """Give every expression of alerts and dashboard, by its title; Grafana's variables are replaced."""
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    shown = {f"{panel['title']} {target['refId']}": target["expr"] for panel in panels for target in panel["targets"]}
    found = {rule["alert"]: rule["expr"] for rule in rules} | shown
    return {title: text.replace("$__rate_interval", "5m").replace("$job", ".*") for title, text in found.items()}


@pytest.fixture(scope="module")
def samples() -> set[str]:
    """Give the name of every series that the service exposes."""
    metrics = Metrics()
    metrics.requests.labels("none", "200", "none").inc()
    metrics.webhooks.labels("other", "done").inc()
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {sample.name for family in families for sample in family.samples}


@pytest.mark.parametrize("title", expressions())
def test_metrics_that_are_named_exist(title: str, samples: set[str]) -> None:
    """Each metric, label and label's value in an alert or a panel is one that the service exposes."""
    expression = expressions()[title]
    bare = _LITERAL.sub('""', expression)

    assert _NAME.findall(bare)
    assert set(_NAME.findall(bare)) <= samples
    labels = {name for name, _, _ in _MATCHER.findall(expression)}
    labels |= {name.strip() for group in _GROUPING.findall(bare) for name in group.split(",")}
    assert labels <= {
        *[
            "operation",
            "status",
            "verdict",
            "result",
            "cause",
            "upstream",
            "type",
            "le",
            "job",
            "about",
            "urgency",
            "state",
            "part",
            "answer",
        ]
    }
    for name, _, value in _MATCHER.findall(expression):
        if name == "operation":
            assert value in {"none", *(operation.name for operation in OPERATIONS)}
        if name == "result":
            assert value in {*Result, "hit", "shared", "asked"}
        if name == "about":
            assert value in {limit.name.lower() for limit in Limit}
        if name == "upstream":
            assert value in {"directus", "stripe"}


def test_promtool_accepts_them(tmp_path: Path) -> None:
    """Prometheus's own tool accepts alerts and panels, if it is installed (Debian: prometheus)."""
    promtool = tools.find("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    rules = [{"record": f"panel:{n}", "expr": text} for n, text in enumerate(expressions().values())]
    everything = tmp_path / "everything.yaml"
    everything.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    command = [promtool, "check", "rules", str(MONITORING / "alerts.yaml"), str(everything)]

    ended = subprocess.run(  # noqa: S603 - the machine's own program, no shell
        command, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_dashboard_is_whole() -> None:
    """Panels have unique IDs and places, and use the data source that the user selects."""
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}


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
