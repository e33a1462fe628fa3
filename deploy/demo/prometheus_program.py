"""Where Prometheus and its tool are on this machine, and how they are put there without a service.

Debian's package brings a system service, which starts at once and at every boot, and fonts for its pages. Both programs
need nothing but the C library: so the package is only unpacked, into the cache.
"""

import os
import shutil
from pathlib import Path

from deploy.demo import cache, tools
from deploy.demo.progress import Fault, run, step

_PACKAGE, _NAME = "prometheus", "prometheus"
_PROGRAMS = ("prometheus", "promtool")


def is_installed() -> bool:
    return all(map(find, _PROGRAMS))


def find(program: str) -> str | None:
    """Give the path of `prometheus` or `promtool`; the machine's own goes first."""
    unpacked = cache.root() / _NAME / "usr/bin" / program
    return tools.find(program) or (str(unpacked) if cache.is_built(_NAME) else None)


def install() -> None:
    """Unpack both if one is missing. Raises Fault where that is impossible."""
    if is_installed():
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise Fault(f"{' and '.join(_PROGRAMS)} not found; install them (Debian: apt-get install {_PACKAGE})")
    with step(f"Installing {_PACKAGE}", tools.QUICK):
        cache.built(_NAME, _unpack)


def _unpack(folder: Path, log: Path) -> None:
    run(["apt-get", "update"], log=log)
    run(["apt-get", "download", _PACKAGE], cwd=folder, log=log)
    for archive in folder.glob("*.deb"):
        run(["dpkg-deb", "--extract", str(archive), str(folder)], log=log)
        archive.unlink()
