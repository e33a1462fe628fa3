"""The types of event against the types of Stripe's own library."""

from importlib import import_module
from typing import get_args

import pytest
from stripe._object_classes import OBJECT_CLASSES
from stripe.events._event_classes import _V2_EVENT_CLASS_LOOKUP
from stripe.params import WebhookEndpointCreateParams

from sidecar.core.operations.event_types import EVENT_TYPES, kind_of

THIN = {name.removeprefix("v1."): place for name, place in _V2_EVENT_CLASS_LOOKUP.items() if name.startswith("v1.")}
SNAPSHOTS = {
    name
    for every in get_args(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    for name in get_args(every)
    if name != "*"
}


def related(name: str) -> str | None:
    """Name the library's class of the object that a thin event refers to."""
    module, event_class = THIN[name]
    fetch = getattr(getattr(import_module(module), event_class), "fetch_related_object", None)
    return None if fetch is None else fetch.__annotations__["return"]


def test_every_type_is_known() -> None:
    """The types are those of snapshots and those of thin events about objects of API v1."""
    assert SNAPSHOTS | THIN.keys() == EVENT_TYPES


@pytest.mark.parametrize("name", sorted(THIN))
def test_each_type_has_the_librarys_kind(name: str) -> None:
    """A type's kind is that of the object to which its thin events refer."""
    kind = kind_of(name)

    assert (None if kind is None else OBJECT_CLASSES[kind][1]) == related(name)


def test_other_types_have_no_kind() -> None:
    """Types that only snapshots have, and unknown ones, say nothing of a kind."""
    assert {kind_of(name) for name in {*SNAPSHOTS, "unknown.type"} - THIN.keys()} == {None}
