"""What is downloaded or compiled once and kept, outside the checkout, under a name that says what it was made from."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.demo.progress import say

_MARK = ".whole"


def root() -> Path:
    """The project's folder among the user's caches (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "directus-stripe-sidecar"


def fingerprint(*sources: bytes) -> str:
    """Names what `sources` describe; each counts for itself, so that moving a byte between two shows."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(hashlib.sha256(source).digest())
    return digest.hexdigest()[:12]


def is_built(name: str) -> bool:
    return (root() / name / _MARK).exists()


def built(name: str, build: Callable[[Path, Path], None]) -> Path:
    """Return the folder called `name`, made by `build(folder, log)` unless it stands there whole.

    It is built in place, since a virtual environment holds its own path, and marked whole at the end: what an
    interruption leaves has no mark and is made anew. Two runs at once build it once.
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
