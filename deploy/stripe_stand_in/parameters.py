"""Reads requests to Stripe: nested forms, and each value by the type that its parameter has in Stripe's own library.

- forms: docs.stripe.com/api, `address[line1]=…`, `items[0][price]=…`; lists need numbers here, not `expand[]=…`
- unknown, missing and malformed parameters: docs.stripe.com/error-codes

`expand` is for `expansions` to read.
"""

import re
import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl

import stripe.params
from aiohttp import web
from typing_extensions import get_type_hints, is_typeddict

from deploy.stripe_stand_in.errors import Object, StripeError, missing_parameter

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_FORM = "application/x-www-form-urlencoded"
_FREE = "metadata"  # its keys are the sender's own
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_FLAGS = {"true": True, "false": False}
_ELSEWHERE = {
    "StripeContext": object,
    "Mapping": Mapping,
}  # the library's annotations do not import these


async def sent_by(request: web.Request) -> str:
    """Give the parameters from the query, or with POST from a form, as they were sent. Raises StripeError."""
    if request.method != "POST":
        return request.rel_url.raw_query_string
    if request.body_exists and request.content_type != _FORM:
        raise StripeError(400, "Parameters come as a form.")
    return await request.text()


def decoded(form: str) -> Object:
    """Nest a form's values into objects, and into lists where all keys are numbers."""
    values: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        match = _NAME.fullmatch(name)
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [name]
        inner = values
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                raise StripeError(400, f"Invalid object: {name}", param=name)
        inner[path[-1]] = value
    return {name: value if name == _FREE else _listed(value) for name, value in values.items()}


def _listed(value: Any) -> Any:  # noqa: ANN401 - a value of any kind
    if not isinstance(value, dict):
        return value
    inner = {name: entry if name == _FREE else _listed(entry) for name, entry in value.items()}
    return [inner[number] for number in sorted(inner, key=int)] if all(map(str.isdecimal, inner)) else inner


@cache
def hints(name: str) -> type:
    """Find a class of parameters by its name, such as `checkout.SessionCreateParams`."""
    found: type = attrgetter(name)(stripe.params)
    return found


@cache
def members(group: type) -> Mapping[str, Any]:
    """Give the parameters of a class and their types, without the library's own options."""
    hidden = {"expand", *stripe.RequestOptions.__annotations__}
    types_ = get_type_hints(group, localns=_ELSEWHERE)
    return {name: hint for name, hint in types_.items() if name not in hidden}


def read(name: str, values: Object) -> Object:
    """Read values by a class of parameters. Raises StripeError."""
    return _group(hints(name), values, "")


def _group(group: type, values: Object, place: str) -> Object:
    known = members(group)
    for name in values:
        if name not in known:
            where = _place(place, name)
            raise StripeError(400, f"Received unknown parameter: {where}", code="parameter_unknown", param=where)
    for name in sorted(group.__required_keys__ & known.keys()):  # type: ignore[attr-defined]  # it is a TypedDict
        if name not in values:
            raise missing_parameter(_place(place, name))
    return {name: _value(known[name], value, _place(place, name)) for name, value in values.items()}


def _place(within: str, name: object) -> str:
    return f"{within}[{name}]" if within else str(name)


def _value(hint: Any, value: Any, place: str) -> object:  # noqa: ANN401 - types are values here
    kinds = list(alternatives(hint))
    for kind in kinds:
        if isinstance(value, dict) and is_typeddict(kind):
            return _group(kind, value, place)
        if isinstance(value, dict) and get_origin(kind) is dict:
            return dict(value)
        if isinstance(value, list) and get_origin(kind) is list:
            return [_value(get_args(kind)[0], entry, _place(place, index)) for index, entry in enumerate(value)]
    if isinstance(value, str):
        return _scalar(kinds, value, place)
    raise StripeError(400, f"Invalid value: {place}", param=place)


def _scalar(kinds: list[Any], value: str, place: str) -> object:
    """Read a text as a member of an enumeration, a number or a flag; leave it as it is if the parameter is a text."""
    choices = {choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)}
    if value in choices:
        return value
    if int in kinds and value.isdecimal():
        return int(value)
    if bool in kinds and value in _FLAGS:
        return _FLAGS[value]
    if float in kinds and _NUMBER.fullmatch(value):
        return float(value)
    if Decimal in kinds:
        return value
    if str in kinds and choices <= {""}:
        return value
    if int in kinds:
        raise StripeError(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=place)
    raise StripeError(400, f"Invalid {place}: {value}", param=place)


def alternatives(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - types are values here
    """Give each type of a union, or the type itself."""
    if get_origin(hint) in {Union, types.UnionType}:
        for kind in get_args(hint):
            yield from alternatives(kind)
    else:
        yield hint
