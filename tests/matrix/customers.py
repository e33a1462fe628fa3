"""The customers collection, made before `provision` runs: for other keys than it makes, or where it cannot run."""

from typing import Any

from deploy.demo.admin import DirectusAdmin
from deploy.demo.people import COLLECTION

ID = "stripe_customer_id"
_Field = dict[str, Any]
_TEXTS: list[_Field] = [{"field": name, "type": "string", "schema": {}} for name in ("name", "email")]
_NUMBER = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}}
_UUID = {"field": "id", "type": "uuid", "meta": {"special": ["uuid"]}, "schema": {"is_primary_key": True}}
_ID_FIELD = {"field": ID, "type": "string", "schema": {"is_unique": True, "is_nullable": True}}


async def with_uuids(admin: DirectusAdmin) -> None:
    """Leave the ID field to `provision`."""
    await _create(admin, [_UUID, *_TEXTS])


async def whole(admin: DirectusAdmin) -> None:
    await _create(admin, [_NUMBER, *_TEXTS, _ID_FIELD])


async def _create(admin: DirectusAdmin, fields: list[_Field]) -> None:
    body = {"collection": COLLECTION, "schema": {}, "meta": {}, "fields": fields}
    await admin.request("POST", "/collections", body)
