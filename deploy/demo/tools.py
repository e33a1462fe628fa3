"""Checks for the programs that the machine must have, and reports each missing one in a line."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator

from deploy.demo import cache
from deploy.demo.progress import Fault, run, step

QUICK = "10 to 30 seconds"
_LEAST_NPM = 7  # the first version that reads our lock files' format


def require(*, directus: bool, packages: bool) -> None:
    """Raise Fault with one line for each missing program.

    `directus` and `packages` say whether Directus and npm packages are still to be installed.
    """
    if not importlib.util.find_spec("ensurepip"):
        raise Fault("Python cannot make virtual environments; install its venv package (Debian: python3-venv)")
    npm = _npm_fault() if directus or packages else None
    faults = [*([npm] if npm else []), *(_for_directus() if directus else [])]
    if faults:
        raise Fault("\n".join(faults))


def _for_directus() -> Iterator[str]:
    if not any(map(shutil.which, ("c++", "g++", "clang++"))):
        yield "C++ compiler not found; Directus needs one to be installed (Debian: build-essential)"
    if not shutil.which("make"):
        yield "make not found; Directus needs it to be installed (Debian: build-essential)"


def _npm_fault() -> str | None:
    npm = shutil.which("npm")
    if not npm:
        return f"npm not found; install npm {_LEAST_NPM} or newer (its Node may be old: Directus gets its own)"
    ended = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False)
    version = ended.stdout.strip()
    if ended.returncode or not version:
        return f"npm does not run ({npm} --version fails); its Node is too old for it, or missing"
    if int(version.split(".")[0]) < _LEAST_NPM:
        return f"npm {version} is too old; install npm {_LEAST_NPM} or newer"
    return None


def find(program: str) -> str | None:
    """Find `program`, also in the `sbin` folders, where servers often are and a user's PATH does not lead."""
    return shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin")))


def from_debian(program: str, package: str, usually: str = QUICK) -> None:
    """Install Debian's `package` if `program` is missing. Raises Fault where that is impossible."""
    if find(program):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise Fault(f"{program} not found; install it (Debian: apt-get install {package})")
    with step(f"Installing {package}", f"{usually}, once"):
        _apt_get(package)


def _apt_get(package: str) -> None:
    cache.root().mkdir(parents=True, exist_ok=True)
    log = cache.root() / "apt-get.log"
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], log=log, env=env)
    run(["apt-get", "install", "--yes", "--no-install-recommends", package], log=log, env=env)
