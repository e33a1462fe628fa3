"""``provision``: prepare a Directus for the sidecar. What is as it should be is left alone, so it may run again."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from sidecar.commands.account import provide_account
from sidecar.commands.administrator import Administrator, AdministratorFault
from sidecar.commands.grants import provide_policy
from sidecar.commands.lines import Line, Word, show
from sidecar.commands.schema import provide_schema
from sidecar.core.mirror import Mirror
from sidecar.core.projection import FieldMap
from sidecar.settings import DirectusSettings, load
from sidecar.values import FieldAttributes, Token, WebhookSecrets, default_field_map


class ProvisionSettings(DirectusSettings):
    """`directus_admin_token` is needed here alone; the service never gets it."""

    directus_admin_token: Token = Field(description="An administrator's static token")
    directus_realtime: bool = Field(default=False, description="As for the service, whose token it widens")
    stripe_webhook_secret: WebhookSecrets = Field(None, description="The same")
    stripe_field_map: FieldAttributes = Field(
        default_factory=default_field_map, description="As for the service; only looked at with the former"
    )

    @property
    def mirror(self) -> Mirror:
        field_map = FieldMap(self.stripe_customer_id_field, self.stripe_field_map)
        return Mirror.of(
            field_map, collection=self.stripe_customers_collection, key_field=self.stripe_customers_primary_key
        )


def run(token_file: Path | None) -> int:
    """Give the exit code. Raises SettingsFault."""
    return show(_lines(load(ProvisionSettings), token_file))


def _lines(settings: ProvisionSettings, token_file: Path | None) -> Iterator[Line]:
    admin = Administrator(settings.directus_url, settings.directus_admin_token.get_secret_value())
    try:
        admin.require_rights()
        yield from provide_schema(admin, settings)
        mirrored = _mirrored(admin, settings) if settings.stripe_webhook_secret is not None else None
        policy = yield from provide_policy(admin, settings, realtime=settings.directus_realtime, mirrored=mirrored)
        yield from provide_account(admin, policy, settings, token_file)
    except AdministratorFault as fault:
        yield Line(Word.FAULT, str(fault))


def _mirrored(admin: Administrator, settings: ProvisionSettings) -> list[str]:
    """Name the fields that Stripe's events keep true, of those that the collection has."""
    there = {row.get("field") for row in admin.rows(f"fields/{settings.stripe_customers_collection}")}
    return [field for field in settings.mirror.fields if field in there]
