"""Checks that the customers collection can hold customers: a list of items, their primary key, a field for IDs."""

from collections.abc import Collection
from http import HTTPStatus

from sidecar.clients.directus.client import collection_path, segment
from sidecar.commands.check_fields import Ask
from sidecar.commands.columns import EMPTY_TEXT, empty_is_text, has_default, points_elsewhere
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.operations.rules import suggestion
from sidecar.settings import Settings

_MOST_NAMED = 3
_MOST_ASKED = 20
_NONE: frozenset[str] = frozenset()
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


async def missing_field_line(settings: Settings, ask: Ask, shown: Collection[str]) -> Line | None:
    """Judge the ID field, on which everything else depends; `shown` are the fields that the token may read."""
    name = settings.stripe_customer_id_field
    if isinstance(await _field(settings, name, ask), dict):
        return None
    return Line(
        Word.FAULT,
        f"{settings.stripe_customers_collection}.{name} {_UNSEEN}{suggestion(name, shown) or '.'} Correct "
        "STRIPE_CUSTOMER_ID_FIELD if it is misspelt; otherwise run `provision`, which makes it and lets the token read "
        "it",
    )


async def id_field_line(settings: Settings, ask: Ask) -> Line:
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
            return Line(Word.FAULT, f"{where} is not described by Directus as a field with a column: look at it there")


async def key_line(settings: Settings, ask: Ask, shown: Collection[str]) -> Line:
    """`shown` are the fields that the token may read; the primary key is looked for among a few of them."""
    collection, name = settings.stripe_customers_collection, settings.stripe_customers_primary_key
    if await _is_key(settings, name, ask):
        return Line(Word.OK, f"{collection}.{name} is the primary key")
    mend = "or the service token may not read it: correct STRIPE_CUSTOMERS_PRIMARY_KEY, then run `provision`"
    for other in sorted(shown)[:_MOST_ASKED]:
        if await _is_key(settings, other, ask):
            mend = f"it is {other}: set STRIPE_CUSTOMERS_PRIMARY_KEY={other}"
    return Line(Word.FAULT, f"{collection}.{name} is not the primary key, {mend}")


async def _is_key(settings: Settings, name: str, ask: Ask) -> bool:
    match await _field(settings, name, ask):
        case {"schema": {"is_primary_key": True}}:
            return True
        case _:
            return False


async def shown_fields(settings: Settings, permissions: Permissions, ask: Ask) -> frozenset[str]:
    """Give the fields that the token may read: by its permissions, or by Directus's list where it may read all."""
    collection = settings.stripe_customers_collection
    fields = permissions.grant(collection, Action.READ).fields
    if not fields.unrestricted:
        return fields.names
    rows = (await ask(f"/fields/{segment(collection)}", None)).data
    return (
        frozenset(str(row.get("field")) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else _NONE
    )


async def _field(settings: Settings, name: str, ask: Ask) -> object:
    return (await ask(f"/fields/{segment(settings.stripe_customers_collection)}/{segment(name)}", None)).data
