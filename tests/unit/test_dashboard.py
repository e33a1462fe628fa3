"""The form of the dashboard, as Grafana reads it (grafana.com, "Dashboard JSON model")."""

import re
from collections import Counter
from itertools import product
from typing import Any

import pytest

from tests.doubles.monitoring import dashboard, panels

WIDTH = 24
UNITS = {"bool_yes_no", "bytes", "none", "ops", "percentunit", "reqps", "s", "short"}  # of Grafana's value formats
_VARIABLE = re.compile(r"\$\{?(\w+)")


def title_of(panel: dict[str, Any]) -> str:
    return str(panel["title"])


def test_places_of_panels() -> None:
    """No two panels overlap, none is outside the grid, and no ID or title is there twice."""
    everything = dashboard()["panels"]
    cells = Counter(
        cell
        for place in (panel["gridPos"] for panel in everything)
        for cell in product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))
    )

    assert set(cells.values()) == {1}
    assert all(0 <= x < WIDTH and y >= 0 for x, y in cells)
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len({panel["title"] for panel in everything}) == len(everything)


@pytest.mark.parametrize("panel", panels(), ids=title_of)
def test_a_panel(panel: dict[str, Any]) -> None:
    """A panel explains itself, asks the chosen data source, and names each of its lines."""
    assert panel.keys() == {"id", "type", "title", "description", "datasource", "gridPos", "fieldConfig", "targets"}
    assert panel["type"] == "timeseries"
    assert len(panel["description"]) > 40
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["fieldConfig"]["overrides"] == []
    assert [target.keys() for target in panel["targets"]] == [{"expr", "legendFormat", "refId"}] * len(panel["targets"])
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
    assert all(target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize("panel", panels(), ids=title_of)
def test_expressions_follow_the_choice_of_jobs(panel: dict[str, Any]) -> None:
    """Every metric of a panel is chosen by the dashboard's variable, and no other variable is used."""
    for target in panel["targets"]:
        metrics = re.findall(r"\b(?:sidecar|process)_[a-z_]+|\bup\b", target["expr"])

        assert metrics
        assert target["expr"].count('job=~"$job"') == len(metrics)
        assert set(_VARIABLE.findall(target["expr"])) <= {"job", "__rate_interval"}


def test_frame() -> None:
    """The dashboard has an address of its own, its rows head panels, and its variables are the two that are used."""
    found = dashboard()

    assert found.keys() == {
        *("title", "uid", "schemaVersion", "tags", "time", "refresh", "templating", "panels"),
    }
    assert [variable["name"] for variable in found["templating"]["list"]] == ["datasource", "job"]
    assert found["templating"]["list"][1]["query"] == "label_values(sidecar_build_info, job)"
    rows = [panel for panel in found["panels"] if panel["type"] == "row"]
    assert all(row["panels"] == [] and row["gridPos"]["w"] == WIDTH for row in rows)
