"""The unit for systemd fits what the service does with signals."""

import shlex
import signal
from pathlib import Path

import pytest

from sidecar.settings import Settings

UNIT = Path(__file__).parents[2] / "deploy/systemd/directus-stripe-sidecar.service"


@pytest.fixture(scope="module")
def unit() -> dict[str, str]:
    lines = (line.partition("=") for line in UNIT.read_text().splitlines() if not line.startswith("#"))
    return {name: value for name, _, value in lines if value}


def test_a_reload_is_the_signal(unit: dict[str, str]) -> None:
    """`systemctl reload` sends the main process the signal at which settings are read again."""
    assert shlex.split(unit["ExecReload"]) == ["/bin/kill", f"-{signal.SIGHUP.name.removeprefix('SIG')}", "$MAINPID"]


def test_a_stop_has_the_time_of_the_drain(unit: dict[str, str]) -> None:
    """L4: systemd kills only after both parts of the drain have had their time."""
    drain = sum(Settings.model_fields[name].default for name in ("shutdown_delay", "shutdown_timeout"))

    assert drain < int(unit["TimeoutStopSec"])
