"""The service's own description: OpenAPI 3.1 (spec.openapis.org/oas/v3.1), made from the rules and from their models.

It holds nothing that is secret: which operations are on, what each takes, and whose permission decides.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from sidecar import __version__
from sidecar.core.operations.list_query import MOST, list_parameters
from sidecar.core.operations.row import Kind, Operation, Scoping
from sidecar.core.operations.rules import Rule
from sidecar.web.description.schemas import ERROR, reference, schemas
from sidecar.web.requests.bodies import Reader

Schema = dict[str, Any]
_REF = "#/components/schemas/{model}"
_REFUSALS = {
    "400": "The request is not one that this operation takes; nothing was sent on.",
    "401": "No credential, one that Directus does not accept, or no permission.",
    "403": "A foreign page used a visitor's session; or no permission, where DENIED_STATUS says so.",
    "404": "There is no such object, or no such route.",
    "408": "The body did not arrive in time.",
    "409": "It conflicts with what is there.",
    "413": "The body is too long.",
    "415": "The body is not application/json.",
    "422": "More customers than a caller with partial access may list.",
    "429": "Stripe is asked too much; Retry-After says when to try again.",
    "502": "Stripe gave no result.",
    "503": "Directus or Stripe could not be asked, or too much is asked at once.",
    "504": "Stripe did not answer in time.",
}
_SECURITY: Schema = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of Directus."},
}


def openapi_route(
    prefix: str, rules: Sequence[Rule], return_urls: Collection[str], *, cookie: str, write_back: bool
) -> web.RouteDef:
    """Give the route of the description, which needs no credential and asks no upstream."""
    content = orjson.dumps(document(prefix, rules, return_urls, cookie=cookie, write_back=write_back))

    async def describe(_request: web.Request) -> web.Response:
        return web.Response(body=content, content_type="application/json")

    return web.get(f"{prefix}/openapi.json", describe, allow_head=False)


def document(
    prefix: str, rules: Sequence[Rule], return_urls: Collection[str], *, cookie: str, write_back: bool
) -> Schema:
    """Describe the operations that are on. `cookie` is the session cookie's name."""
    paths: dict[str, Schema] = {}
    components = schemas(rule.operation.resource for rule in rules)
    for rule in rules:
        model = Reader(rule, return_urls).model.model_json_schema(ref_template=_REF)
        components |= model.pop("$defs", {})
        if not write_back:
            model.get("properties", {}).pop("item", None)
        paths.setdefault(rule.operation.path, {})[rule.operation.method.lower()] = _operation(rule, model)
    session = {"type": "apiKey", "in": "cookie", "name": cookie, "description": "A session of Directus."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stripe, as far as Directus permits",
            "version": __version__,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": prefix}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Errors": ERROR},
            "responses": {status: _refusal(status) for status in _REFUSALS},
            "securitySchemes": {**_SECURITY, "session": session},
        },
    }


def _operation(rule: Rule, model: Schema) -> Schema:
    operation = rule.operation
    described: Schema = {
        "operationId": operation.name,
        "tags": [operation.name.partition(".")[0]],
        "summary": f"{operation.summary[0].upper()}{operation.summary[1:]}.",
        "description": _permission(rule),
        "parameters": [*_path(operation), *_parameters(rule, model)],
        "responses": {**_results(operation), **{status: _answer(status) for status in _REFUSALS}},
    }
    if operation.method == "POST":
        body = _body(rule, model)
        described["requestBody"] = {"required": bool(body["required"]), "content": {"application/json": body["media"]}}
    return described


def _permission(rule: Rule) -> str:
    partial = {Scoping.REFUSED: "is not enough"}.get(rule.operation.scoping, "means the caller's own customers")
    return f'Needs "{rule.action}" on the collection "{rule.collection}". Partial access {partial}.'


def _path(operation: Operation) -> list[Schema]:
    resource = operation.path_resource
    if resource is None:
        return []
    shape = {"type": "string", "pattern": f"^({resource.pattern})$"}
    return [{"name": resource.variable, "in": "path", "required": True, "schema": shape}]


def _parameters(rule: Rule, model: Schema) -> list[Schema]:
    if rule.operation.kind is not Kind.LIST:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        return [{"name": "Idempotency-Key", "in": "header", "schema": key}] if rule.operation.method == "POST" else []
    names = list_parameters(rule.operation)
    standard = [{"name": name, "in": "query", "schema": _STANDARD[name]} for name in names]
    chosen = model.get("properties", {}).items()
    return [*standard, *({"name": name, "in": "query", "schema": shape} for name, shape in chosen)]


_CURSOR = {"type": "string", "pattern": "^[a-z]{2,8}_[A-Za-z0-9_]{1,250}$"}
_STANDARD: Mapping[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "description": "Asks for one page instead of all."},
    "starting_after": _CURSOR,
    "ending_before": _CURSOR,
    **{
        f"created[{bound}]": {"type": "integer", "minimum": 0, "maximum": 10**12 - 1}
        for bound in ("gte", "gt", "lte", "lt")
    },
}


def _body(rule: Rule, model: Schema) -> Schema:
    one_of = [name for name in rule.operation.one_of if name in model.get("properties", {})]
    if len(one_of) > 1:
        model = {**model, "oneOf": [{"required": [name]} for name in one_of]}
    elif one_of:
        model = {**model, "required": [*model.get("required", []), *one_of]}
    return {"required": rule.operation.kind is not Kind.ACT, "media": {"schema": model}}


def _results(operation: Operation) -> Schema:
    one = reference(operation.resource)
    if operation.kind is Kind.LIST:
        page = {
            "type": "object",
            "required": ["object", "data", "has_more"],
            "properties": {
                "object": {"const": "list"},
                "data": {"type": "array", "items": one},
                "has_more": {"type": "boolean"},
            },
        }
        whole = {"type": "array", "items": one}
        content = {
            "application/json": {"schema": {"anyOf": [whole, page]}},
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "An object a line; the last ends it."}
            },
        }
        return {"200": {"description": "All of it, or with `limit` one page.", "content": content}}
    result = {"description": "The object, as the caller may see it.", "content": {"application/json": {"schema": one}}}
    match operation.kind:
        case Kind.CREATE:
            return {"201": result}
        case Kind.CREATE_CUSTOMER:
            return {"201": result, "200": {**result, "description": "The customer that the item has already."}}
        case _:
            return {"200": result}


def _answer(status: str) -> Schema:
    return {"$ref": f"#/components/responses/{status}"}


def _refusal(status: str) -> Schema:
    media = {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}}
    return {"description": _REFUSALS[status], "content": media}
