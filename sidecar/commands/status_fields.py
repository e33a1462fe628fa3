"""The fields that repeat what belongs to a customer: missing ones are created, and a default is taken away."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sidecar.clients.directus.client import segment
from sidecar.commands.administrator import Administration, Row
from sidecar.commands.columns import has_default, unfit
from sidecar.commands.lines import Line, Word
from sidecar.core.status.field_values import FITTING
from sidecar.core.status.sources import Source
from sidecar.settings import OperationsSettings

# How Directus's app shows and stores the types that are more than a text (its guide, "Fields").
_META: Mapping[str, Row] = MappingProxyType(
    {
        "boolean": {"interface": "boolean", "special": ["cast-boolean"]},
        "json": {"interface": "tags", "special": ["cast-json"]},
        "timestamp": {"interface": "datetime"},
    }
)


def provide_status_fields(admin: Administration, settings: OperationsSettings) -> Iterator[Line]:
    collection = settings.stripe_customers_collection
    there = {str(row["field"]): row for row in admin.rows(f"fields/{segment(collection)}")}
    for name, source in settings.mirror.sources.items():
        yield _provide(admin, collection, name, source, there.get(name))


def _provide(admin: Administration, collection: str, name: str, source: Source, found: Row | None) -> Line:
    if found is None:
        new = _new(name, source)
        admin.create(f"fields/{segment(collection)}", new)
        return Line(Word.CREATED, f"field {collection}.{name}: {new['type']}, read-only in the app, for {source.name}")
    if has_default(found.get("schema") or {}):
        admin.change(f"fields/{segment(collection)}/{segment(name)}", {"schema": {"default_value": None}})
        return Line(Word.CHANGED, f"field {collection}.{name}: now without a default")
    for fault in unfit(found, source):
        return Line(Word.FAULT, f"{collection}.{name} {fault}")
    return Line(Word.UNCHANGED, f"field {collection}.{name}")


def _new(name: str, source: Source) -> Row:
    kind = FITTING[source.type][0]
    meta = {
        "interface": "input",
        "readonly": True,
        "width": "half",
        "note": f"Stripe's {source.name}. The Stripe sidecar keeps it true; nobody else should write here.",
    }
    return {"field": name, "type": kind, "meta": {**meta, **_META.get(kind, {})}, "schema": {"is_nullable": True}}
