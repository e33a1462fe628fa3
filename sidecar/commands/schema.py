"""The collection and its fields. Existing ones stay; only what the sidecar needs of them is mended."""

from collections.abc import Iterator

from sidecar.clients.directus.client import segment
from sidecar.commands.administrator import Administration, AdministratorFault, Row
from sidecar.commands.columns import EMPTY_TEXT, empty_is_text, has_default, points_elsewhere
from sidecar.commands.lines import Line, Word
from sidecar.core.operations.rules import suggestion
from sidecar.settings import DirectusSettings

_MENDED = {"default_value": "without a default"}
_WRITTEN = ("name", "email")  # the fields that the service fills in an item that it creates


def provide_schema(admin: Administration, settings: DirectusSettings, *, create: bool) -> Iterator[Line]:
    """Mend the ID field of the collection, or with `create` make a missing collection.

    Raises AdministratorFault if there is none, or if what exists cannot be used.
    """
    collection = settings.stripe_customers_collection
    there = admin.find(f"collections/{segment(collection)}")
    if there is None and not create:
        raise AdministratorFault(
            f"Directus has no collection {collection}{_similar(admin, collection) or '.'} Correct "
            "STRIPE_CUSTOMERS_COLLECTION, or have this collection made with --create-collection."
        )
    if there is None:
        admin.create("collections", _new_collection(settings))
        yield Line(Word.CREATED, f"collection {collection}, with its field {settings.stripe_customer_id_field}")
        return
    if (there.get("meta") or {}).get("singleton"):
        raise AdministratorFault(
            f"{collection} is a singleton: it has one item, so it cannot hold customers. Turn that off in Directus, or "
            "name another collection in STRIPE_CUSTOMERS_COLLECTION."
        )
    yield Line(Word.UNCHANGED, f"collection {collection}")
    fields = {str(field["field"]): field for field in admin.rows(f"fields/{segment(collection)}")}
    _require_key(fields, settings)
    found = fields.get(settings.stripe_customer_id_field)
    if found is None and (meant := suggestion(settings.stripe_customer_id_field, fields)):
        yield Line(Word.NOTE, f"{collection} has no field {settings.stripe_customer_id_field} yet{meant}")
    yield _provide_id_field(admin, found, settings)
    if found is not None and empty_is_text(found.get("schema") or {}):
        yield Line(Word.NOTE, EMPTY_TEXT.format(where=f"{collection}.{settings.stripe_customer_id_field}"))
    for name in _WRITTEN:
        if name not in fields:
            yield Line(
                Word.NOTE,
                f'{collection} has no field "{name}": to create items with their customers, name in STRIPE_FIELD_MAP '
                f"the field for Stripe's {name}",
            )


def _similar(admin: Administration, collection: str) -> str:
    """Ask whether another collection was meant; a folder has no table."""
    return suggestion(collection, [str(row["collection"]) for row in admin.rows("collections") if row.get("schema")])


def _new_collection(settings: DirectusSettings) -> Row:
    key = {
        "field": settings.stripe_customers_primary_key,
        "type": "integer",
        "meta": {"hidden": True, "readonly": True},
        "schema": {"is_primary_key": True, "has_auto_increment": True},
    }
    written = [
        {"field": name, "type": "string", "meta": {"interface": "input", "width": "half"}, "schema": {}}
        for name in _WRITTEN
    ]
    meta = {
        "icon": "account_circle",
        "note": "Customers. A permission to read or create these counts in Stripe too.",
    }
    return {
        "collection": settings.stripe_customers_collection,
        "meta": meta,
        "schema": {},
        "fields": [key, *written, _new_id_field(settings)],
    }


def _new_id_field(settings: DirectusSettings) -> Row:
    return {
        "field": settings.stripe_customer_id_field,
        "type": "string",
        "meta": {
            "interface": "input",
            "readonly": True,
            "note": "Stripe's ID of this customer. The Stripe sidecar fills it in, once.",
        },
        "schema": {"is_unique": True, "is_nullable": True, "max_length": 255},
    }


def _require_key(fields: dict[str, Row], settings: DirectusSettings) -> None:
    keys = [name for name, field in fields.items() if (field.get("schema") or {}).get("is_primary_key")]
    if keys != [settings.stripe_customers_primary_key]:
        there = f'"{keys[0]}"' if keys else "not there: it is a folder"
        raise AdministratorFault(
            f"The primary key of {settings.stripe_customers_collection} is {there}. "
            "Set STRIPE_CUSTOMERS_PRIMARY_KEY or STRIPE_CUSTOMERS_COLLECTION accordingly."
        )


def _provide_id_field(admin: Administration, field: Row | None, settings: DirectusSettings) -> Line:
    collection, name = settings.stripe_customers_collection, settings.stripe_customer_id_field
    if field is None:
        admin.create(f"fields/{segment(collection)}", _new_id_field(settings))
        return Line(Word.CREATED, f"field {collection}.{name}: string, unique, read-only in the app")
    schema, meta = field.get("schema") or {}, field.get("meta") or {}
    if points_elsewhere(field):
        raise AdministratorFault(
            f"{collection}.{name} holds no value of its own, but leads to other items: it cannot contain Stripe's IDs. "
            "Name a field for texts in STRIPE_CUSTOMER_ID_FIELD; one that is not there yet is made."
        )
    if field.get("type") != "string" or schema.get("is_primary_key"):
        raise AdministratorFault(
            f"{collection}.{name} cannot contain Stripe's IDs: it must be a string and not the primary key. "
            "Name another field in STRIPE_CUSTOMER_ID_FIELD."
        )
    wanted = () if empty_is_text(schema) else ("is_unique", "is_nullable")
    default = {"default_value": None} if has_default(schema) else {}
    lacking: Row = {
        "schema": {**{n: True for n in wanted if schema.get(n) is not True}, **default},
        "meta": {n: True for n in ("readonly",) if meta.get(n) is not True},
    }
    mended = [_MENDED.get(word, word.removeprefix("is_")) for part in lacking.values() for word in part]
    if not mended:
        return Line(Word.UNCHANGED, f"field {collection}.{name}")
    admin.change(
        f"fields/{segment(collection)}/{segment(name)}", {part: values for part, values in lacking.items() if values}
    )
    return Line(Word.CHANGED, f"field {collection}.{name}: now {', '.join(mended)}")
