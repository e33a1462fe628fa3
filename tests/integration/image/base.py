"""The base image, made of Debian's packages: tests ask no registry.

It stands in for the official one under its name: the same release of Debian, the same Python, and under /usr/local what
the Dockerfile expects there. It is made once, and kept in the cache for what is downloaded.
"""

import os
import re
from functools import partial
from pathlib import Path

from deploy.demo import cache
from deploy.demo.progress import run, step

ROOT = Path(__file__).parents[3]
_MAKING = """\
FROM scratch
ADD base.tar /
RUN ["/usr/bin/python3", "-m", "venv", "/usr/local"]
RUN python -c 'import sys; assert "{python}" == "%d.%d" % sys.version_info[:2], sys.version'
RUN rm -rf /usr/lib/python3.*/ensurepip /usr/share/python-wheels
"""


def name() -> str:
    """Give the base image's name, as the Dockerfile has it."""
    [found] = re.findall(
        r"^ARG PYTHON_IMAGE=([^@\s]+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    return str(found)


def python() -> str:
    """Give its Python's version, such as 3.13."""
    return name().partition(":")[2].partition("-")[0]


def buildah(storage: Path, *more: str) -> list[str]:
    """Begin a command of buildah's with images below `storage`, in plain folders, which every file system can hold."""
    places = ["--root", str(storage / "images"), "--runroot", str(storage / "running")]
    return ["buildah", *places, "--storage-driver", "vfs", *more]


def base() -> Path:
    """Give the storage that holds the base image; make it if it is missing. Raises Fault."""
    made_of = cache.fingerprint(name().encode(), _MAKING.encode(), os.uname().machine.encode())
    return cache.built(f"base-image-{made_of}", _make)


def _make(storage: Path, log: Path) -> None:
    context = storage / "context"
    context.mkdir()
    (context / "Containerfile").write_text(_MAKING.format(python=python()), encoding="utf-8")
    tar, release = context / "base.tar", name().rpartition("-")[2]
    logged = partial(run, log=log)
    with step(f"Making a base image of Debian {release}", "30 to 120 seconds, 110 MB, once"):
        packages = ["--variant=essential", "--include=python3,python3-venv,ca-certificates"]
        slim = [f"--dpkgopt=path-exclude=/usr/share/{what}/*" for what in ("doc", "locale", "man")]
        logged(["mmdebstrap", "--quiet", *packages, *slim, "--dpkgopt=force-unsafe-io", release, str(tar)])
        options = ["--isolation", "chroot", "--layers=false", "--squash", "--tag", f"localhost/{name()}"]
        logged([*buildah(storage), "build", *options, str(context)])
    tar.unlink()
