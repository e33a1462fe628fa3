"""The command line: ``python -m sidecar [serve|check|provision|reconcile]``. Says what is wrong and ends."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from sidecar import logs, serving
from sidecar.settings import Settings, SettingsFault, load

_UNUSABLE = 2  # the exit code for settings that cannot be used


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code: 0 done, 1 found a fault, 2 unusable settings."""
    parser = argparse.ArgumentParser(prog="directus-stripe-sidecar", description="Stripe behind Directus permissions.")
    parser.add_argument("command", nargs="?", default="serve", choices=tuple(_COMMANDS))
    parser.add_argument("--token-file", type=Path, metavar="PATH", help="provision: write a new token there instead")
    parser.add_argument("--dry-run", action="store_true", help="reconcile: change nothing, say what would be done")
    parser.add_argument("--since", metavar="7d", help="reconcile: only customers created since (m, h, d or w)")
    options = parser.parse_args(arguments)
    if options.token_file is not None and options.command != "provision":
        parser.error("--token-file belongs to provision")
    if (options.dry_run or options.since is not None) and options.command != "reconcile":
        parser.error("--dry-run and --since belong to reconcile")
    try:
        return _COMMANDS[options.command](options)
    except SettingsFault as fault:
        print("The settings cannot be used:", *fault.faults, sep="\n  ", file=sys.stderr)  # noqa: T201 - logging is a setting too
        return _UNUSABLE


def _serve(_options: argparse.Namespace) -> int:
    settings = load(Settings)
    logs.configure(settings.log_level)
    try:
        asyncio.run(serving.serve(settings))
    except OSError as error:
        print(f"Cannot listen on {settings.sidecar_host}:{settings.sidecar_port}: {error.strerror}", file=sys.stderr)  # noqa: T201 - the same
        return 1
    return 0


def _check(_options: argparse.Namespace) -> int:
    from sidecar.commands import check  # noqa: PLC0415 - what no request needs is not loaded to serve them

    return check.run()


def _provision(options: argparse.Namespace) -> int:
    from sidecar.commands import provision  # noqa: PLC0415 - the same

    return provision.run(options.token_file)


def _reconcile(options: argparse.Namespace) -> int:
    from sidecar.commands import reconcile  # noqa: PLC0415 - the same

    return reconcile.run(dry_run=options.dry_run, since=options.since)


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "serve": _serve,
    "check": _check,
    "provision": _provision,
    "reconcile": _reconcile,
}

if __name__ == "__main__":
    sys.exit(main())
