"""``link``: join the items and the customers of a shop that has both already.

It prints a table and writes nothing unless somebody confirms it. It only ever writes an ID into an empty field, and it
can be killed and run again.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sidecar import opening
from sidecar.commands.confirming import confirms, has_terminal
from sidecar.commands.ledger import Ledger
from sidecar.commands.link_file import Asked, LineFault, LinkFault, read
from sidecar.commands.link_table import Table
from sidecar.commands.linker import Linker
from sidecar.core.flows.matching import Match, Pair
from sidecar.errors import SidecarError
from sidecar.settings import Settings, SettingsFault, load

_WARNING = "Whoever could write an address into an item would get the customer of that address: look at each line."


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line says; without a file e-mail addresses decide."""

    file: Path | None = None
    email_field: str | None = None
    yes: bool = False


def run(order: Order) -> int:
    """Give the exit code: 0 if nothing is left to decide, 1 if something is or it stopped. Raises SettingsFault."""
    settings, table = load(Settings), Table()
    logging.disable()  # the printed lines say what the clients would log
    try:
        asked, faults = ([], []) if order.file is None else _read(order.file, settings)
        field = None if order.file is not None else _email_field(order, settings)
        matches = asyncio.run(_matches(settings, field, asked if order.file is not None else None, table))
        pairs = table.plan(matches, faults)
        print(table.sum("to link", "ambiguous", "DECIDE", "left"))
        if pairs and _agreed(order, settings, len(pairs)):
            asyncio.run(_write(settings, field, pairs, table))
            print(table.sum("linked", "ambiguous", "DECIDE"))
    except LinkFault as fault:
        print(f"Stopped: {fault}.", file=sys.stderr)
        return 1
    except SidecarError as error:
        print(f"Stopped: {error.detail or error.message}. What was linked stays; run it again.", file=sys.stderr)
        return 1
    return 1 if table.to_decide else 0


def _read(path: Path, settings: Settings) -> tuple[list[Asked], list[LineFault]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return read(file, settings.customers_collection)
    except OSError as error:
        raise SettingsFault([f"--csv: {path} cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise SettingsFault([f"--csv: {path} is not in UTF-8: save it as that"]) from None


def _email_field(order: Order, settings: Settings) -> str:
    field = order.email_field or settings.field_map.field_of("email")
    if field is None:
        raise SettingsFault(
            ["--email-field: name the field with e-mail addresses; STRIPE_FIELD_MAP maps none to email"]
        )
    return field


@asynccontextmanager
async def _linker(settings: Settings, field: str | None, table: Table) -> AsyncIterator[Linker]:
    async with opening.directus_session(settings) as directus, opening.stripe_session(settings) as stripe:
        ledger = Ledger(settings, directus, stripe)
        yield Linker(ledger, settings.customers_collection, field, table.progress)


async def _matches(settings: Settings, field: str | None, asked: Sequence[Asked] | None, table: Table) -> list[Match]:
    async with _linker(settings, field, table) as linker:
        await linker.require_rights()
        found = linker.by_email() if asked is None else linker.by_file(asked)
        return [match async for match in found]


async def _write(settings: Settings, field: str | None, pairs: Sequence[Pair], table: Table) -> None:
    async with _linker(settings, field, table) as linker:
        for pair in pairs:
            left = await linker.link(pair)
            if left is None:
                table.linked(pair)
            else:
                table.failed(left)


def _agreed(order: Order, settings: Settings, number: int) -> bool:
    if order.yes:
        return True
    if order.file is None:
        print(_WARNING)
    if has_terminal() and confirms(f"Write {number} IDs into {settings.stripe_customers_collection}?"):
        return True
    print("Nothing was written. To write it, add --yes, or confirm it on a terminal.", file=sys.stderr)
    return False
