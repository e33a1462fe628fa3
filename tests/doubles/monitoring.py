"""The alerts and panels that deploy/monitoring ships, and a real Prometheus that scrapes and evaluates them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from deploy.demo import prometheus_program
from deploy.demo.processes import free_port, running

FOLDER = Path(__file__).parents[2] / "deploy/monitoring"
ALERTS, DASHBOARD = FOLDER / "alerts.yaml", FOLDER / "dashboard.json"
JOB = "sidecars-of-a-test"  # no alert depends on a name


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    """Give the panels that show something, without the rows that head them."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> dict[str, str]:
    """Give every expression of alerts and panels by its title, as Grafana sends it: with its variables replaced."""
    shown = {f"{panel['title']} {target['refId']}": target["expr"] for panel in panels() for target in panel["targets"]}
    found = {rule["alert"]: rule["expr"] for rule in rules()} | shown
    return {title: text.replace("$__rate_interval", "5m").replace("$job", JOB) for title, text in found.items()}


class Prometheus:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session = url, session

    async def get(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - the API's JSON
        """Give the data of an answer of the API (prometheus.io, "HTTP API"), which must be a success."""
        async with self._session.get(f"{self._url}/api/v1/{path}", params=parameters) as response:
            answer = await response.json()
        assert answer["status"] == "success", answer
        return answer["data"]

    async def values(self, expression: str) -> list[str]:
        """Evaluate it now, and give the value of each series."""
        found = await self.get("query", query=expression)
        return [series["value"][1] for series in found["result"]]

    async def alerts(self) -> Mapping[str, Mapping[str, str]]:
        """Give each alert's `state`, `health` and `lastError` by its name."""
        found = await self.get("rules")
        return {rule["name"]: rule for group in found["groups"] for rule in group["rules"]}


@asynccontextmanager
async def prometheus(folder: Path, target: int) -> AsyncIterator[Prometheus]:
    """Start one that scrapes the service on port `target` and evaluates the shipped alerts, both all the time."""
    port, configuration = free_port(), _configuration(folder, target)
    command = [
        prometheus_program.find("prometheus") or "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    log = folder / "prometheus.log"
    async with (
        running(command, port=port, log=log, cwd=folder, settings={}) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Prometheus(server.url, session)


def _configuration(folder: Path, target: int) -> Path:
    folder.mkdir()
    scraped = {"job_name": JOB, "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
    often = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"}
    everything = {"global": often, "rule_files": [str(ALERTS)], "scrape_configs": [scraped]}
    written = folder / "prometheus.yml"
    written.write_text(yaml.safe_dump(everything), encoding="utf-8")
    return written
