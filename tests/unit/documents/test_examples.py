"""Examples of files and code in the documents are ones that the service takes."""

import json
import re

import pytest
import yaml

from sidecar.core.access.field_map import FieldMap
from sidecar.core.operations import parameters, resources, row
from sidecar.core.operations.table import OPERATIONS, rows
from sidecar.core.status.sources import SOURCES
from sidecar.errors import SidecarError
from sidecar.settings import Settings
from sidecar.settings.operations_file import parse_rules
from tests.documents.pages import DEPLOY, FRONT, ROOT, SIDECAR, block_after, prose_of, table_after
from tests.doubles.collections import CUSTOMERS
from tests.unit.test_documents import REQUIRED, variables


def test_the_shop_window() -> None:
    """The file of the shop window opens its three operations to guests."""
    rules = parse_rules(block_after(SIDECAR, "shop-window"), CUSTOMERS, FieldMap({}))

    assert {rule.operation.name for rule in rules if rule.public} == {
        "products.list",
        "prices.list",
        "checkout_sessions.create",
    }


def test_the_portals_file() -> None:
    """README's file lets readers of their own row open their portal."""
    [portal] = [
        rule
        for rule in parse_rules(block_after(FRONT, "portal-operations"), CUSTOMERS, FieldMap({}))
        if not rule.operation.basic
    ]

    assert (portal.operation.name, portal.action) == ("billing_portal_sessions.create", "read")


def test_the_row() -> None:
    """The row in "Add an operation" is the one in the table."""
    names = {**vars(parameters), **vars(resources), **vars(row), **vars(rows)}
    shown = eval(block_after(SIDECAR, "row"), names)  # noqa: S307 - the document's own code

    assert shown in OPERATIONS


def test_the_status_map() -> None:
    """The map of status fields is one, and names sources."""
    given = variables(block_after(SIDECAR, "status-map"))

    settings = Settings.model_validate({name.lower(): value for name, value in (REQUIRED | given).items()})

    assert set(SOURCES) & {name for names in settings.stripe_field_map.values() for name in names}


@pytest.mark.parametrize("marker", ["nuxt-origin", "cors-sidecar"])
def test_origins(marker: str) -> None:
    """Each line for another origin is one that the service takes."""
    given = variables(block_after(DEPLOY, marker))

    settings = Settings.model_validate({name.lower(): value for name, value in (REQUIRED | given).items()})

    assert settings.allowed_origins == tuple(given.values())


def test_the_line_at_the_start() -> None:
    """The line in deploy/README.md has the names that the service writes."""
    line = json.loads(block_after(DEPLOY, "started"))
    written = (ROOT / "sidecar/announcing.py").read_text()

    assert [
        name for name in line if name not in {"time", "level", "logger", "message"} and f'"{name}"' not in written
    ] == []


def test_the_scrape() -> None:
    """Prometheus's configuration names the port and the file of rules that are shipped."""
    config = yaml.safe_load(block_after(DEPLOY, "scrape"))

    assert [each["targets"] for job in config["scrape_configs"] for each in job["static_configs"]] == [["sidecar:8080"]]
    assert [file for file in config["rule_files"] if not (ROOT / "deploy/monitoring" / file).exists()] == []


def test_the_alerts() -> None:
    """Every alert that is shipped is explained or named, and no other."""
    named = set(re.findall(r"`(Sidecar[A-Za-z]+)`", prose_of(DEPLOY)))
    groups = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())["groups"]

    assert named == {rule["alert"] for group in groups for rule in group["rules"]}


def test_the_traces() -> None:
    """The service takes the lines that turn tracing on; the others are OpenTelemetry's own."""
    given = variables(block_after(DEPLOY, "traces"))
    ours = {name: value for name, value in given.items() if name.lower() in Settings.model_fields}

    Settings.model_validate({name.lower(): value for name, value in (REQUIRED | ours).items()})

    assert set(given) - set(ours) == {"OTEL_SERVICE_NAME", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}


def test_troubles() -> None:
    """Each code and reason in README's table of troubles is one of the service's, or of Directus's."""
    named = set(re.findall(r"`([A-Z]+_?[A-Z_]+)`", table_after(FRONT, "troubles")))
    reasons = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", table_after(FRONT, "troubles")))
    codes = {each.code for each in subclasses(SidecarError)} | {"INVALID_CREDENTIALS", "TOKEN_EXPIRED"}
    places = ("core/access/policy.py", "outcome.py")
    source = "".join((ROOT / "sidecar" / place).read_text() for place in places)

    assert named - codes == {"ALLOWED_ORIGINS", "DIRECTUS_REALTIME"}
    assert [reason for reason in reasons - {"stripe_customer_id"} if f'"{reason}"' not in source] == []


def subclasses(kind: type[SidecarError]) -> list[type[SidecarError]]:
    return [kind, *(each for direct in kind.__subclasses__() for each in subclasses(direct))]
