"""How an endpoint is described and answered, and the ways into localstripe, which keeps its verbs to itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from localstripe.errors import UserError
from localstripe.server import get_post_data, json_response, unflatten_data

Thing = Any  # an object of localstripe, or a class of them; it has no types
Value = Any  # what a form holds: a text, an object, a list
Form = dict[str, Value]
_FLAGS = {"allow_promotion_codes", "cancel_at_period_end", "enabled"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`act` is called with the ID in the path and the parameters, and gives an object or its JSON."""

    method: str
    path: str
    act: Callable[..., Thing]
    takes: frozenset[str]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        values = await get_post_data(request) if request.method == "POST" else None
        values = {**unflatten_data(request.query), **(values or {})}
        expand = values.pop("expand", None)
        for name in values.keys() - self.takes:
            raise refused(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        answer: web.StreamResponse = json_response(exported(self.act(**request.match_info, **values), expand))
        return answer


def endpoint(method: str, path: str, act: Callable[..., Thing], takes: str = "") -> Endpoint:
    return Endpoint(method, path, act, frozenset(takes.split()))


def call(kind: Thing, verb: str, /, **values: object) -> Thing:
    """Do what localstripe does for this kind of object, such as `create`. Raises UserError."""
    return getattr(kind, f"_api_{verb}")(**values)


def exported(thing: Thing, expand: object = None) -> Thing:
    """Give an object's JSON, with the references that `expand` names resolved."""
    return thing if isinstance(thing, dict) else thing._export(expand=expand)  # noqa: SLF001 - it has no other way


def referred(kind: Thing, object_id: object, parameter: str) -> Thing:
    """Find what a parameter refers to. Raises UserError as Stripe answers: 400, where a path would give 404."""
    try:
        return call(kind, "retrieve", id=str(object_id))
    except UserError:
        raise refused(f"No such {kind.object}: '{object_id}'", code="resource_missing", param=parameter) from None


def refused(message: str, **facts: str) -> UserError:
    return UserError(400, message, dict(facts))


def missing(parameter: str) -> UserError:
    return refused(f"Missing required param: {parameter}.", code="parameter_missing", param=parameter)


def take(values: Form, names: str) -> Form:
    """Move these out of `values`; those that are not there are None, as they are at Stripe."""
    return {name: _read(name, values.pop(name, None)) for name in names.split()}


def keep(thing: Thing, values: Mapping[str, object]) -> Thing:
    """Let an object show what localstripe has no use for."""
    thing.__dict__.update(values)
    return thing


def _read(name: str, value: Value) -> Value:
    """Read the flags in a form; all else in it is text."""
    if isinstance(value, dict):
        return {inner: _read(inner, entry) for inner, entry in value.items()}
    return value == "true" if name in _FLAGS and value is not None else value
