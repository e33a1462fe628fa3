"""The command line: ``python -m sidecar [serve|check|provision|reconcile|link]``."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from sidecar import __version__, logs, tracing
from sidecar.settings import Settings, SettingsFault, load

_UNUSABLE = 2  # exit code for unusable settings, the same as argparse's for arguments
_NO_SETUP = (
    "provision needs {}, which the serving image leaves out: use the image of the Dockerfile's target setup, "
    "or install the extra in a checkout with: pip install '.[setup]'"
)
_OPTIONS = ("-h", "--help", "--version")  # options without a command
_EPILOG = "sidecar/README.md has the settings, which come from the environment and from .env."
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse has no other name for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code: 0 done, 1 found a fault, 2 unusable settings."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = _parser()
    if given and given[0].startswith("-") and given[0] not in _OPTIONS:
        parser.error(f"unrecognized option {given[0]}; an option follows its command, as in `reconcile --dry-run`")
    options = parser.parse_args(given)
    try:
        return int(options.run(options))
    except SettingsFault as fault:
        print("The settings cannot be used:", *fault.faults, sep="\n  ", file=sys.stderr)  # noqa: T201 - logging is configured by settings
        return _UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="directus-stripe-sidecar",
        description="Stripe behind Directus's permissions. Without a command it serves.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.set_defaults(run=_serve)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add(commands, "serve", "answer requests until SIGTERM or SIGINT").set_defaults(run=_serve)
    _add(commands, "check", "say whether Directus and Stripe agree with the settings; change nothing").set_defaults(
        run=_check
    )
    _add_provision(commands)
    _add_reconcile(commands)
    _add_link(commands)
    return parser


def _add_provision(commands: _Commands) -> None:
    provision = _add(commands, "provision", "prepare a Directus: collection, ID field, service policy, user and token")
    provision.add_argument(
        "--token-file", type=Path, metavar="PATH", help="write a new service token to this file instead of printing it"
    )
    provision.add_argument(
        "--secret-file",
        type=Path,
        metavar="PATH",
        help="write a new SIDECAR_SECRET to this file, if it is empty or missing; beside the token file otherwise",
    )
    provision.add_argument(
        "--create-collection", action="store_true", help="make the customers collection, if Directus has none"
    )
    provision.add_argument(
        "--flow",
        metavar="URL",
        help="make the Flow that creates a customer for each new item; the URL is where Directus reaches the sidecar, "
        "such as http://sidecar:8080/stripe",
    )
    provision.add_argument(
        "--email-field",
        metavar="FIELD",
        help="let the service token read this field too, by which `link` finds customers; without this it may not",
    )
    provision.add_argument("--yes", action="store_true", help="do not ask before something is created or changed")
    provision.set_defaults(run=_provision)


def _add_reconcile(commands: _Commands) -> None:
    reconcile = _add(commands, "reconcile", "give items the customer IDs that a crash kept from them")
    reconcile.add_argument("--dry-run", action="store_true", help="change nothing; say what would be done")
    reconcile.add_argument("--since", metavar="7d", help="look only at customers created since then (m, h, d or w)")
    reconcile.add_argument(
        "--adopt",
        nargs="*",
        metavar="cus_…",
        help="sign customers of before signatures, or of a replaced secret: those in their items, and those named",
    )
    reconcile.set_defaults(run=_reconcile)


def _add_link(commands: _Commands) -> None:
    link = _add(commands, "link", "join items and customers that were there before; show a table, write if confirmed")
    way = link.add_mutually_exclusive_group()
    way.add_argument(
        "--csv", type=Path, metavar="FILE", help="read who belongs to whom from this file: the item's key, a customer"
    )
    way.add_argument(
        "--email-field", metavar="FIELD", help="compare this field's e-mail address, not the one of STRIPE_FIELD_MAP"
    )
    link.add_argument("--yes", action="store_true", help="write without asking")
    link.set_defaults(run=_link)


def _add(commands: _Commands, name: str, purpose: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", epilog=_EPILOG)


def _serve(_options: argparse.Namespace) -> int:
    # Before there is a handler a SIGHUP would end the process; from now on it waits for that.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from sidecar import serving  # noqa: PLC0415 - it takes a while to load

    settings = load(Settings)
    logs.configure(settings.log_level, tracing.facts)
    address, service = f"{settings.sidecar_host}:{settings.sidecar_port}", serving.serve(settings)
    del settings  # see `serve`
    try:
        asyncio.run(service)
    except OSError as error:
        print(f"Cannot listen on {address}: {error.strerror}", file=sys.stderr)  # noqa: T201 - the same
        return 1
    return 0


def _check(_options: argparse.Namespace) -> int:
    from sidecar.commands import check  # noqa: PLC0415 - the service does not load what no request needs

    return check.run()


def _provision(options: argparse.Namespace) -> int:
    try:
        from sidecar.commands import flow, preparing, provision, secret_files  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("sidecar"):
            raise
        print(_NO_SETUP.format(error.name), file=sys.stderr)  # noqa: T201 - logging is configured by settings
        return _UNUSABLE

    if options.flow is not None:
        flow.require_address(options.flow)
    files = secret_files.Files.of(options.token_file, options.secret_file)
    order = preparing.Order(files, options.create_collection, options.flow, options.email_field)
    return provision.run(order, yes=options.yes)


def _reconcile(options: argparse.Namespace) -> int:
    from sidecar.commands import reconcile  # noqa: PLC0415 - the same

    return reconcile.run(dry_run=options.dry_run, since=options.since, adopted=options.adopt)


def _link(options: argparse.Namespace) -> int:
    from sidecar.commands import link  # noqa: PLC0415 - the same

    return link.run(link.Order(options.csv, options.email_field, options.yes))


if __name__ == "__main__":
    sys.exit(main())
