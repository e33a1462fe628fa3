"""The guarantees of the lock files."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SERVING, SETUP = ROOT / "deploy/requirements.txt", ROOT / "deploy/requirements-setup.txt"
TESTS = ROOT / "tests/requirements.txt"
LOCKS = {"serving": SERVING, "setup": SETUP, "tests": TESTS}
LEFT_OUT = ROOT / "deploy/requirements-left-out.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
SERVED = PROJECT["project"]["dependencies"] + EXTRAS["tracing"]
PYTHONS = ("3.11", "3.12", "3.13")
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)(.*(?:\n    .*)*)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return {name: version for name, version, _ in PIN.findall(lock.read_text())}


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_every_pin_has_hashes(lock: Path) -> None:
    """Every package is pinned with its hashes: at least one wheel and, unless it has none, its source."""
    for name, _, rest in PIN.findall(lock.read_text()):
        assert "--hash=sha256:" in rest, name


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_lock_names_no_host(lock: Path) -> None:
    """A lock names no index, address or path, so it serves any mirror."""
    assert not re.search(r"://|^-|--(index|find)[a-z-]*[ =](?!.*pip compile)", lock.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        (SERVING, SERVED),
        (SETUP, SERVED + EXTRAS["setup"]),
        (TESTS, SERVED + EXTRAS["setup"] + PROJECT["dependency-groups"]["dev"]),
    ],
    ids=LOCKS,
)
def test_lock_answers_the_project(lock: Path, asked: list[str]) -> None:
    """A pin meets every requirement in pyproject.toml."""
    pinned = pins(lock)

    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def test_locks_have_the_same_versions() -> None:
    """The tests install exactly the versions of both images, and the setup image those of the serving one."""
    assert pins(SERVING).items() <= pins(SETUP).items() <= pins(TESTS).items()


def test_serving_lock_has_nothing_of_setting_up() -> None:
    """D1: Neither the SDK, another HTTP client nor a DNS resolver is in the serving lock; setup's has the SDK."""
    unwanted = {"directus-sdk-py", "requests", "sqlparse", "dnspython", "urllib3", "certifi", "charset-normalizer"}

    assert pins(SERVING).keys() & unwanted == set()
    assert "directus-sdk-py" in pins(SETUP)


def test_what_is_left_out_is_known() -> None:
    """D1: The serving lock is all that its libraries ask for, less the packages that are left out with a reason."""
    left_out = dict(re.findall(r"^([a-z0-9-]+) +# (.+)$", LEFT_OUT.read_text(), re.MULTILINE))
    there = {Requirement(asked).name.lower() for asked in SERVED}
    while more := {name for each in there - left_out.keys() for name in asked_by(each)} - there:
        there |= more

    assert left_out.keys() == {"requests", "dnspython"}
    assert there - left_out.keys() == pins(SERVING).keys()
    assert f"--excludes {LEFT_OUT.relative_to(ROOT)} " in SERVING.read_text()


def asked_by(package: str) -> set[str]:
    """Name what an installed package asks for on some supported Python, with the extras that the project names."""
    extras = {"", *(extra for asked in map(Requirement, SERVED) if asked.name == package for extra in asked.extras)}
    try:
        requirements = map(Requirement, metadata.requires(package) or [])
    except metadata.PackageNotFoundError:  # needed by another Python only
        return set()
    return {
        canonicalize_name(each.name)
        for each in requirements
        if each.marker is None
        or any(
            each.marker.evaluate({"python_version": python, "python_full_version": f"{python}.0", "extra": extra})
            for python in PYTHONS
            for extra in extras
        )
    }
