"""A reference for what a caller sees of Stripe: read all that Directus shows it and all objects of Stripe, then filter.

It uses no code of the sidecar. `/permissions/me` says whether a caller may read; the test knows which of its
permissions have no item rule, and these give their fields in every row; the items API, with the caller's token, gives
its rows and the fields of each: a field that is null in a row counts as not shown. So every field of every row must
have a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.demo.admin import DirectusAdmin

Object = dict[str, Any]
MAPPED = {"name", "email", "phone"}  # fields with the same names as their Stripe attributes
BASE = {
    "customer": {"id", "object", "created", "livemode"},
    "payment_intent": {
        *("id", "object", "amount", "amount_received", "currency", "status", "created", "customer", "livemode"),
    },
}


@dataclass(frozen=True, slots=True)
class VisibleFields:
    """The fields a caller sees: `by_customer` those of its row, and `everywhere` for all other customers.

    None: it sees no other customer.
    """

    everywhere: set[str] | None
    by_customer: Mapping[str, set[str]]

    def of(self, customer: str | None) -> set[str] | None:
        return self.by_customer.get(customer or "", self.everywhere)


async def visible_fields(
    directus: DirectusAdmin, collection: str, id_field: str, unruled: set[str]
) -> VisibleFields | None:
    """Ask Directus with the caller's token; None means that the caller must be refused.

    `unruled` are the fields of its permissions to read that have no item rule.
    """
    permissions = (await directus.request("GET", "/permissions/me")).get(collection, {})
    read, written = _fields(permissions, "read"), _fields(permissions, "create") | _fields(permissions, "update")
    if not read:
        return None
    if permissions["read"]["access"] == "full":
        return VisibleFields(read, {})
    whole = bool(unruled & {id_field, "*"})
    if not whole and (not read & {id_field, "*"} or written & {id_field, "*"}):
        return None
    rows = await directus.request("GET", f"/items/{collection}?limit=-1")
    by_customer = {row[id_field]: _shown(row, read) | unruled for row in rows if row.get(id_field)}
    return VisibleFields(unruled if whole else None, by_customer)


def seen(entry: Object, fields: set[str], id_field: str) -> Object:
    """Reduce an object of Stripe to the attributes of these fields."""
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
