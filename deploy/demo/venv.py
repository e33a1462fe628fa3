"""Makes the Python environment of the demo and the tests from tests/requirements.txt, with its hashes checked."""

import sys
import venv
from pathlib import Path

from deploy.demo import cache
from deploy.demo.progress import run, step

_REQUIREMENTS = Path(__file__).parents[2] / "tests" / "requirements.txt"


def python() -> Path:
    """Give the environment's interpreter; make the environment if it is missing. The project runs from the checkout."""
    return cache.built(_name(), _build) / "bin" / "python"


def is_installed() -> bool:
    return cache.is_built(_name())


def _name() -> str:
    key = cache.fingerprint(_REQUIREMENTS.read_bytes(), sys.version.encode(), sys.executable.encode())
    return f"venv-{key}"


def _build(folder: Path, log: Path) -> None:
    with step("Installing Python packages", "30 to 60 seconds, once"):
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--require-hashes", "--requirement", str(_REQUIREMENTS)], log=log)
