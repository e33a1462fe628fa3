"""``provision``: prepare a Directus for the sidecar. What is as it should be is left alone, so it may run again."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from sidecar.commands.account import provide_account
from sidecar.commands.administrator import Administrator, AdministratorFault
from sidecar.commands.grants import provide_policy
from sidecar.commands.lines import Line, Word, show
from sidecar.commands.schema import provide_schema
from sidecar.settings import DirectusSettings, load
from sidecar.values import Token


class ProvisionSettings(DirectusSettings):
    """`directus_admin_token` is needed here alone; the service never gets it."""

    directus_admin_token: Token = Field(description="An administrator's static token")
    directus_realtime: bool = Field(default=False, description="As for the service, whose token it widens")


def run(token_file: Path | None) -> int:
    """Give the exit code. Raises SettingsFault."""
    return show(_lines(load(ProvisionSettings), token_file))


def _lines(settings: ProvisionSettings, token_file: Path | None) -> Iterator[Line]:
    admin = Administrator(settings.directus_url, settings.directus_admin_token.get_secret_value())
    try:
        admin.require_rights()
        yield from provide_schema(admin, settings)
        policy = yield from provide_policy(admin, settings, realtime=settings.directus_realtime)
        yield from provide_account(admin, policy, settings, token_file)
    except AdministratorFault as fault:
        yield Line(Word.FAULT, str(fault))
