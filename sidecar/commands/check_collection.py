"""Checks that the customers collection can hold customers: a list of items, their primary key, a field for IDs."""

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus

from sidecar.clients.directus.client import collection_path, segment
from sidecar.commands.check_fields import Ask
from sidecar.commands.columns import EMPTY_TEXT, empty_is_text, has_default, points_elsewhere
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Permissions
from sidecar.core.operations.rules import suggestion
from sidecar.settings import Settings

_MOST_NAMED = 3
_UNSEEN = "is not there, or the service token may not read it"


def missing_line(collection: str, permissions: Permissions) -> Line:
    """`permissions` are all of the token's: it often has those on the collection that is meant."""
    seen = sorted({name for name, _ in permissions.grants if not name.startswith("directus_")})
    others = f"; it may read {', '.join(seen[:_MOST_NAMED])}." if seen else "."
    return Line(
        Word.FAULT,
        f"{collection} {_UNSEEN}{suggestion(collection, seen) or others} Correct STRIPE_CUSTOMERS_COLLECTION if it is "
        "misspelt; for a collection that is there, run `provision`, which lets the token read it (`provision "
        "--create-collection` makes a new one)",
    )


async def singleton_line(settings: Settings, ask: Ask) -> Line | None:
    """A token as `provision` makes it does not see the setting, but of a singleton Directus gives one item."""
    collection = settings.stripe_customers_collection
    path = f"{collection_path(collection)}?fields={segment(settings.stripe_customers_primary_key)}&limit=1"
    answer = await ask(path, None)
    if answer.status != HTTPStatus.OK or not isinstance(answer.data, dict):
        return None
    return Line(
        Word.FAULT,
        f"{collection} is a singleton, which has one item and cannot hold customers: turn that off in Directus, or "
        "correct STRIPE_CUSTOMERS_COLLECTION",
    )


async def id_field_line(settings: Settings, ask: Ask, shown: Collection[str]) -> Line:
    """`shown` are the fields of the collection that Directus shows to the token."""
    where = f"{settings.stripe_customers_collection}.{settings.stripe_customer_id_field}"
    field = await _field(settings, settings.stripe_customer_id_field, ask)
    match field:
        case dict() if points_elsewhere(field):
            return Line(
                Word.FAULT,
                f"{where} leads to other items and cannot contain an ID: name a field for texts in "
                "STRIPE_CUSTOMER_ID_FIELD",
            )
        case {"type": "string", "schema": dict(schema)} if has_default(schema):
            return Line(
                Word.FAULT,
                f"{where} has a default, which each new item gets and which is no ID: run `provision`, or take the "
                "default away in Directus",
            )
        case {"type": "string", "schema": {"is_unique": True, "is_nullable": True}}:
            return Line(Word.OK, f"{where} is there, and unique")
        case {"type": "string", "schema": dict(schema)} if empty_is_text(schema):
            return Line(Word.NOTE, EMPTY_TEXT.format(where=where))
        case {"type": kind, "schema": {"is_unique": unique, "is_nullable": nullable}}:
            wanted = {"a string": kind == "string", "unique": unique, "nullable": nullable}
            lacking = ", ".join(word for word, there in wanted.items() if there is not True)
            return Line(Word.FAULT, f"{where} is not {lacking}: run `provision`, or correct STRIPE_CUSTOMER_ID_FIELD")
        case _:
            similar = suggestion(settings.stripe_customer_id_field, shown) or "."
            return Line(
                Word.FAULT,
                f"{where} {_UNSEEN}{similar} Correct STRIPE_CUSTOMER_ID_FIELD if it is misspelt; "
                "otherwise run `provision`, which makes it and lets the token read it",
            )


async def key_line(settings: Settings, ask: Ask, fields: Sequence[Mapping[str, object]]) -> Line:
    """`fields` are those of the collection that Directus shows to the token."""
    where = f"{settings.stripe_customers_collection}.{settings.stripe_customers_primary_key}"
    match await _field(settings, settings.stripe_customers_primary_key, ask):
        case {"schema": {"is_primary_key": True}}:
            return Line(Word.OK, f"{where} is the primary key")
    keys = [field.get("field") for field in fields if _is_key(field)]
    mend = (
        f"it is {keys[0]}: set STRIPE_CUSTOMERS_PRIMARY_KEY={keys[0]}"
        if keys
        else "or the service token may not read it: correct STRIPE_CUSTOMERS_PRIMARY_KEY, then run `provision`"
    )
    return Line(Word.FAULT, f"{where} is not the primary key, {mend}")


def _is_key(field: Mapping[str, object]) -> bool:
    match field:
        case {"schema": {"is_primary_key": True}}:
            return True
        case _:
            return False


async def shown_fields(settings: Settings, ask: Ask) -> list[Mapping[str, object]]:
    rows = (await ask(f"/fields/{segment(settings.stripe_customers_collection)}", None)).data
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


async def _field(settings: Settings, name: str, ask: Ask) -> object:
    return (await ask(f"/fields/{segment(settings.stripe_customers_collection)}/{segment(name)}", None)).data
