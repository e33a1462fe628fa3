"""A double of Directus: the permissions of its users, and the items of one collection.

Shapes, statuses and codes were observed in Directus 11.8, 11.17 and 12.3. The double has one item rule: a `partial`
grant covers the items with the user as `owner`. Lists have Directus's limits: a larger one than `limit_max` is refused,
-1 is read as that maximum, and without a limit there are 100 items at most. Answers to GET are kept for ever unless
`caches` is false, as with CACHE_ENABLED and without CACHE_AUTO_PURGE; Directus stores no answer to another method, nor
an export.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial as bound
from ipaddress import ip_address, ip_network
from itertools import count
from typing import Any

from aiohttp import web

from tests.doubles.flows import Flows
from tests.doubles.server import Double

Row = dict[str, object]
Grant = Mapping[str, object]
Payload = dict[str, dict[str, Grant]]

_MESSAGES = {
    "FORBIDDEN": "You don't have permission to access this.",
    "INVALID_CREDENTIALS": "Invalid user credentials.",
    "INVALID_PAYLOAD": "Invalid payload. The request carries two tokens.",
    "INVALID_QUERY": "Invalid query.",
    "INVALID_TOKEN": "Invalid token.",
    "RECORD_NOT_UNIQUE": "Value for this field has to be unique.",
    "RESOURCE_RESTRICTED": "Resource is restricted.",
    "TOKEN_EXPIRED": "Token expired.",
}
_STATUSES = {
    "INVALID_CREDENTIALS": 401,
    "TOKEN_EXPIRED": 401,
    "INVALID_PAYLOAD": 400,
    "INVALID_QUERY": 400,
    "RECORD_NOT_UNIQUE": 400,
}
_LIMIT_DEFAULT = 100
_NULLNESS = {"_null", "_nnull", "_empty", "_nempty"}
_EQUALITY = {"_eq", "_neq", "_in"}
SYSTEM = ("access", "permissions", "policies", "roles")  # collections that tell who holds which permission
INFO: Mapping[str, object] = {
    "rateLimit": False,
    "rateLimitGlobal": False,
    "websocket": {"rest": {"authentication": "handshake", "path": "/websocket"}},
    "version": "11.17.4",
}
NO_LICENSE: Mapping[str, object] = {"license": {"source": None, "entitlements": {"production_enabled": True}}}
_PARAMETERS = {"fields", "filter", "sort", "limit", "offset", "page", "search", "meta", "export", "deep", "alias"}
_ACTIONS = ("create", "read", "update", "delete", "share")


def full(*fields: str) -> Grant:
    return {"access": "full", "fields": list(fields or ("*",))}


def partial(*fields: str) -> Grant:
    return {"access": "partial", "fields": list(fields or ("*",))}


def grants(collection: str = "customers", **actions: Grant) -> Payload:
    """Permissions on one collection; an action that is not granted has no `fields`, as in Directus."""
    return {collection: {action: actions.get(action, {"access": "none"}) for action in _ACTIONS}}


# Directus adds these to every page, whole, whatever fields were asked for (its `withAppMinimalPermissions`).
APP_PERMISSIONS: tuple[Row, ...] = (
    {
        "collection": "directus_users",
        "action": "read",
        "policy": None,
        "permissions": {"id": {"_eq": "$CURRENT_USER"}},
        "fields": ["id", "email"],
        "system": True,
    },
)


@dataclass(slots=True)
class User:
    """`refused` is the error code for this user's token; `ip_access` contains the networks that its policy accepts.

    `roles` are the role and its parents, of which Directus tells the IDs to everybody who has them.
    `everywhere` has the fields that a second policy shows in every row; `permissions` contain them too. A token that is
    `of_a_share` belongs to no user, and `name` is the share's ID. `app_access` adds the app's own permissions to those
    that the token lists.
    """

    name: str
    token: str
    permissions: Payload = field(default_factory=dict)
    refused: str | None = None
    ip_access: Sequence[str] = ()
    roles: Sequence[str] = ()
    everywhere: Sequence[str] = ()
    of_a_share: bool = False
    app_access: bool = False


class Refusal(web.HTTPException):
    def __init__(self, code: str) -> None:
        self.status_code = _STATUSES.get(code, 403)
        error = {"message": _MESSAGES[code], "extensions": {"code": code}}
        super().__init__(text=json.dumps({"errors": [error]}), content_type="application/json")


class DirectusDouble(Double):
    longest_head = 16_383  # Node's limit (its documentation, "--max-http-header-size"), seen by trying

    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, User] = {}
        self.rows: dict[str, dict[str, Row]] = {"customers": {}}
        self.address_header = "X-Forwarded-For"
        self.unique = {"stripe_customer_id"}
        self.system: dict[str, list[Row]] = {name: [] for name in SYSTEM}
        self.limit_max: int | None = None
        self.case_matters = True
        self.info: dict[str, object] = dict(INFO)
        self.license: dict[str, object] = {}
        self.project: str | None = "01890000-0000-7000-8000-000000000000"
        self.caches = True
        self.session_cookie = "directus_session_token"
        self._kept: dict[tuple[object, ...], object] = {}
        self.shares: dict[str, Row] = {}
        self.flows = Flows()
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
            web.get("/permissions/me", self.cached(self._permissions)),
            web.get("/permissions/me/{collection}/{key}", self.cached(self._item_permissions)),
            web.get("/users/me", self.cached(self._me)),
            web.get("/roles/me", self.cached(self._my_roles)),
            web.get("/shares/info/{share}", self.cached(self._share_info)),
            *[web.route("SEARCH", f"/{name}", self._search_system) for name in SYSTEM],
            web.get("/server/info", self.cached(self._server_info)),
            web.get("/settings", self.cached(self._settings)),
            web.get("/server/ping", _pong),
            web.get("/utils/random/string", _random),
            *_item_routes("/items/{collection}", self),
            *_item_routes("/users", self),
            *self.flows.routes(),
        ]

    def cached(self, answer: Callable[[web.Request], Awaitable[object]]) -> Callable[..., Awaitable[web.Response]]:
        """Write what a GET gives, as Directus's `cache` and `respond` do, by its `getCacheKey`."""

        async def answered(request: web.Request) -> web.Response:
            user = self._user(request)
            query = tuple(sorted((name, text) for name, text in request.query.items() if _sanitized(name)))
            key = (None if user is None or user.of_a_share else user.name, request.path, query)
            given = self._kept[key] if key in self._kept else await answer(request)
            if request.query.get("export") == "json":
                return web.json_response(given, headers={"Content-Disposition": 'attachment; filename="Export.json"'})
            if not self.caches:
                return web.json_response({"data": given}, headers={"Cache-Control": "no-cache"})
            self._kept[key] = given
            return web.json_response({"data": given}, headers={"Cache-Control": "private, max-age=300"})

        return answered

    async def _permissions(self, request: web.Request) -> Payload:
        return self._permissions_of(self._known_user(request), request)

    async def _server_info(self, request: web.Request) -> object:
        """Tell a user `info` and the limit of queries, nobody and a share the project's name and 12's license."""
        told = {"project": {"project_name": "Directus"}, **self.license}
        if (user := self._user(request)) is None or user.of_a_share:
            return told
        most = -1 if self.limit_max is None else self.limit_max
        return {**told, "queryLimit": {"default": _LIMIT_DEFAULT, "max": most}, **self.info}

    async def _settings(self, request: web.Request) -> object:
        """Give the project's ID to who may read exactly that, as early versions of 11 give nothing of that name."""
        grant = self._permissions_of(self._known_user(request), request).get("directus_settings", {}).get("read", {})
        fields = grant.get("fields", [])
        assert request.query["fields"] == "project_id"
        if self.project is None or not isinstance(fields, list) or not {"*", "project_id"}.intersection(fields):
            raise Refusal("FORBIDDEN")
        return {"project_id": self.project}

    async def _me(self, request: web.Request) -> object:
        """Give the ID of a token's user or share, which Directus tells without any permission on users."""
        user = self._known_user(request)
        return {"share" if user.of_a_share else "id": user.name}

    async def _my_roles(self, request: web.Request) -> object:
        """Directus refuses a share, which has no user and no role."""
        user = self._known_user(request)
        if user.of_a_share:
            raise Refusal("FORBIDDEN")
        return [{"id": role} for role in user.roles]

    async def _share_info(self, request: web.Request) -> object:
        """Tell everybody what a share shows, unless it is over."""
        self._user(request)
        share = request.match_info["share"]
        if share not in self.shares:
            raise Refusal("FORBIDDEN")
        return {"id": share, "password": None, **self.shares[share]}

    def add_share(self, share: str, row: Row, collection: str = "customers") -> None:
        self.shares[share] = {"collection": collection, "item": str(row["id"])}

    async def _search_system(self, request: web.Request) -> web.Response:
        """Give the rows of a system collection, whole, to a user that may read it."""
        name, query = request.path.removeprefix("/"), (await request.json())["query"]
        user = self._known_user(request)
        if self._permissions_of(user, request).get(f"directus_{name}", {}).get("read", {}).get("access") != "full":
            raise Refusal("FORBIDDEN")
        found = [row for row in self.system[name] if self._finds(row, query.get("filter", {}))]
        start = query.get("offset", 0)
        page = [{field: row[field] for field in query["fields"]} for row in found[start:][: self._limit(query)]]
        of_app = [row for row in APP_PERMISSIONS if name == "permissions" and self._finds(row, query.get("filter", {}))]
        return _data(page + (of_app if user.app_access else []))

    async def _item_permissions(self, request: web.Request) -> object:
        user = self._known_user(request)
        row = self._rows(request.match_info["collection"]).get(request.match_info["key"])
        return {
            action: {"access": row is not None and self._may(request, user, action, row)}
            for action in ("update", "delete", "share")
        }

    async def read_one(self, request: web.Request) -> object:
        user = self._known_user(request)
        row = self._rows(_collection(request)).get(request.match_info["key"])
        if row is None or not self._may(request, user, "read", row):
            raise Refusal("FORBIDDEN")
        return self._shown(request, user, row, request.query.get("fields", "*").split(","))

    async def read_many(self, request: web.Request) -> object:
        query: dict[str, object] = dict(request.query)
        query |= {name: str(query[name]).split(",") for name in ("fields", "sort") if name in query}
        query |= {name: int(request.query[name]) for name in ("limit", "page", "offset") if name in query}
        return self._read_many(request, {**query, "filter": _filter_of(request.query)})

    async def search(self, request: web.Request) -> web.Response:
        """Search with the query in the body (Directus API reference, "SEARCH HTTP method")."""
        return _data(self._read_many(request, (await request.json())["query"]))

    def _read_many(self, request: web.Request, query: Mapping[str, Any]) -> list[Row]:
        user = self._known_user(request)
        if not self._granted(request, user, "read"):
            raise Refusal("FORBIDDEN")
        fields, limit = query.get("fields", ["*"]), self._limit(query)
        rows = [row for row in self._rows(_collection(request)).values() if self._sees(request, user, row, fields)]
        found = [row for row in rows if self._finds(row, query.get("filter", {}))]
        for sort in reversed(query.get("sort", ["id"])):
            name = sort.removeprefix("-")
            self._refuse_fields(request, user, [name])
            found.sort(key=bound(self._order, name), reverse=sort != name)
        start = query.get("offset", (query.get("page", 1) - 1) * limit)
        return [self._shown(request, user, row, fields) for row in found[start:][: limit if limit >= 0 else None]]

    def _order(self, name: str, row: Row) -> tuple[bool, bool, object]:
        """Order null first, then numbers, as SQLite does."""
        value = row.get(name)
        if value is None or isinstance(value, int):
            return value is not None, False, value or 0
        return True, True, str(value) if self.case_matters else str(value).lower()

    def _limit(self, query: Mapping[str, Any]) -> int:
        most = self.limit_max
        limit = int(query.get("limit", _LIMIT_DEFAULT if most is None else min(_LIMIT_DEFAULT, most)))
        if most is None:
            return limit
        if limit > most:
            raise Refusal("INVALID_QUERY")
        return most if limit == -1 else limit

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
        """Change the items that a filter finds: filtering needs read access, each change update access.

        Who may not read primary keys gets 204: Directus asks for the changed items by their keys.
        """
        user, change = self._known_user(request), await request.json()
        rows = [row for row in self._rows(_collection(request)).values() if self._finds(row, change["query"]["filter"])]
        allowed = self._fields_allowed(request, user, "update", change["data"])
        if not allowed or not all(self._may(request, user, "update", row) for row in rows):
            raise Refusal("FORBIDDEN")
        if rows:
            self._refuse_double(_collection(request), change["data"], rows)
        for row in rows:
            row.update(change["data"])
        if not self._allowed_fields(request, user, "read") & {"*", "id"}:
            return web.Response(status=204)
        fields = change["query"].get("fields", ["*"])
        shown = [row for row in rows if self._may(request, user, "read", row)]
        return _data([self._shown(request, user, row, fields) for row in shown])

    def _finds(self, row: Row, wanted: Mapping[str, object]) -> bool:
        return _matches(row, wanted, case_matters=self.case_matters)

    def _user(self, request: web.Request) -> User | None:
        """Find the user of a request. Raises the refusal of a bad token; None is the public role."""
        match request.headers.getall("Authorization", []):
            case [] if self.session_cookie in request.cookies:
                token = request.cookies[self.session_cookie]
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

    def _permissions_of(self, user: User, request: web.Request) -> Payload:
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

    def _sees(self, request: web.Request, user: User, row: Row, fields: Sequence[str]) -> bool:
        """A row is visible where some policy shows it with one of the fields."""
        everywhere = user.everywhere if "*" in fields else set(fields) & set(user.everywhere)
        return self._may(request, user, "read", row) or bool(everywhere)

    def _shown(self, request: web.Request, user: User, row: Row, fields: Sequence[str]) -> Row:
        """Show each field in the rows of its own policy, and null in others."""
        self._refuse_fields(request, user, fields)
        allowed = self._allowed_fields(request, user, "read")
        names = [name for name in row if "*" in allowed or name in allowed] if "*" in fields else fields
        if not set(names) <= set(row):
            raise Refusal("FORBIDDEN")
        here = self._may(request, user, "read", row)
        return {name: row[name] if here or name in user.everywhere else None for name in names}

    def _refuse_fields(self, request: web.Request, user: User, fields: Sequence[str]) -> None:
        allowed = self._allowed_fields(request, user, "read")
        if not allowed.intersection({"*"}) and not set(fields) <= allowed | {"*"}:
            raise Refusal("FORBIDDEN")

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
        web.get(path, double.cached(double.read_many)),
        web.route("SEARCH", path, double.search),
        web.post(path, double.create),
        web.patch(path, double.update_many),
        web.get(path + "/{key}", double.cached(double.read_one)),
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


def _matches(row: Row, rule: Mapping[str, object], *, case_matters: bool) -> bool:
    return all(_satisfies(row, name, condition, case_matters=case_matters) for name, condition in rule.items())


def _satisfies(row: Row, name: str, condition: object, *, case_matters: bool) -> bool:
    match name, condition:
        case "_and" | "_or", list(rules):
            verdicts = [_matches(row, rule, case_matters=case_matters) for rule in rules]
            return all(verdicts) if name == "_and" else any(verdicts)
        case _, dict() if _NULLNESS.intersection(condition):
            return _there(row.get(name), condition)
        case _, dict() if _EQUALITY.intersection(condition):
            return row.get(name) is not None and _equals(row[name], condition, case_matters=case_matters)
        case _:
            raise AssertionError(f"this double does not support the filter {name} {condition}")


def _there(value: object, condition: Mapping[str, object]) -> bool:
    [(operator, wanted)] = condition.items()
    empty = value in ((None,) if operator in {"_null", "_nnull"} else (None, ""))
    return empty is (_true(wanted) is (operator in {"_null", "_empty"}))


def _equals(value: object, condition: Mapping[str, object], *, case_matters: bool) -> bool:
    [(operator, operand)] = condition.items()
    expected = operand if isinstance(operand, list) else [operand]
    texts = [str(one) if case_matters else str(one).lower() for one in (value, *expected)]
    return (texts[0] in texts[1:]) is not (operator == "_neq")


def _true(value: object) -> bool:
    """Read a filter's boolean, which a query string contains as a word."""
    return value is True or value == "true"


async def _random(_request: web.Request) -> web.Response:
    return _data(secrets.token_urlsafe(24))


async def _pong(_request: web.Request) -> web.Response:
    return web.Response(text="pong", content_type="text/html")


def _sanitized(name: str) -> bool:
    """Say whether Directus knows a parameter, and so has it in its cache key (its `sanitizeQuery`)."""
    return name.partition("[")[0] in _PARAMETERS


def _data(value: object) -> web.Response:
    return web.json_response({"data": value})
