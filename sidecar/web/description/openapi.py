"""The service's own description: OpenAPI 3.1 (spec.openapis.org/oas/v3.1), made from the rules and their models.

It has no secrets in it: it says which operations are on, what each one takes, and which permission each one needs.
"""

from collections.abc import Sequence
from functools import lru_cache

import orjson
from aiohttp import web

from sidecar import __version__
from sidecar.core.operations.list_query import MOST, list_parameters
from sidecar.core.operations.resources import Resource
from sidecar.core.operations.row import Kind, Operation, Scoping
from sidecar.core.operations.rules import Rule
from sidecar.web.description.responses import HEADERS, REFUSALS, refusal, refusals, results
from sidecar.web.description.schemas import ERROR, Schema, found_schema, list_schemas, schemas
from sidecar.web.requests.bodies import Reader
from sidecar.web.requests.models import Model

_SECURITY: list[Schema] = [{"token": []}, {"session": []}]
_REF = "#/components/schemas/{model}"


def openapi_route(prefix: str, readers: Sequence[Reader], *, cookie: str, write_back: bool) -> web.RouteDef:
    """Make the route of the description. It needs no credential and asks no upstream."""
    content = orjson.dumps(document(prefix, readers, cookie=cookie, write_back=write_back))

    async def describe(_request: web.Request) -> web.Response:
        return web.Response(body=content, content_type="application/json")

    return web.get(f"{prefix}/openapi.json", describe)


def document(prefix: str, readers: Sequence[Reader], *, cookie: str, write_back: bool) -> Schema:
    """Describe the operations that are on. `cookie` is the name of the session cookie."""
    paths: dict[str, Schema] = {}
    parts: Schema = {}
    for reader in readers:
        rule, model = reader.rule, _model(reader, write_back=write_back)
        parts |= model.pop("$defs", {})
        described = _operation(rule, model, write_back=write_back)
        paths.setdefault(rule.operation.path, {})[rule.operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stripe, as far as Directus permits",
            "version": __version__,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": prefix}],
        "security": _SECURITY,
        "paths": paths,
        "components": {
            "schemas": {**_answers([reader.rule for reader in readers]), **parts, "Errors": ERROR},
            "headers": dict(HEADERS),
            "responses": {status: refusal(status) for status in REFUSALS},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of Directus."},
                "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": "A session of Directus."},
            },
        },
    }


def _model(reader: Reader, *, write_back: bool) -> Schema:
    model: Schema = orjson.loads(_schema(reader.model))
    if not write_back:
        model.get("properties", {}).pop("item", None)
    return model


@lru_cache(maxsize=256)  # new settings reuse the schemas of the models that they leave alone
def _schema(model: Model) -> bytes:
    return orjson.dumps(model.model_json_schema(ref_template=_REF))


def _answers(rules: Sequence[Rule]) -> dict[str, Schema]:
    described = schemas(rule.operation.resource for rule in rules)
    for rule in rules:
        if rule.operation.kind is Kind.LIST:
            described |= list_schemas(rule.operation.resource)
        if rule.operation.kind is Kind.SEARCH:
            described |= found_schema(rule.operation.resource)
    return described


def _operation(rule: Rule, model: Schema, *, write_back: bool) -> Schema:
    operation = rule.operation
    described: Schema = {
        "operationId": operation.name,
        "tags": [operation.name.partition(".")[0]],
        "summary": f"{operation.summary[0].upper()}{operation.summary[1:]}.",
        "description": _permission(rule),
        "x-directus-permission": _needed(rule),
        "parameters": [*_path(operation), *_parameters(rule, model)],
        "responses": {**results(operation, write_back=write_back), **refusals()},
    }
    if rule.public:
        described["security"] = [{}, *_SECURITY]  # without any of them, too
    if operation.method == "POST" or (operation.method == "DELETE" and rule.parameters):
        body = _body(rule, model)
        described["requestBody"] = {"required": bool(body["required"]), "content": {"application/json": body["media"]}}
    return described


def _permission(rule: Rule) -> str:
    partial = {Scoping.REFUSED: "is not enough"}.get(rule.operation.scoping, "covers the caller's own customers")
    guests = " Without a credential the public policy must grant it for all items." if rule.public else ""
    return (
        f'Needs the permission "{rule.action}" on the collection "{rule.collection}". Partial access {partial}.{guests}'
    )


def _needed(rule: Rule) -> Schema:
    """Say the same for programs: a front end compares it with Directus's `/permissions/me`, to offer what is allowed.

    `every_customer` is the further action that acting for all customers takes.
    """
    needed = {"collection": rule.collection, "action": rule.action}
    further = {"every_customer": rule.unscoped_action} if rule.unscoped_action else {}
    return {**needed, "partial": rule.operation.scoping is not Scoping.REFUSED, **further}


def _path(operation: Operation) -> list[Schema]:
    resource = operation.path_resource
    if resource is None:
        return []
    return [{"name": resource.variable, "in": "path", "required": True, "schema": _id(resource)}]


def _id(resource: Resource) -> Schema:
    return {"type": "string", "pattern": f"^({resource.pattern})$"}


def _parameters(rule: Rule, model: Schema) -> list[Schema]:
    if not rule.operation.in_query:
        return _headers(rule.operation)
    standard = {name: _list_parameter(name, rule.operation.resource) for name in list_parameters(rule.operation)}
    shapes = {**standard, **model.get("properties", {})}
    needed = model.get("required", ())
    return [
        {"name": name, "in": "query", "schema": shape, **({"required": True} if name in needed else {})}
        for name, shape in shapes.items()
    ]


def _headers(operation: Operation) -> list[Schema]:
    key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
    version = {"type": "string", "example": "2020-08-27", "description": "As the client's SDK of Stripe's gives it."}
    optional = [{"name": "Idempotency-Key", "in": "header", "schema": key}]
    required = [{"name": "Stripe-Version", "in": "header", "required": True, "schema": version}]
    return [*(optional if operation.method == "POST" else ()), *(required if operation.sdk_version else ())]


def _list_parameter(name: str, resource: Resource) -> Schema:
    match name:
        case "limit":
            return {"type": "integer", "minimum": 1, "maximum": MOST, "description": "Asks for one page, not the list."}
        case "starting_after" | "ending_before":
            return _id(resource)
        case _:
            return {"type": "integer", "minimum": 0, "maximum": 10**12 - 1, "description": "Seconds since the epoch."}


def _body(rule: Rule, model: Schema) -> Schema:
    one_of = rule.one_of
    if len(one_of) > 1:
        model = {**model, "oneOf": [{"required": [name]} for name in one_of]}
    elif one_of:
        model = {**model, "required": [*model.get("required", []), *one_of]}
    return {"required": bool(one_of or model.get("required")), "media": {"schema": model}}
