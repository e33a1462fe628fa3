"""What the demo says before it installs anything."""

from pathlib import Path

import pytest

from deploy.demo.prepare import missing, plan


@pytest.mark.parametrize(
    ("servers", "packages", "parts"),
    [
        (True, False, ["Python packages", "Node", "Directus"]),
        (False, True, ["Python packages", "Node", "the tests' npm packages"]),
        (False, False, ["Python packages"]),
    ],
)
def test_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, servers: bool, packages: bool, parts: list[str]
) -> None:
    """Where nothing is installed, everything that was asked for is missing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert parts == [name for name, _ in missing(servers=servers, packages=packages)]


def test_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says how much is installed, where to, and what it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    said = plan({"Node": 190, "Directus": 860})

    assert said == (
        f"This is installed once, 1050 MB in {tmp_path}/directus-stripe-sidecar: Node (190 MB), Directus (860 MB)"
    )
