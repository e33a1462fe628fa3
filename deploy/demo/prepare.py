"""`python -m deploy.demo.prepare [--servers] [--packages] [--browser] […]`: installs what the options name.

The others are --shellcheck, --redis, --prometheus and --image. It prints the path of the Python interpreter to use.
deploy/demo/environment.sh and tests/checks.py call it with the system's Python, so it imports the standard library
only.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from deploy.demo import cache, install, prometheus_program, redis_program, tools, venv
from deploy.demo.progress import Fault, say


def main(arguments: list[str]) -> int:
    try:
        print(prepare(set(arguments)))
    except Fault as fault:
        say(str(fault))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def prepare(arguments: Collection[str]) -> Path:
    """Install what is missing and give the interpreter. Raises Fault."""
    servers, packages = "--servers" in arguments, "--packages" in arguments
    parts = dict(missing(servers=servers, packages=packages))
    tools.require(directus=servers and not install.is_installed(), packages=packages and not install.has_packages())
    if parts:
        say(plan(parts))
    if servers:
        tools.from_debian("nginx", "nginx-light")
    if "--browser" in arguments:
        _if_possible(partial(tools.from_debian, "chromium", "chromium", "20 to 90 seconds"))
    if "--shellcheck" in arguments:
        _if_possible(partial(tools.from_debian, "shellcheck", "shellcheck"))
    if "--redis" in arguments:
        _if_possible(redis_program.install)
    if "--prometheus" in arguments:
        _if_possible(prometheus_program.install)
    if "--image" in arguments:
        _if_possible(partial(tools.from_debian, "buildah", "buildah"))
        _if_possible(partial(tools.from_debian, "mmdebstrap", "mmdebstrap"))
    python = venv.python()
    if packages:
        install.node_tools()
    if servers:
        install.directus()
    return python


def missing(*, servers: bool, packages: bool) -> Iterator[tuple[str, int]]:
    """Name what is still to be installed into the cache, each with the megabytes that it takes there."""
    if not venv.is_installed():
        yield "Python packages", 600
    if (servers or packages) and not install.has_node():
        yield "Node", 190
    if servers and not install.is_installed():
        yield "Directus", 860
    if packages and not install.has_packages():
        yield "the tests' npm packages", 60


def plan(parts: Mapping[str, int]) -> str:
    """Say what is about to be installed, where to and how much it is."""
    named = ", ".join(f"{name} ({size} MB)" for name, size in parts.items())
    return f"This is installed once, {sum(parts.values())} MB in {cache.root()}: {named}"


def _if_possible(install_one: Callable[[], None]) -> None:
    """Install a program that only some checks need; without it tests/run.sh says that it skips them."""
    try:
        install_one()
    except Fault as fault:
        say(str(fault))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
