"""Where Redis is on this machine, and how it is installed without a service. `redis_server` starts it.

Debian's package redis-server brings a system service, which starts at once and at every boot. Its package redis-tools
has the same program without a service: Redis's build installs one program by several names, and `redis-check-rdb` is a
server when it is started as `redis-server`.
"""

from pathlib import Path

from deploy.demo import cache, tools
from deploy.demo.progress import Fault

_SERVER, _SAME_PROGRAM, _PACKAGE = "redis-server", "redis-check-rdb", "redis-tools"


def is_installed() -> bool:
    return any(map(tools.find, (_SERVER, _SAME_PROGRAM)))


def install() -> None:
    """Install Redis if it is missing. Raises Fault where that is impossible."""
    if not is_installed():
        tools.from_debian(_SERVER, _PACKAGE)


def server() -> Path:
    """Give a path that ends in `redis-server`. Raises Fault if Redis is not installed."""
    if found := tools.find(_SERVER):
        return Path(found)
    same = tools.find(_SAME_PROGRAM)
    if not same:
        raise Fault(f"{_SERVER} not found; install it (Debian: apt-get install {_PACKAGE})")
    name = f"redis-{cache.fingerprint(same.encode())}"
    return cache.built(name, lambda folder, _: (folder / _SERVER).symlink_to(same)) / _SERVER


def client() -> str:
    return tools.find("redis-cli") or "redis-cli"
