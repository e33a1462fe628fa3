"""Marks tests by their fixtures, and reports how many of each mark `-m` leaves out.

Outside CI, tests that need Redis or Prometheus are left out too where it is not installed; in CI they fail.
"""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from deploy.demo import prometheus_program, redis_program

_MARKS = {
    "npm": "that need packages of npm's or programs",
    "redis": "that need redis-server",
    "prometheus": "that need prometheus and promtool",
    "further": "further cases of tests of the whole application or the stand-in",
    "process": "that start processes",
    "slow": "that wait for deadlines or try many cases",
}
_WHOLE = {"open_app", "shop"}  # fixtures that open the application, or fill an account of the stand-in
_DOWNLOADING = {"node_tools", "helm", "linters", "proxies"}
_left_out: Counter[str] = Counter()


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _mark(items)
    there = {"redis": redis_program.is_installed, "prometheus": prometheus_program.is_installed}
    missing = [name for name, is_installed in there.items() if not is_installed()]
    if missing and os.environ.get("CI") != "true":
        left = [item for item in items if any(map(item.get_closest_marker, missing))]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


def _mark(items: Sequence[pytest.Item]) -> None:
    seen = set()
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        function = item.nodeid.partition("[")[0]
        if not _DOWNLOADING.isdisjoint(fixtures):
            item.add_marker("npm")
        if any(name.startswith("redis_") for name in fixtures):
            item.add_marker("redis")
        if any(name.startswith("prometheus_") for name in fixtures):
            item.add_marker("prometheus")
        if not _WHOLE.isdisjoint(fixtures) and function in seen:
            item.add_marker("further")
        if "process" in fixtures:  # the stand-in's
            item.add_marker("process")
        seen.add(function)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        _left_out.update([name for name in _MARKS if item.get_closest_marker(name)][:1])


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(_left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - xdist has no types
    """Every worker collects and leaves out the same tests, so one report counts."""
    _left_out.update({name: number - _left_out[name] for name, number in node.workeroutput["left_out"].items()})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _left_out:
        parts = (f"{number} {_MARKS[name]}" for name, number in _left_out.items())
        terminalreporter.write_line(f"Left out: {', '.join(parts)}")
