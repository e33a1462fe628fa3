"""``provision``: prepare a Directus for the sidecar. It says what it would do, asks, and then does it."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pydantic import Field

from sidecar.clients.directus.server_info import NO_LISTS
from sidecar.commands.administrator import Administrator, AdministratorFault
from sidecar.commands.check_server import version_line
from sidecar.commands.confirming import confirms, has_terminal
from sidecar.commands.lines import Line, Word, show
from sidecar.commands.preparing import Order, prepare
from sidecar.commands.rehearsal import Rehearsal
from sidecar.commands.secret_files import nowhere
from sidecar.settings import OperationsSettings, load
from sidecar.settings.secret_types import Token

_PLANNED = {Word.CREATED: Word.TO_CREATE, Word.CHANGED: Word.TO_CHANGE}
_NOTHING = "Nothing was changed."


class ProvisionSettings(OperationsSettings):
    """`directus_admin_token` is a setting of this command only; the service never gets it."""

    directus_admin_token: Token = Field(description="An administrator's static token")


def run(order: Order, *, yes: bool) -> int:
    """Give the exit code; with `yes` nobody is asked. Raises SettingsFault."""
    settings = load(ProvisionSettings)
    admin = Administrator(settings.directus_url, settings.directus_admin_token.get_secret_value())
    try:
        licensed, fault = _ready(admin)
        if fault is not None:
            return show([fault])
        rehearsed = replace(order, files=replace(order.files, open=nowhere))
        would = list(prepare(Rehearsal(admin), settings, rehearsed, licensed=licensed))
    except AdministratorFault as found:
        return show([Line(Word.FAULT, str(found))])
    if not any(line.word in _PLANNED for line in would):
        return show(would)
    if not yes and not _agreed(would, settings.directus_url):
        return 1
    return show(_ended(prepare(admin, settings, order, licensed=licensed)))


def _ready(admin: Administrator) -> tuple[bool, Line | None]:
    """Say whether Directus stores item rules and field lists, and why not to begin. Raises AdministratorFault."""
    admin.require_rights()
    info = admin.info()
    if info.too_old:
        return False, version_line(info)
    if info.gives_no_list:
        return False, Line(Word.FAULT, NO_LISTS)
    return admin.may_limit_permissions(info), None


def _agreed(would: Iterable[Line], url: str) -> bool:
    """Show the plan and ask, if somebody is there."""
    show(replace(line, word=_PLANNED.get(line.word, line.word)) for line in would if line.word is not Word.UNCHANGED)
    if not has_terminal():
        print(f"{_NOTHING} There is no terminal to confirm this on: look at it, then add --yes.", file=sys.stderr)
        return False
    if confirms(f"Do this in the Directus at {url}?"):
        return True
    print(_NOTHING, file=sys.stderr)
    return False


def _ended(lines: Iterator[Line]) -> Iterator[Line]:
    """End with a fault where Directus does not do what it is asked for."""
    try:
        yield from lines
    except AdministratorFault as fault:
        yield Line(Word.FAULT, str(fault))
