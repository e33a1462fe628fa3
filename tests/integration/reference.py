"""What a caller may see of Stripe, worked out the plain way: read all that Directus shows it and all that Stripe has.

Knows nothing of the sidecar. Whether a caller is held to its rows is read from `/permissions/me`; which rows those
are, and which fields of each, from the items API with the caller's token: a field that a row shows as null is not
shown. So every field of every row must hold something.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.demo.admin import DirectusAdmin

Object = dict[str, Any]
MAPPED = {"name", "email", "phone"}  # fields that bear the names of the Stripe attributes they stand for
BASE = {
    "customer": {"id", "object", "created", "livemode"},
    "payment_intent": {
        *("id", "object", "amount", "amount_received", "currency", "status", "created", "customer", "livemode"),
    },
}


@dataclass(frozen=True, slots=True)
class Sight:
    """The fields a caller sees: the same `everywhere`, or `by_customer` those of its row."""

    everywhere: set[str] | None
    by_customer: Mapping[str, set[str]]

    def of(self, customer: str | None) -> set[str] | None:
        return self.by_customer.get(customer or "") if self.everywhere is None else self.everywhere


async def sight(directus: DirectusAdmin, collection: str, id_field: str) -> Sight | None:
    """Ask Directus with the caller's token; None is a caller who is to be refused."""
    permissions = (await directus.request("GET", "/permissions/me")).get(collection, {})
    read, written = _fields(permissions, "read"), _fields(permissions, "create") | _fields(permissions, "update")
    if not read:
        return None
    if permissions["read"]["access"] == "full":
        return Sight(read, {})
    if not read & {id_field, "*"} or written & {id_field, "*"}:
        return None
    rows = await directus.request("GET", f"/items/{collection}?limit=-1")
    return Sight(None, {row[id_field]: _shown(row, read) for row in rows if row.get(id_field)})


def seen(entry: Object, fields: set[str], id_field: str) -> Object:
    """Reduce an object of Stripe to what these fields stand for."""
    names = set(entry) if "*" in fields else BASE[entry["object"]] | (fields & MAPPED)
    if not fields & {id_field, "*"}:
        names -= {"id"} if entry["object"] == "customer" else {"customer"}
    return {name: value for name, value in entry.items() if name in names - {"client_secret"}}


async def whole_list(stripe: str, key: str, path: str) -> list[Object]:
    async with (
        aiohttp.ClientSession(stripe, headers={"Authorization": f"Bearer {key}"}) as session,
        session.get(path, params={"limit": "100"}, raise_for_status=True) as answer,
    ):
        page = await answer.json()
    assert not page["has_more"], "more than the reference can read"
    data: list[Object] = page["data"]
    return data


def _fields(permissions: Mapping[str, Any], action: str) -> set[str]:
    return set(permissions.get(action, {}).get("fields") or ())


def _shown(row: Object, read: set[str]) -> set[str]:
    shown = {name for name, value in row.items() if value is not None}
    return {"*"} if "*" in read and len(shown) == len(row) else shown
