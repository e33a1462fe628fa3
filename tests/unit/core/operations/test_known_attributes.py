"""The attributes of Stripe's objects against the types of Stripe's own library."""

import builtins
import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, get_args

import pytest
import stripe
from stripe._object_classes import OBJECT_CLASSES
from typing_extensions import get_type_hints

from sidecar.core.operations.known_attributes import API_VERSION, ATTRIBUTES, WITHIN, attributes_of
from sidecar.core.operations.resources import RESOURCES
from sidecar.core.operations.table import OPERATIONS

MARKS = {"OBJECT_NAME"}


def library(kind: str) -> type:
    module, name = OBJECT_CLASSES[kind]
    found = getattr(import_module(module), name)
    assert isinstance(found, type)
    return found


CLASSES = {kind: library(kind) for kind in ATTRIBUTES}
KIND_OF = {found: kind for kind, found in CLASSES.items()}


class _Names(dict[str, object]):
    """Names that the library's annotations do not import; names of kinds not listed here resolve to nothing."""

    def __missing__(self, name: str) -> object:
        if hasattr(builtins, name) or hasattr(typing, name):
            raise KeyError(name)
        return object


def attributes(found: type) -> Mapping[str, Any]:
    own = found.__annotations__
    hints = get_type_hints(found, vars(import_module(found.__module__)), _Names(NAMED))
    return {name: hint for name, hint in hints.items() if name in own and name not in MARKS}


NAMED = {found.__name__: found for found in CLASSES.values() if found.__name__ != "Session"}


def parts(hint: Any) -> Iterator[type]:  # noqa: ANN401 - types are values here
    """Give the classes in a type hint; an attribute that may be an ID is not expanded, so it has no object."""
    inner = get_args(hint)
    if str in inner:
        return
    if isinstance(hint, type):
        yield hint
    for each in inner:
        yield from parts(each)


def within(found: type, seen: set[type]) -> Iterator[str]:
    """Name the kinds of object inside an object, at every depth."""
    if found in seen:
        return
    seen.add(found)
    for hint in attributes(found).values():
        for part in parts(hint):
            if part in KIND_OF:
                yield KIND_OF[part]
            if issubclass(part, stripe.StripeObject) and part.__module__ != "stripe._list_object":
                yield from within(part, seen)


def test_the_list_is_of_the_version_that_is_asked_for() -> None:
    """The attributes are those of the library's API version, which is the default."""
    assert stripe.api_version == API_VERSION


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_each_kind_has_the_librarys_attributes(kind: str) -> None:
    """Each kind has every attribute that Stripe's library gives it, and otherwise only those that every caller sees."""
    ours, known = set(ATTRIBUTES[kind].split()) | {"id", "object"}, set(CLASSES[kind].__annotations__) - MARKS
    resource = RESOURCES.get(kind)

    assert known - ours == set()
    assert ours - known <= {"id", "object"} | (resource.base if resource else set())


@pytest.mark.parametrize("kind", WITHIN)
def test_nested_kinds_are_in_an_answer(kind: str) -> None:
    """The nested kinds are those in an answer of Stripe to a request without expansion."""
    assert set(WITHIN[kind]) <= set(within(CLASSES[kind], set()))


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_base_and_links_are_attributes(row: Any) -> None:  # noqa: ANN401 - a row of the table
    """The attributes that every caller sees, and the links, can be named for every operation."""
    assert row.resource.base | row.resource.links <= attributes_of(row)
