"""Schemas of answers: Stripe's objects, their pages and whole lists, and errors in Directus's shape.

A caller may see more attributes than a schema has, or fewer. So only `object` is required.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sidecar.core.operations.attributes import AttributeType, Embedded, Entries, Expandable, Plain, Structure
from sidecar.core.operations.resources import RESOURCES, Resource

Schema = dict[str, Any]

_PLAIN: dict[Plain, Schema] = {
    Plain.TEXT: {"type": ["string", "null"]},
    Plain.TEXTS: {"type": ["array", "null"], "items": {"type": "string"}},
    Plain.INTEGER: {"type": ["integer", "null"]},
    Plain.NUMBER: {"type": ["number", "null"]},
    Plain.TIMESTAMP: {"type": ["integer", "null"], "format": "unix-time", "description": "Seconds since the epoch."},
    Plain.BOOLEAN: {"type": ["boolean", "null"]},
    Plain.REFERENCE: {"type": ["string", "null"], "description": "The ID of another object."},
}
_LINK: Schema = {
    "type": ["string", "null"],
    "format": "uri",
    "description": "A page at Stripe. Only the object's owner and its creator see the address.",
}
_WITHHELD = "Only the object's owner, and who sees everything, sees it, and only with STRIPE_EXPOSE_CLIENT_SECRET."

ERROR: Schema = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["message", "extensions"],
                "properties": {
                    "message": {"type": "string"},
                    "extensions": {
                        "type": "object",
                        "required": ["code"],
                        "properties": {"code": {"type": "string"}, "reason": {"type": "string"}},
                    },
                },
            },
        }
    },
}


def schemas(resources: Iterable[Resource]) -> dict[str, Schema]:
    """Describe these kinds of object, and the kinds that are embedded in them."""
    found: dict[str, Schema] = {}
    waiting = list(resources)
    while waiting:
        resource = waiting.pop()
        if resource.kind not in found:
            found[resource.kind] = _object(resource)
            waiting += _embedded(resource)
    return dict(sorted(found.items()))


def list_schemas(resource: Resource) -> dict[str, Schema]:
    """Describe a page of these objects and the whole list of them."""
    entries = {"type": "array", "items": reference(resource.kind)}
    page = {
        "type": "object",
        "required": ["object", "data", "has_more"],
        "properties": {"object": {"const": "list"}, "data": entries, "has_more": {"type": "boolean"}},
    }
    return {page_name(resource): page, whole_name(resource): entries}


def found_schema(resource: Resource) -> dict[str, Schema]:
    """Describe a page of what a search finds of these objects."""
    members: Schema = {
        "object": {"const": "search_result"},
        "data": {"type": "array", "items": reference(resource.kind)},
        "has_more": {"type": "boolean"},
        "next_page": {"type": ["string", "null"], "description": "The `page` to ask for next."},
    }
    return {found_name(resource): {"type": "object", "required": list(members), "properties": members}}


def page_name(resource: Resource) -> str:
    return f"{resource.kind}_page"


def found_name(resource: Resource) -> str:
    return f"{resource.kind}_found"


def whole_name(resource: Resource) -> str:
    return f"{resource.kind}_array"


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(resource: Resource) -> Schema:
    shown = {each.name: _type(each.type) for each in (*resource.shown, *resource.mapped)}
    secrets = {each.name: {**_type(each.type), "description": _WITHHELD} for each in resource.secrets}
    links = dict.fromkeys(resource.links, _LINK)
    properties = {**shown, **links, **secrets, "object": {"const": resource.kind}}
    return {
        "type": "object",
        "required": ["object"],
        "properties": dict(sorted(properties.items())),
        "additionalProperties": True,
    }


def _type(kind: AttributeType) -> Schema:
    match kind:
        case Plain():
            return _PLAIN[kind]
        case Structure():
            members = {each.name: _type(each.type) for each in kind.attributes}
            return {"type": ["object", "null"], "properties": members, "additionalProperties": True}
        case Embedded():
            return reference(kind.kind)
        case Expandable():
            return {"anyOf": [_PLAIN[Plain.REFERENCE], reference(kind.kind)]}
        case Entries():
            entries = {"type": "array", "items": reference(kind.kind)}
            return {"type": "object", "properties": {"object": {"const": "list"}, "data": entries}}


def _embedded(resource: Resource) -> Iterator[Resource]:
    for attribute in (*resource.shown, *resource.mapped):
        if isinstance(attribute.type, Embedded | Entries | Expandable):
            yield RESOURCES[attribute.type.kind]
