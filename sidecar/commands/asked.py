"""What `provision` finds out before it changes anything: whether Directus has what the settings name."""

from collections.abc import Mapping, Sequence

from sidecar.clients.directus.client import segment
from sidecar.commands.administrator import Administration, Row
from sidecar.commands.event_findings import collection_lines, flow_lines
from sidecar.commands.lines import Line, Word
from sidecar.core.flows.event_rules import flows_of, written
from sidecar.core.operations.rules import suggestion, unknown_fields
from sidecar.settings import OperationsSettings


def fields_of_rules(admin: Administration, settings: OperationsSettings) -> dict[str, list[Row]]:
    """Read the fields of each existing collection that decides on operations, folders left out."""
    there = [name for name in sorted(settings.collections) if admin.find(f"collections/{segment(name)}") is not None]
    fields = {name: admin.rows(f"fields/{segment(name)}") for name in there}
    return {name: rows for name, rows in fields.items() if any(map(_is_key, rows))}


def rule_lines(settings: OperationsSettings, fields: Mapping[str, Sequence[Row]]) -> list[Line]:
    """Name the collections and fields that rules name and Directus does not have.

    A missing customers collection has lines of its own, and no fields to check.
    """
    names = {name: [str(row["field"]) for row in rows] for name, rows in fields.items()}
    missing = [
        f"[{rule.operation.name}]: Directus has no collection {rule.collection}; create it, with the permissions that "
        "decide"
        for rule in settings.rules
        if rule.collection not in {*names, settings.stripe_customers_collection}
    ]
    unknown = unknown_fields(settings.rules, settings.customers_collection, settings.field_map, names)
    return [Line(Word.FAULT, f"STRIPE_OPERATIONS: {fault}") for fault in missing + unknown]


def missing_field(collection: str, fields: Sequence[Row], name: str) -> list[Line]:
    """Say that a field is not there which `link` is to read; nothing of a collection that is not there either."""
    names = [str(row["field"]) for row in fields]
    if not names or name in names:
        return []
    return [Line(Word.FAULT, f"--email-field: {collection} has no field {name}{suggestion(name, names)}")]


def event_lines(admin: Administration, settings: OperationsSettings) -> list[Line]:
    """Judge the Flows and collections of STRIPE_EVENTS."""
    rules = settings.event_rules
    there = [name for name in written(rules) if admin.find(f"collections/{segment(name)}") is not None]
    fields = {name: admin.rows(f"fields/{segment(name)}") for name in there}
    flows = admin.rows("flows", {"id": {"_in": flows_of(rules)}}) if flows_of(rules) else []
    return [*collection_lines(rules, fields), *flow_lines(rules, flows)]


def keys_of(fields: Mapping[str, Sequence[Row]], customers: str) -> dict[str, str]:
    """Give the primary keys of all these collections but the customers' own."""
    return {name: _key(rows) for name, rows in fields.items() if name != customers}


def mirrored(admin: Administration, settings: OperationsSettings) -> list[str] | None:
    """Name the existing fields of the collection that repeat Stripe's events; None without events."""
    if settings.stripe_webhook_secret is None:
        return None
    there = {row.get("field") for row in admin.rows(f"fields/{segment(settings.stripe_customers_collection)}")}
    return [field for field in settings.mirror.names if field in there]


def _key(fields: Sequence[Row]) -> str:
    return next(str(field["field"]) for field in fields if _is_key(field))


def _is_key(field: Row) -> bool:
    return bool((field.get("schema") or {}).get("is_primary_key"))
