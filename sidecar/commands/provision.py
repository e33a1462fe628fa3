"""``provision``: prepare a Directus for the sidecar. What is as it should be is left alone, so it may run again."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import Field, field_validator

from sidecar.commands.account import provide_account
from sidecar.commands.administrator import Administrator, AdministratorFault, Row
from sidecar.commands.grants import provide_policy
from sidecar.commands.lines import Line, Word, show
from sidecar.commands.rights import needed
from sidecar.commands.schema import provide_schema
from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.follow_customer import Mirror
from sidecar.core.operations.rules import Rule, RulesFault, parse_rules
from sidecar.settings import DirectusSettings, load
from sidecar.settings.types import FieldAttributes, Token, WebhookSecrets, default_field_map


class ProvisionSettings(DirectusSettings):
    """`directus_admin_token` is needed here alone; the service never gets it."""

    directus_admin_token: Token = Field(description="An administrator's static token")
    directus_realtime: bool = Field(default=False, description="As for the service, whose token it widens")
    stripe_webhook_secret: WebhookSecrets = Field(None, description="The same")
    stripe_field_map: FieldAttributes = Field(
        default_factory=default_field_map, description="As for the service; only looked at with the former"
    )
    stripe_operations: Path | None = Field(None, description="As for the service, whose token sees what it names")

    @field_validator("stripe_operations")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError("the file cannot be read")
        return path

    @property
    def rules(self) -> tuple[Rule, ...]:
        if self.stripe_operations is None:
            return ()
        text = self.stripe_operations.read_text("utf-8")
        return parse_rules(text, self.customers_collection, FieldMap(self.stripe_field_map))

    @property
    def mirror(self) -> Mirror:
        return Mirror.of(FieldMap(self.stripe_field_map), self.customers_collection)


def run(token_file: Path | None) -> int:
    """Give the exit code. Raises SettingsFault."""
    return show(_lines(load(ProvisionSettings), token_file))


def _lines(settings: ProvisionSettings, token_file: Path | None) -> Iterator[Line]:
    admin = Administrator(settings.directus_url, settings.directus_admin_token.get_secret_value())
    try:
        admin.require_rights()
        yield from provide_schema(admin, settings)
        mirrored = _mirrored(admin, settings) if settings.stripe_webhook_secret is not None else None
        keys = _keys(admin, settings)
        rights = needed(settings, realtime=settings.directus_realtime, mirrored=mirrored, keys=keys)
        policy = yield from provide_policy(admin, settings, rights)
        yield from provide_account(admin, policy, settings, token_file)
    except AdministratorFault as fault:
        yield Line(Word.FAULT, str(fault))
    except RulesFault as fault:
        for line in fault.faults:
            yield Line(Word.FAULT, f"STRIPE_OPERATIONS: {line}")


def _keys(admin: Administrator, settings: ProvisionSettings) -> dict[str, str]:
    """Find the primary key of each collection that STRIPE_OPERATIONS names.

    Raises AdministratorFault for one that is not there, and RulesFault.
    """
    others = {
        rule.collection: rule for rule in settings.rules if rule.collection != settings.stripe_customers_collection
    }
    for name, rule in others.items():
        if admin.find(f"collections/{name}") is None:
            raise AdministratorFault(
                f"STRIPE_OPERATIONS: line {rule.line}, [{rule.operation.name}]: Directus has no collection {name}; "
                "create it, with whatever permissions shall decide"
            )
    return {name: _key(admin.rows(f"fields/{name}")) for name in others}


def _key(fields: Iterable[Row]) -> str:
    return next(str(field["field"]) for field in fields if (field.get("schema") or {}).get("is_primary_key"))


def _mirrored(admin: Administrator, settings: ProvisionSettings) -> list[str]:
    """Name the fields that Stripe's events keep true, of those that the collection has."""
    there = {row.get("field") for row in admin.rows(f"fields/{settings.stripe_customers_collection}")}
    return [field for field in settings.mirror.fields if field in there]
