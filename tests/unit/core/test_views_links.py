"""Who sees links: pages at Stripe that show, and let pay, more than a field list allows."""

import pytest

from sidecar.core.operations.resources import RESOURCES, Resource
from sidecar.core.views import View

LINKED = [resource for resource in RESOURCES.values() if resource.links]


@pytest.mark.parametrize("resource", LINKED, ids=lambda resource: resource.kind)
@pytest.mark.parametrize(
    ("view", "shown"),
    [(View(own=True), True), (View(made=True), True), (View(own=True, made=True), True), (View(), False)],
    ids=["own", "made", "both", "neither"],
)
def test_links_of_each_kind(resource: Resource, view: View, *, shown: bool) -> None:
    """The owner of an object and the caller who just made it see its links, and nobody else with a field list does."""
    value: dict[str, object] = {"object": resource.kind, **dict.fromkeys(resource.links, "https://pay.example")}

    assert (resource.links <= view.project(value).keys()) is shown
    assert (resource.links & view.project(value).keys() == set()) is not shown


@pytest.mark.parametrize("view", [View(own=True), View(made=True)], ids=["own", "made"])
def test_a_kind_without_links(view: View) -> None:
    """An object of a kind that has no links, or of an unknown kind, shows its base and no more."""
    for kind in ("charge", "unheard_of"):
        assert view.project({"object": kind, "id": "x", "url": "https://pay.example"}) == {"object": kind, "id": "x"}
