"""The guarantees of the two lock files."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
RUNTIME, TESTS = ROOT / "deploy/requirements.txt", ROOT / "tests/requirements.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)(.*(?:\n    .*)*)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return {name: version for name, version, _ in PIN.findall(lock.read_text())}


@pytest.mark.parametrize("lock", [RUNTIME, TESTS], ids=["runtime", "tests"])
def test_every_pin_has_hashes(lock: Path) -> None:
    """Every package is pinned with its hashes: at least one wheel and, unless it has none, its source."""
    for name, _, rest in PIN.findall(lock.read_text()):
        assert "--hash=sha256:" in rest, name


@pytest.mark.parametrize("lock", [RUNTIME, TESTS], ids=["runtime", "tests"])
def test_lock_names_no_host(lock: Path) -> None:
    """A lock names no index, address or path, so it serves any mirror."""
    assert not re.search(r"://|^-|--(index|find)[a-z-]*[ =](?!.*pip compile)", lock.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        (RUNTIME, PROJECT["project"]["dependencies"]),
        (TESTS, PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]),
    ],
    ids=["runtime", "tests"],
)
def test_lock_answers_the_project(lock: Path, asked: list[str]) -> None:
    """A pin meets every requirement in pyproject.toml."""
    pinned = pins(lock)

    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def test_tests_use_the_versions_of_the_image() -> None:
    """The tests install exactly the versions that the image installs."""
    assert pins(RUNTIME).items() <= pins(TESTS).items()
