"""The command line: ``python -m sidecar [serve|check|provision]``. Says what is wrong and ends; decides nothing."""

import argparse
import asyncio
import sys

from sidecar import app, logs
from sidecar.settings import Settings, SettingsFault, load

_UNUSABLE = 2  # the exit code for settings that cannot be used


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code: 0 done, 1 found a fault, 2 unusable settings."""
    parser = argparse.ArgumentParser(prog="directus-stripe-sidecar", description="Stripe behind Directus permissions.")
    parser.add_argument("command", nargs="?", default="serve", choices=("serve", "check", "provision"))
    command = parser.parse_args(arguments).command
    try:
        return _COMMANDS[command]()
    except SettingsFault as fault:
        print("The settings cannot be used:", *fault.faults, sep="\n  ", file=sys.stderr)  # noqa: T201 - logging is a setting too
        return _UNUSABLE


def _serve() -> int:
    settings = load(Settings)
    logs.configure(settings.log_level)
    try:
        asyncio.run(app.serve(settings))
    except OSError as error:
        print(f"Cannot listen on {settings.sidecar_host}:{settings.sidecar_port}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


_COMMANDS = {"serve": _serve}

if __name__ == "__main__":
    sys.exit(main())
