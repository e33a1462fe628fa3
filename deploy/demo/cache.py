"""A cache, outside the checkout, for what is downloaded or compiled. Names contain a hash of the sources."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.demo.progress import say

_MARK = ".whole"  # in every folder that is complete


def root() -> Path:
    """The project's folder among the user's caches (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "directus-stripe-sidecar"


def fingerprint(*sources: bytes) -> str:
    """Hash `sources`, each one first for itself, so that a byte moved from one to the next changes the result."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(hashlib.sha256(source).digest())
    return digest.hexdigest()[:12]


def is_built(name: str) -> bool:
    return (root() / name / _MARK).exists()


def built(name: str, build: Callable[[Path, Path], None]) -> Path:
    """Give the folder called `name`; `build(folder, log)` makes it if it is not complete.

    It is built in place, since a virtual environment contains its own path, and marked complete at the end. A folder
    that an interruption left has no mark and is built again. Two runs at once build it once.
    """
    folder = root() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(name):
        if not is_built(name):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            log = folder.with_suffix(".log")
            log.unlink(missing_ok=True)
            build(folder, log)
            (folder / _MARK).touch()
    return folder


@contextmanager
def _locked(name: str) -> Iterator[None]:
    with (root() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another run that prepares {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
