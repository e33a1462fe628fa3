"""The guarantees of the locks of npm packages."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    *("deploy/demo/node", "deploy/demo/directus", "tests/node"),
    *(f"tests/matrix/directus/{folder.name}" for folder in sorted((ROOT / "tests/matrix/directus").iterdir())),
)


def read(folder: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / folder / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_package_has_a_hash(folder: str) -> None:
    """Every package is pinned with a hash of its archive."""
    packages = read(folder, "package-lock.json")["packages"]

    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
    assert len(packages) > 1


@pytest.mark.parametrize("folder", FOLDERS)
def test_lock_names_no_host(folder: str) -> None:
    """A lock names no address, so it serves any mirror."""
    assert "://" not in (ROOT / folder / "package-lock.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS)
def test_lock_answers_its_package(folder: str) -> None:
    """Each version in package.json is exact, and is the locked one."""
    asked, locked = read(folder, "package.json"), read(folder, "package-lock.json")["packages"]

    for name, version in {**asked.get("dependencies", {}), **asked.get("optionalDependencies", {})}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
