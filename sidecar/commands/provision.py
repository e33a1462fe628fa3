"""``provision``: prepare a Directus for the sidecar. What is as it should be is left alone, so it may run again."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from sidecar.commands.account import provide_account
from sidecar.commands.administrator import Administrator, AdministratorFault
from sidecar.commands.grants import provide_policy
from sidecar.commands.lines import Line, Word, show
from sidecar.commands.schema import provide_schema
from sidecar.settings import DirectusSettings, load


def _token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
        raise ValueError("must be a token of visible ASCII characters without spaces")
    return value


class ProvisionSettings(DirectusSettings):
    """`directus_admin_token` is needed here alone; the service never gets it."""

    directus_admin_token: Annotated[SecretStr, AfterValidator(_token)] = Field(
        description="An administrator's static token"
    )


def run(token_file: Path | None) -> int:
    """Give the exit code. Raises SettingsFault."""
    return show(_lines(load(ProvisionSettings), token_file))


def _lines(settings: ProvisionSettings, token_file: Path | None) -> Iterator[Line]:
    admin = Administrator(settings.directus_url, settings.directus_admin_token.get_secret_value())
    try:
        admin.require_rights()
        yield from provide_schema(admin, settings)
        policy = yield from provide_policy(admin, settings)
        yield from provide_account(admin, policy, settings, token_file)
    except AdministratorFault as fault:
        yield Line(Word.FAULT, str(fault))
