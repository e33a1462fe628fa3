"""Claims of other Pythons and of other versions of the dependencies. Both run the unit tests that need Python alone."""

import asyncio
import json
import re
import subprocess
import tomllib
import venv
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from deploy.demo import children
from deploy.demo.progress import run, tail
from deploy.demo.servers import ROOT
from tests import checks
from tests.matrix.claims import Claim, Findings, Version

_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
_VERSION = "import platform; print(platform.python_version())"
_DEMO = ("python", "-m", "deploy.demo", "--once")


async def every_python(state: Path) -> Findings:
    """Claim that the unit tests pass on each Python of this machine, the one of the other checks included."""
    for minor, python in checks.pythons().items():
        yield Version(f"Python {checks.said(python, '-c', _VERSION).strip()}")
        environment = Path(checks.said(python, "-m", "deploy.demo.prepare").strip()).parent
        yield await _claim(
            f"the unit tests pass on Python {minor}", environment, checks.PYTHONS, state / f"{minor}.log"
        )


async def newest_dependencies(state: Path) -> Findings:
    """Claim that the unit tests and the demo pass with the newest versions within the bounds of pyproject.toml."""
    folder = state / "newest"
    await asyncio.to_thread(_install, folder, state / "pip.log")
    for changed in _newer_than_locked(_installed(folder)):
        yield Version(changed)
    for text, command in {"the unit tests pass": checks.PYTHONS, "the demo's answers are as expected": _DEMO}.items():
        yield await _claim(text, folder / "bin", command, state / f"{command[-1]}.log")


async def _claim(text: str, environment: Path, command: Sequence[str], log: Path) -> Claim:
    with log.open("wb") as output:
        program = [str(environment / command[0]), *command[1:]]
        process = await children.spawn(program, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        code = await process.wait()
    return Claim(text, 0, f"{code}\n{tail(log)}" if code else 0)


def _install(folder: Path, log: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    asked = [*project["project"]["dependencies"], *chain(*extras.values()), *project["dependency-groups"]["dev"]]
    venv.create(folder, with_pip=True)
    run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *asked], log=log)


def _installed(folder: Path) -> dict[str, str]:
    listed = json.loads(checks.said(str(folder / "bin/python"), "-m", "pip", "list", "--format=json"))
    return {package["name"].lower().replace("_", "-"): package["version"] for package in listed}


def _newer_than_locked(installed: Mapping[str, str]) -> list[str]:
    """Name the packages of the service, dependencies of dependencies included, that are not the locked ones."""
    locked = dict(_PIN.findall((ROOT / "deploy/requirements.txt").read_text(encoding="utf-8")))
    newer = [f"{name} {installed[name]}" for name in locked if installed.get(name, locked[name]) != locked[name]]
    return newer or ["no newer ones than the locked"]
