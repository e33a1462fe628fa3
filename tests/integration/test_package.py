"""The wheel, as a release has it: what is in it, and that it runs where nothing but its locked packages is."""

import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


def ran(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout  # noqa: S603 - pip and the service


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it from a copy, since setuptools writes beside the sources."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "sidecar", folder / "sidecar", ignore=shutil.ignore_patterns("__pycache__"))
    ran(sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", folder / "dist", folder)
    [built] = (folder / "dist").glob("*.whl")
    return built


def test_it_holds_the_service_alone(wheel: Path) -> None:
    """Every module of the service is in it, with the licence, and nothing of deploy or tests."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "sidecar").rglob("*.py")}
    about = f"directus_stripe_sidecar-{VERSION}.dist-info"

    assert modules <= names
    assert f"{about}/licenses/LICENSE" in names
    assert {name.partition("/")[0] for name in names} == {"sidecar", about}


def test_it_runs_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    """In a new environment with the serving lock the command answers --help, and knows its version."""
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin/python"
    ran(python, *PIP, "install", "--no-deps", "--require-hashes", "--requirement", ROOT / "deploy/requirements.txt")
    ran(python, *PIP, "install", "--no-deps", wheel)
    version = "from importlib.metadata import version; print(version('directus-stripe-sidecar'))"

    assert "reconcile" in ran(tmp_path / "bin/directus-stripe-sidecar", "--help")
    assert ran(python, "-c", version).strip() == VERSION
