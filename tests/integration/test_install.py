"""README's `pip install`, word for word, in a copy of the checkout and an environment of its own."""

import os
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from sidecar import __version__
from tests.documents.pages import FRONT, ROOT, block_after

COMMAND = block_after(FRONT, "five-commands").partition("\n")[0].partition(" #")[0].strip()


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment that finds the libraries of this one, so that pip fetches nothing but what builds the package."""
    venv.create(tmp_path / "venv", with_pip=True)
    [packages] = (tmp_path / "venv").glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return tmp_path / "venv" / "bin"


def test_pip_install(environment: Path, tmp_path: Path) -> None:
    """The command gives `directus-stripe-sidecar`, which needs nothing of the checkout."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "sidecar", checkout / "sidecar", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    variables = {**os.environ, "PATH": f"{environment}:/usr/bin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    installed = subprocess.run(["sh", "-c", COMMAND], cwd=checkout, env=variables, capture_output=True, text=True)  # noqa: S603, S607, PLW1510 - the document's own command
    if installed.returncode != 0 and os.environ.get("CI") != "true" and "No matching distribution" in installed.stderr:
        pytest.skip("pip cannot fetch what builds the package")
    shutil.rmtree(checkout)
    told = subprocess.run(  # noqa: S603 - the same
        [environment / "directus-stripe-sidecar", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert installed.returncode == 0, installed.stderr
    assert told.stdout.split() == ["directus-stripe-sidecar", __version__]
