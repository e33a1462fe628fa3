"""Stripe's published types of the attributes of its objects, as the service's own types.

`described` reads them from Stripe's OpenAPI description, `in_library` from the classes of Stripe's Python library. The
library has the API version that the service uses, but does not tell timestamps from numbers.
Both raise KeyError for an unknown attribute, and ValueError for a type that the service does
not have.
"""

import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ForwardRef, Literal, get_args, get_origin

import stripe

from deploy.stripe_stand_in.parameters import alternatives
from sidecar.core.operations.attributes import Attribute, AttributeType, Embedded, Entries, Plain, Structure

_PLAIN: Mapping[object, Plain] = {
    "string": Plain.TEXT,
    "integer": Plain.INTEGER,
    "number": Plain.NUMBER,
    "boolean": Plain.BOOLEAN,
    str: Plain.TEXT,
    int: Plain.INTEGER,
    float: Plain.NUMBER,
    bool: Plain.BOOLEAN,
}


def described(objects: Mapping[str, Any], kind: str, name: str) -> AttributeType:
    """Give the type of one attribute from `objects`, the schemas of the description."""
    deleted = objects.get(f"deleted_{kind}", {}).get("properties", {})
    return _described(objects, {**deleted, **objects[kind]["properties"]}[name])


def _described(objects: Mapping[str, Any], schema: Mapping[str, Any]) -> AttributeType:
    match schema:
        case {"x-expansionResources": _}:
            return Plain.REFERENCE
        case {"$ref": target} | {"anyOf": [{"$ref": target}]}:
            return _target(objects, objects[target.rpartition("/")[2]]["properties"])
        case {"type": "object", "properties": {"data": {"items": {"$ref": target}}, "has_more": _}}:
            return Entries(target.rpartition("/")[2])
        case {"type": "array", "items": {"type": "string"}}:
            return Plain.TEXTS
        case {"type": "integer"} if _is_time(schema):
            return Plain.TIMESTAMP
        case {"type": kind} if kind in _PLAIN:
            return _PLAIN[kind]
    raise ValueError(f"no type for {dict(schema)}")


def _target(objects: Mapping[str, Any], properties: Mapping[str, Any]) -> AttributeType:
    if "object" in properties:
        [kind] = properties["object"]["enum"]
        return Embedded(kind)
    found = []
    for name, schema in properties.items():
        try:
            found.append(Attribute(name, _described(objects, schema)))
        except ValueError:
            continue  # such as a member of several types
    return Structure(tuple(found))


def _is_time(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") == "unix-time" or "seconds since the Unix epoch" in schema.get("description", "")


def in_library(name: str, attribute: str) -> AttributeType:
    """Give the type of one attribute of a class, such as `checkout.Session`. A timestamp is an integer here."""
    return _typed(attrgetter(name)(stripe).__annotations__[attribute])


def _typed(hint: Any) -> AttributeType:  # noqa: ANN401, PLR0911 - types are values here, one case for each
    kinds = [kind for kind in alternatives(hint) if kind is not type(None)]
    if str in kinds and any(isinstance(kind, ForwardRef) for kind in kinds):
        return Plain.REFERENCE
    if all(kind is str or get_origin(kind) is Literal for kind in kinds):
        values = {type(value) for kind in kinds for value in get_args(kind)} | {kind for kind in kinds if kind is str}
        [only] = values
        return _PLAIN[only]
    [kind] = kinds
    if kind in _PLAIN:
        return _PLAIN[kind]
    if get_origin(kind) is list and get_args(kind) == (str,):
        return Plain.TEXTS
    if get_origin(kind) is stripe.ListObject:
        return Entries(_kind(get_args(kind)[0]))
    if isinstance(kind, str | ForwardRef):
        return Embedded(_kind(kind))
    if isinstance(kind, type) and issubclass(kind, stripe.StripeObject):
        return Structure(tuple(Attribute(name, _typed(inner)) for name, inner in _known(kind).items()))
    raise ValueError(f"no type for {kind}")


def _known(group: type) -> Mapping[str, Any]:
    """Leave out the members that the service cannot declare."""
    known = {}
    for name, hint in group.__annotations__.items():
        try:
            _typed(hint)
        except ValueError:
            continue
        known[name] = hint
    return known


def _kind(name: str | ForwardRef) -> str:
    written = name if isinstance(name, str) else name.__forward_arg__
    found = getattr(stripe, re.sub(r"\W", "", written)).OBJECT_NAME
    assert isinstance(found, str)
    return found
