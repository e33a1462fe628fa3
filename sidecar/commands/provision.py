"""``provision``: prepare a Directus for the sidecar. It changes only what is missing or wrong, so it may run again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from sidecar.clients.directus import project
from sidecar.clients.directus.client import segment
from sidecar.clients.directus.server_info import NO_LISTS
from sidecar.commands import own_secret
from sidecar.commands.account import provide_account
from sidecar.commands.administrator import Administrator, AdministratorFault, Row
from sidecar.commands.check_server import NO_LICENSE, version_line
from sidecar.commands.event_findings import collection_lines, flow_lines
from sidecar.commands.grants import provide_policy
from sidecar.commands.lines import Line, Word, show
from sidecar.commands.own_secret import provide_secret
from sidecar.commands.rights import needed
from sidecar.commands.schema import provide_schema
from sidecar.commands.status_fields import provide_status_fields
from sidecar.core.flows.event_rules import flows_of, written
from sidecar.core.operations.rules import unknown_fields
from sidecar.settings import OperationsSettings, load
from sidecar.settings.secret_types import Token

NO_PROJECT = "this Directus has no project_id, as before version 11.9: name it by DIRECTUS_PROJECT"


class ProvisionSettings(OperationsSettings):
    """`directus_admin_token` is a setting of this command only; the service never gets it."""

    directus_admin_token: Token = Field(description="An administrator's static token")


@dataclass(frozen=True, slots=True)
class Files:
    """Where new secrets go; None is standard output."""

    token: Path | None = None
    secret: Path | None = None

    @classmethod
    def of(cls, token: Path | None, secret: Path | None) -> "Files":
        """Put the secret beside the token where nothing else was said."""
        return cls(token, token.with_name(own_secret.NAME) if token is not None and secret is None else secret)


def run(token_file: Path | None, secret_file: Path | None) -> int:
    """Give the exit code. Raises SettingsFault."""
    return show(_lines(load(ProvisionSettings), Files.of(token_file, secret_file)))


def _lines(settings: ProvisionSettings, files: Files) -> Iterator[Line]:
    """Check the collections and fields that rules name before anything is changed."""
    admin = Administrator(settings.directus_url, settings.directus_admin_token.get_secret_value())
    try:
        admin.require_rights()
        info = admin.info()
        if info.too_old:
            yield version_line(info)
            return
        if info.gives_no_list:
            yield Line(Word.FAULT, NO_LISTS)
            return
        fields = _fields(admin, settings)
        faults = _rule_faults(settings, fields)
        found = [Line(Word.FAULT, f"STRIPE_OPERATIONS: {fault}") for fault in faults] + _event_lines(admin, settings)
        yield from found
        if any(line.word is Word.FAULT for line in found):
            return
        if not admin.may_limit_permissions(info):
            yield from _without_license(admin, settings, files)
            return
        yield from provide_schema(admin, settings)
        yield from provide_status_fields(admin, settings)
        mirrored = _mirrored(admin, settings) if settings.stripe_webhook_secret is not None else None
        keys = {name: _key(rows) for name, rows in fields.items() if name != settings.stripe_customers_collection}
        has_id = admin.find(f"fields/{project.COLLECTION}/{project.FIELD}") is not None
        rights = needed(settings, realtime=settings.directus_realtime, mirrored=mirrored, keys=keys, identity=has_id)
        policy = yield from provide_policy(admin, settings, rights)
        new = yield from provide_account(admin, policy, settings, files.token)
        yield provide_secret(files.secret, new_service=new)
        if not has_id:
            yield Line(Word.NOTE, NO_PROJECT)
    except AdministratorFault as fault:
        yield Line(Word.FAULT, str(fault))


def _without_license(admin: Administrator, settings: ProvisionSettings, files: Files) -> Iterator[Line]:
    """Prepare what works; a missing service token is a fault only if something was asked for that needs it."""
    yield Line(Word.NOTE, NO_LICENSE)
    yield from provide_schema(admin, settings)
    if files.secret is not None:
        yield provide_secret(files.secret, new_service=False)
    wanting = {
        "--token-file": files.token is not None,
        "DIRECTUS_REALTIME": settings.directus_realtime,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret is not None,
    }
    asked = " and ".join(name for name, wants in wanting.items() if wants)
    missing = f'no policy "{settings.customers_collection.service_policy}" and no token: they need a license'
    yield Line(Word.FAULT, f"{missing}, and so does {asked}") if asked else Line(Word.NOTE, missing)


def _fields(admin: Administrator, settings: ProvisionSettings) -> dict[str, list[Row]]:
    """Read the fields of each existing collection that decides on operations, folders left out."""
    there = [name for name in sorted(settings.collections) if admin.find(f"collections/{segment(name)}") is not None]
    fields = {name: admin.rows(f"fields/{segment(name)}") for name in there}
    return {name: rows for name, rows in fields.items() if any(map(_is_key, rows))}


def _rule_faults(settings: ProvisionSettings, fields: Mapping[str, Sequence[Row]]) -> list[str]:
    """Name the collections and fields that rules name and Directus does not have.

    A missing customers collection is created later, so it is no fault and has no fields to check.
    """
    names = {name: [str(row["field"]) for row in rows] for name, rows in fields.items()}
    missing = [
        f"[{rule.operation.name}]: Directus has no collection {rule.collection}; create it, with the permissions that "
        "decide"
        for rule in settings.rules
        if rule.collection not in {*names, settings.stripe_customers_collection}
    ]
    return missing + unknown_fields(settings.rules, settings.customers_collection, settings.field_map, names)


def _event_lines(admin: Administrator, settings: ProvisionSettings) -> list[Line]:
    """Judge the Flows and collections of STRIPE_EVENTS before anything is changed."""
    rules = settings.event_rules
    there = [name for name in written(rules) if admin.find(f"collections/{segment(name)}") is not None]
    fields = {name: admin.rows(f"fields/{segment(name)}") for name in there}
    flows = admin.rows("flows", {"id": {"_in": flows_of(rules)}}) if flows_of(rules) else []
    return [*collection_lines(rules, fields), *flow_lines(rules, flows)]


def _key(fields: Sequence[Row]) -> str:
    return next(str(field["field"]) for field in fields if _is_key(field))


def _is_key(field: Row) -> bool:
    return bool((field.get("schema") or {}).get("is_primary_key"))


def _mirrored(admin: Administrator, settings: ProvisionSettings) -> list[str]:
    """Name the existing fields of the collection that repeat Stripe's events."""
    there = {row.get("field") for row in admin.rows(f"fields/{segment(settings.stripe_customers_collection)}")}
    return [field for field in settings.mirror.names if field in there]
