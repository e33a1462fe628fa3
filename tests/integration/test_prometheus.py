"""What Prometheus makes of the service's metrics: every alert, every panel, and a scrape of a real process."""

import re
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from deploy.demo import prometheus_program
from sidecar.clients.stripe.limits import Limit
from sidecar.core.flows.events import Result
from sidecar.core.operations.table import OPERATIONS
from sidecar.metrics import Metrics
from sidecar.outcome import Outcome
from tests.doubles.directus import DirectusDouble
from tests.doubles.monitoring import ALERTS, JOB, expressions, prometheus, rules
from tests.doubles.process import serving
from tests.doubles.running_app import CLERK, NOBODY, bearer, environment
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually
from tests.integration.alert_cases import CASES, Case

_LITERAL = re.compile(r'"[^"]*"')
_NAME = re.compile(r"\b(?:sidecar|process)_[a-z_]+\b")
_MATCHER = re.compile(r'([a-z]+)\s*(=~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
_VALUES: Mapping[str, Collection[str]] = {
    "operation": {"none", *(operation.name for operation in OPERATIONS)},
    "outcome": set(Outcome),
    "result": {*Result, "hit", "shared", "asked"},
    "about": {limit.name.lower() for limit in Limit},
    "upstream": {"directus", "stripe"},
    "place": {"used", "waiting", "most"},
}


@pytest.fixture(scope="module")
def prometheus_tool() -> str:
    """Give promtool; tests/selection.py knows by this fixture who needs it."""
    return prometheus_program.find("promtool") or "promtool"


@pytest.fixture
def prometheus_server() -> None:
    """Mark a test that starts Prometheus."""


@pytest.fixture(scope="module")
def labels() -> dict[str, set[str]]:
    """Give the labels of every series that the service exposes by its name, with those that Prometheus adds."""
    metrics = Metrics()
    metrics.answered("none", "200", "none", Outcome.DONE, 0.1)
    metrics.webhooks.labels("other", "done").inc()
    families = text_string_to_metric_families(metrics.exposition().decode())
    found: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    return found


@pytest.mark.parametrize("title", expressions())
def test_metrics_that_are_named_exist(title: str, labels: dict[str, set[str]]) -> None:
    """Each metric, label and label's value in an alert or a panel is one that the service exposes."""
    expression = expressions()[title]
    bare = _LITERAL.sub('""', expression)
    named = set(_NAME.findall(bare))

    assert named or bare.startswith("up")
    assert named <= labels.keys()
    used = {name for name, _, _ in _MATCHER.findall(expression)}
    used |= {name.strip() for group in _GROUPING.findall(bare) for name in group.split(",")}
    assert used <= {"job", "instance"}.union(*(labels[name] for name in named))
    for name, _, value in _MATCHER.findall(expression):
        assert name not in _VALUES or set(value.split("|")) <= set(_VALUES[name])


def test_every_alert_has_cases() -> None:
    """There is a case of firing and one of silence for each alert, and for no other."""
    assert {case.alert for case in CASES} == {rule["alert"] for rule in rules()}


def test_promtool_accepts_the_alerts_and_panels(prometheus_tool: str, tmp_path: Path) -> None:
    """Prometheus's own tool accepts the alerts, and each panel's expressions."""
    recorded = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions().values())]
    everything = tmp_path / "everything.yaml"
    everything.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": recorded}]}))

    ended = run(prometheus_tool, "check", "rules", str(ALERTS), str(everything))

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_alert_fires_and_keeps_silent(prometheus_tool: str, tmp_path: Path, case: Case) -> None:
    """An alert fires where it should, with its severity and its text, and not for what only looks like it."""
    written = tmp_path / "cases.yaml"
    written.write_text(
        yaml.safe_dump(
            {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": list(told(case))}, width=1000
        )
    )

    ended = run(prometheus_tool, "test", "rules", str(written))

    assert ended.returncode == 0, ended.stdout + ended.stderr


def told(case: Case) -> Iterator[dict[str, Any]]:
    """Give the two tests of a case as promtool reads them."""
    [rule] = [rule for rule in rules() if rule["alert"] == case.alert]
    expected = {"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": rule["annotations"]}
    for series, alerts in ((case.fires, [expected]), (case.silent, [])):
        yield {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [{"eval_time": f"{case.minute}m", "alertname": case.alert, "exp_alerts": alerts}],
        }


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a known program, no shell


@pytest.mark.usefixtures("prometheus_server")
async def test_a_real_prometheus(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """Prometheus scrapes the real process, evaluates all alerts and panels, and notices that the process has gone."""
    async with (
        serving(tmp_path / "output", **environment(directus.url, stripe.url)) as sidecar,
        prometheus(tmp_path / "prometheus", sidecar.port) as server,
    ):
        for user in (CLERK, NOBODY):
            await sidecar.call("/stripe/payments?limit=1", bearer(user.token))

        async def quiet() -> bool:
            return {rule["state"] for rule in (await server.alerts()).values()} == {"inactive"}

        async def counted() -> bool:
            return await server.values(f'sum(sidecar_request_seconds_count{{operation!="none", job="{JOB}"}})') == ["2"]

        async def shown() -> bool:
            """Say whether every panel has a value; without STRIPE_WEBHOOK_SECRET there are no events, and no alerts."""
            empty = {title for title, text in expressions().items() if not await server.values(text)}
            return empty == {"Stripe's events, by type and how they ended A", *(rule["alert"] for rule in rules())}

        await eventually(quiet)
        await eventually(counted)
        await eventually(shown)
        assert await server.values(f'up{{job="{JOB}"}}') == ["1"]
        alerts = await server.alerts()
        assert alerts.keys() == {rule["alert"] for rule in rules()}
        assert {(rule["health"], rule.get("lastError", "")) for rule in alerts.values()} == {("ok", "")}

        sidecar.terminate()
        await sidecar.exit_code()

        async def noticed() -> bool:
            return (await server.alerts())["SidecarDown"]["state"] == "pending"

        await eventually(noticed)
