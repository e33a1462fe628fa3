"""A double of Directus: the permissions of its users, and the items of one collection.

Shapes, statuses and codes were observed in Directus 11.17. The double has one item rule: a `partial` grant covers the
items with the user as `owner`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from itertools import count

from aiohttp import web

from tests.doubles.server import Double

Row = dict[str, object]
Grant = Mapping[str, object]
Payload = dict[str, dict[str, Grant]]

_MESSAGES = {
    "FORBIDDEN": "You don't have permission to access this.",
    "INVALID_CREDENTIALS": "Invalid user credentials.",
    "INVALID_PAYLOAD": "Invalid payload. The request carries two tokens.",
    "INVALID_TOKEN": "Invalid token.",
    "RECORD_NOT_UNIQUE": "Value for this field has to be unique.",
    "TOKEN_EXPIRED": "Token expired.",
}
_STATUSES = {"INVALID_CREDENTIALS": 401, "TOKEN_EXPIRED": 401, "INVALID_PAYLOAD": 400, "RECORD_NOT_UNIQUE": 400}
_EMPTINESS: Mapping[str, tuple[object, ...]] = {
    "_null": (None,),
    "_nnull": (None,),
    "_empty": (None, ""),
    "_nempty": (None, ""),
}
_ACTIONS = ("create", "read", "update", "delete", "share")


def full(*fields: str) -> Grant:
    return {"access": "full", "fields": list(fields or ("*",))}


def partial(*fields: str) -> Grant:
    return {"access": "partial", "fields": list(fields or ("*",))}


def grants(collection: str = "customers", **actions: Grant) -> Payload:
    """Permissions on one collection; an action that is not granted has no `fields`, as in Directus."""
    return {collection: {action: actions.get(action, {"access": "none"}) for action in _ACTIONS}}


@dataclass(slots=True)
class User:
    """`refused` is the error code for this user's token; `ip_access` contains the networks that its policy accepts."""

    name: str
    token: str
    permissions: Payload = field(default_factory=dict)
    refused: str | None = None
    ip_access: Sequence[str] = ()


class Refusal(web.HTTPException):
    def __init__(self, code: str) -> None:
        self.status_code = _STATUSES.get(code, 403)
        error = {"message": _MESSAGES[code], "extensions": {"code": code}}
        super().__init__(text=json.dumps({"errors": [error]}), content_type="application/json")


class DirectusDouble(Double):
    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, User] = {}
        self.rows: dict[str, dict[str, Row]] = {"customers": {}}
        self.address_header = "X-Forwarded-For"
        self.unique = {"stripe_customer_id"}
        self._keys = count(1)

    def add_users(self, users: Iterable[User]) -> None:
        self.users.update({user.token: user for user in users})

    def add_row(self, collection: str = "customers", /, **values: object) -> Row:
        """Store an item without a request; its key is a new number unless `id` is given."""
        row: Row = {"id": next(self._keys), "owner": None, "stripe_customer_id": None, **values}
        self.rows.setdefault(collection, {})[str(row["id"])] = row
        return row

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [
            web.get("/permissions/me", self._permissions),
            web.get("/permissions/me/{collection}/{key}", self._item_permissions),
            web.get("/users/me", self._me),
            *_item_routes("/items/{collection}", self),
            *_item_routes("/users", self),
        ]

    async def _permissions(self, request: web.Request) -> web.Response:
        return _data(self._permissions_of(self._user(request), request))

    async def _me(self, request: web.Request) -> web.Response:
        """Give the ID of a token's user, which Directus tells without any permission on users."""
        return _data({"id": self._known_user(request).name})

    async def _item_permissions(self, request: web.Request) -> web.Response:
        user = self._known_user(request)
        row = self._rows(request.match_info["collection"]).get(request.match_info["key"])
        allowed = {
            action: {"access": row is not None and self._may(request, user, action, row)}
            for action in ("update", "delete", "share")
        }
        return _data(allowed)

    async def read_one(self, request: web.Request) -> web.Response:
        user = self._known_user(request)
        row = self._rows(_collection(request)).get(request.match_info["key"])
        if row is None or not self._may(request, user, "read", row):
            raise Refusal("FORBIDDEN")
        return _data(self._shown(request, user, row, request.query.get("fields", "*").split(",")))

    async def read_many(self, request: web.Request) -> web.Response:
        fields = request.query.get("fields", "*").split(",")
        limit, page = int(request.query.get("limit", "100")), int(request.query.get("page", "1"))
        sort = request.query.get("sort", "id")
        return self._read_many(request, _filter_of(request.query), fields, sort, (limit, page))

    async def search(self, request: web.Request) -> web.Response:
        """Search with the query in the body (Directus API reference, "SEARCH HTTP method")."""
        query = (await request.json())["query"]
        [sort] = query.get("sort", ["id"])
        place = query.get("limit", 100), query.get("page", 1)
        return self._read_many(request, query.get("filter", {}), query.get("fields", ["*"]), sort, place)

    def _read_many(
        self,
        request: web.Request,
        wanted: Mapping[str, object],
        fields: Sequence[str],
        sort: str,
        place: tuple[int, int],
    ) -> web.Response:
        user = self._known_user(request)
        if not self._granted(request, user, "read"):
            raise Refusal("FORBIDDEN")
        rows = [row for row in self._rows(_collection(request)).values() if self._may(request, user, "read", row)]
        limit, page = place
        found = [row for row in rows if _matches(row, wanted)]
        found.sort(key=lambda row: str(row.get(sort)))
        found = found if limit < 0 else found[(page - 1) * limit : page * limit]
        return _data([self._shown(request, user, row, fields) for row in found])

    async def create(self, request: web.Request) -> web.Response:
        """A creator without read access gets 204 and no key."""
        user, values = self._known_user(request), await request.json()
        if not self._fields_allowed(request, user, "create", values):
            raise Refusal("FORBIDDEN")
        self._refuse_double(_collection(request), values, ())
        row = self.add_row(_collection(request), **{"owner": user.name, **values})
        if not self._may(request, user, "read", row):
            return web.Response(status=204)
        return _data(self._shown(request, user, row, ["*"]))

    async def update_many(self, request: web.Request) -> web.Response:
        """Change the items that a filter finds: filtering needs read access, each change update access."""
        user, change = self._known_user(request), await request.json()
        rows = [row for row in self._rows(_collection(request)).values() if _matches(row, change["query"]["filter"])]
        allowed = self._fields_allowed(request, user, "update", change["data"])
        if not allowed or not all(self._may(request, user, "update", row) for row in rows):
            raise Refusal("FORBIDDEN")
        if rows:
            self._refuse_double(_collection(request), change["data"], rows)
        for row in rows:
            row.update(change["data"])
        if not self._granted(request, user, "read"):
            return web.Response(status=204)
        fields = change["query"].get("fields", ["*"])
        shown = [row for row in rows if self._may(request, user, "read", row)]
        return _data([self._shown(request, user, row, fields) for row in shown])

    def _user(self, request: web.Request) -> User | None:
        """Find the user of a request. Raises the refusal of a bad token; None is the public role."""
        match request.headers.getall("Authorization", []):
            case []:
                return None
            case [str(value)] if value.lower().startswith("bearer ") and value.count(" ") == 1:
                token = value.split(" ")[1]
            case _:
                return None
        if "access_token" in request.query:
            raise Refusal("INVALID_PAYLOAD")
        user = self.users.get(token)
        if user is None:
            raise Refusal(
                "INVALID_TOKEN" if token.startswith("ey") and token.count(".") == 2 else "INVALID_CREDENTIALS"
            )
        if user.refused is not None:
            raise Refusal(user.refused)
        return user

    def _known_user(self, request: web.Request) -> User:
        user = self._user(request)
        if user is None:
            raise Refusal("FORBIDDEN")
        return user

    def _permissions_of(self, user: User | None, request: web.Request) -> Payload:
        if user is None:
            return {}
        if user.ip_access:
            # With IP_TRUST_PROXY the leftmost address counts.
            header = request.headers.get(self.address_header, request.remote or "")
            seen = ip_address(header.split(",")[0].strip())
            if not any(seen in ip_network(network) for network in user.ip_access):
                return {}
        return user.permissions

    def _grant(self, request: web.Request, user: User, action: str) -> Grant:
        return self._permissions_of(user, request).get(_collection(request), {}).get(action, {"access": "none"})

    def _granted(self, request: web.Request, user: User, action: str) -> bool:
        return self._grant(request, user, action)["access"] != "none"

    def _may(self, request: web.Request, user: User, action: str, row: Row) -> bool:
        access = self._grant(request, user, action)["access"]
        return access == "full" or (access == "partial" and row["owner"] == user.name)

    def _allowed_fields(self, request: web.Request, user: User, action: str) -> set[str]:
        fields = self._grant(request, user, action).get("fields")
        return set(fields) if isinstance(fields, list) else set()

    def _fields_allowed(self, request: web.Request, user: User, action: str, values: Iterable[str]) -> bool:
        allowed = self._allowed_fields(request, user, action)
        return self._granted(request, user, action) and ("*" in allowed or set(values) <= allowed)

    def _shown(self, request: web.Request, user: User, row: Row, fields: Sequence[str]) -> Row:
        allowed = self._allowed_fields(request, user, "read")
        readable = row if "*" in allowed else {name: value for name, value in row.items() if name in allowed}
        if "*" in fields:
            return dict(readable)
        if not set(fields) <= set(readable):
            raise Refusal("FORBIDDEN")
        return {name: readable[name] for name in fields}

    def _rows(self, collection: str) -> dict[str, Row]:
        if collection not in self.rows:
            raise Refusal("FORBIDDEN")
        return self.rows[collection]

    def _refuse_double(self, collection: str, values: Mapping[str, object], changed: Sequence[Row]) -> None:
        taken = [row for row in self._rows(collection).values() if not any(row is other for other in changed)]
        for name in self.unique & set(values):
            if len(changed) > 1 or any(row.get(name) == values[name] is not None for row in taken):
                raise Refusal("RECORD_NOT_UNIQUE")


def _item_routes(path: str, double: DirectusDouble) -> list[web.RouteDef]:
    return [
        web.get(path, double.read_many),
        web.route("SEARCH", path, double.search),
        web.post(path, double.create),
        web.patch(path, double.update_many),
        web.get(path + "/{key}", double.read_one),
    ]


def _collection(request: web.Request) -> str:
    """Name the collection of a path: `/users` is `directus_users`, which has no other path."""
    name = request.match_info.get("collection", "directus_users")
    if name.startswith("directus_") and request.path.startswith("/items/"):
        raise Refusal("FORBIDDEN")
    return name


def _filter_of(query: Mapping[str, str]) -> Mapping[str, object]:
    """Read `filter` as JSON or as `filter[field][operator]=value`."""
    if "filter" in query:
        parsed: Mapping[str, object] = json.loads(query["filter"])
        return parsed
    rules = {name[len("filter[") : -1]: value for name, value in query.items() if name.startswith("filter[")}
    pairs = [(*place.split("]["), value) for place, value in rules.items()]
    return {"_and": [{name: {operator: value}} for name, operator, value in pairs]}


def _matches(row: Row, rule: Mapping[str, object]) -> bool:
    return all(_satisfies(row, name, condition) for name, condition in rule.items())


def _satisfies(row: Row, name: str, condition: object) -> bool:
    match name, condition:
        case "_and", list(rules):
            return all(_matches(row, rule) for rule in rules)
        case _, {"_eq": expected}:
            return str(row.get(name)) == str(expected)
        case _, {"_in": list(expected)}:
            return str(row.get(name)) in {str(value) for value in expected}
        case _, dict(rule) if rule.keys() <= _EMPTINESS.keys():
            [(operator, wanted)] = rule.items()
            wants_empty = _true(wanted) is (operator in {"_null", "_empty"})
            return (row.get(name) in _EMPTINESS[operator]) is wants_empty
        case _:
            raise AssertionError(f"this double does not support the filter {name} {condition}")


def _true(value: object) -> bool:
    """Read a filter's boolean, which a query string contains as a word."""
    return value is True or value == "true"


def _data(value: object) -> web.Response:
    return web.json_response({"data": value})
