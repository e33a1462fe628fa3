"""`python -m deploy.demo.prepare [--servers] [--shellcheck]`: installs what is missing, prints the interpreter to use.

Called by deploy.demo.environment.sh with the system's Python, so it imports the standard library only.
"""

import sys

from deploy.demo import install, tools, venv
from deploy.demo.progress import Fault, say


def main(arguments: list[str]) -> int:
    try:
        print(_prepare(servers="--servers" in arguments, shellcheck="--shellcheck" in arguments))
    except Fault as fault:
        say(str(fault))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _prepare(*, servers: bool, shellcheck: bool) -> str:
    tools.require(directus=servers and not install.is_installed())
    if servers:
        tools.from_debian("nginx", "nginx-light")
    if shellcheck:
        _have_shellcheck()
    python = venv.python()
    if servers:
        install.directus()
    return str(python)


def _have_shellcheck() -> None:
    try:
        tools.from_debian("shellcheck", "shellcheck")
    except Fault as fault:
        say(str(fault))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
