"""Builds the image from the Dockerfile, with buildah and without a network, and unpacks it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo import cache
from deploy.demo.progress import run, step
from tests.doubles.process import Program
from tests.integration.image import base, contained

_LOCK = base.ROOT / "deploy/requirements.txt"
_OFFLINE = "[global]\nno-index = true\nfind-links = /wheels\n"
_BUILD = ("--isolation", "chroot", "--layers=false", "--pull=never", "--format", "docker")  # OCI's has no health check
_ROOM = 4e9  # bytes, three times what a build takes
_GLIBC = (17, 28, 34)  # of manylinux, up to what the base's Debian has


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was built: its files below `root`, and its configuration as an engine reads it."""

    root: Path
    config: dict[str, Any]

    @property
    def megabytes(self) -> float:
        """The size of what the Dockerfile adds to the base."""
        files = (path for place in ("venv", "app") for path in (self.root / place).rglob("*"))
        return sum(path.lstat().st_size for path in files) / 1e6

    @property
    def environment(self) -> dict[str, str]:
        return dict(each.split("=", 1) for each in self.config["Env"])

    def running(self, *command: str) -> Program:
        """Give what runs a command in the image, as its user, restricted as in Kubernetes; by default its own."""
        asked = command or (*self.config["Entrypoint"], *(self.config["Cmd"] or ()))
        place = (str(self.root), self.config["WorkingDir"], self.config["User"])
        return Program((sys.executable, str(Path(contained.__file__)), *place, *asked), self.root)


def roomy(otherwise: Path) -> Path:
    """Give a folder for files that are copied for each step: in memory, where enough of it is left."""
    memory = Path("/dev/shm")  # noqa: S108 - only the parent of a folder of its own
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else otherwise


def build(folder: Path) -> Image:
    """Build the image that the Dockerfile makes by default, with all files below `folder`. Raises Fault."""
    store = base.base()
    own = base.buildah(folder, "--storage-opt", f"vfs.imagestore={store / 'images'}")
    settings = folder / "pip.conf"
    settings.write_text(_OFFLINE, encoding="utf-8")
    given = ["--volume", f"{_wheels()}:/wheels:ro", "--volume", f"{settings}:/etc/pip.conf:ro"]
    run([*own, "build", *_BUILD, *given, "--tag", "built", str(base.ROOT)], log=folder / "build.log")
    container = _said([*own, "from", "--pull-never", "built"])
    root = Path(_said([*own, "mount", container]))
    found = json.loads(_said([*own, "inspect", "--type", "image", "built"]))["Docker"]
    return Image(root, found["config"])


def _wheels() -> Path:
    """Give the folder with the wheels that the lock names; download them as this machine does, since a build cannot."""
    made_of = cache.fingerprint(_LOCK.read_bytes(), base.python().encode(), os.uname().machine.encode())
    return cache.built(f"image-wheels-{made_of}", _download)


def _download(folder: Path, log: Path) -> None:
    machine = os.uname().machine
    fitting = [f"--platform=manylinux_2_{minor}_{machine}" for minor in _GLIBC] + [
        f"--platform=manylinux2014_{machine}"
    ]
    which = ["--no-deps", "--only-binary=:all:", "--require-hashes", f"--python-version={base.python()}", *fitting]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", f"--dest={folder}"]
    with step("Downloading the image's packages", "10 to 40 seconds, once"):
        run([*pip, *which, f"--requirement={_LOCK}"], log=log)


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - buildah's
