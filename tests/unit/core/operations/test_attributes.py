"""The declared types of attributes against what Stripe publishes: its OpenAPI description, and its own library."""

from collections.abc import Iterator

import pytest

from deploy.demo.install import NodeTools
from deploy.stripe_stand_in.kinds import KINDS
from sidecar.core.operations.attributes import (
    Attribute,
    AttributeType,
    Embedded,
    Entries,
    Expandable,
    Plain,
    Structure,
    attributes,
)
from sidecar.core.operations.parameters import Email, Text
from sidecar.core.operations.resources import RESOURCES, Resource
from sidecar.core.operations.table import OPERATIONS
from sidecar.settings.types import default_field_map
from tests.doubles.description import Description, published
from tests.doubles.stripe_attributes import described, in_library

every_kind = pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
# The description is some versions older than the API version that the service requests.
NEWER = {
    ("customer_session", ""),  # all of it
    ("checkout.session", "client_secret"),
    ("invoice", "confirmation_secret"),
    ("subscription_item", "current_period_start"),
    ("subscription_item", "current_period_end"),
    ("credit_note", "effective_at"),
    ("promotion_code", "promotion"),
}
NEW_KINDS = {"billing.meter", "billing.meter_event", "entitlements.active_entitlement"}
described_kinds = pytest.mark.parametrize(
    "resource", [each for kind, each in RESOURCES.items() if kind not in NEW_KINDS], ids=lambda resource: resource.kind
)


@pytest.fixture(scope="session")
def description(node_tools: NodeTools) -> Description:
    return published(node_tools)


def known_names(description: Description, kind: str) -> set[str]:
    return set(description.objects.get(kind, {}).get("properties", {}))


def declared(resource: Resource) -> Iterator[Attribute]:
    yield from (*resource.shown, *resource.mapped, *resource.secrets)
    yield from (Attribute(link, Plain.TEXT) for link in resource.links)


def fits(own: AttributeType, stripes: AttributeType) -> bool:
    """Say whether a declared type matches Stripe's. A structure need not declare every member."""
    if isinstance(own, Structure) and isinstance(stripes, Structure):
        known = {each.name: each.type for each in stripes.attributes}
        return all(each.name in known and fits(each.type, known[each.name]) for each in own.attributes)
    return (Plain.REFERENCE if isinstance(own, Expandable) else own) == stripes


def untimed(kind: AttributeType) -> AttributeType:
    if isinstance(kind, Structure):
        return Structure(tuple(Attribute(each.name, untimed(each.type)) for each in kind.attributes))
    return Plain.INTEGER if kind is Plain.TIMESTAMP else kind


@described_kinds
def test_types_are_described(resource: Resource, description: Description) -> None:
    """Every declared attribute has the declared type in Stripe's description, except attributes newer than that."""
    known = [each for each in declared(resource) if not {(resource.kind, each.name), (resource.kind, "")} & NEWER]

    wrong = [each for each in known if not fits(each.type, described(description.objects, resource.kind, each.name))]

    assert wrong == []


@every_kind
def test_types_are_of_this_version(resource: Resource) -> None:
    """Every declared attribute has the declared type in the API version that the service requests."""
    name = KINDS[resource.kind].parameters

    wrong = [each for each in declared(resource) if not fits(untimed(each.type), in_library(name, each.name))]

    assert wrong == []


def test_what_is_newer(description: Description) -> None:
    """The lists of exceptions have no attribute and no kind that the description has."""
    assert not {(kind, name) for kind, name in NEWER if name in known_names(description, kind)}
    assert not {kind for kind, name in NEWER if name == "" and kind in description.objects}
    assert not NEW_KINDS & description.objects.keys()


def test_types_are_told_apart(description: Description) -> None:
    """A number is no text or timestamp, a reference no text, and a structure with a foreign member does not match."""
    objects = description.objects

    assert described(objects, "charge", "amount") is Plain.INTEGER is in_library("Charge", "amount")
    assert described(objects, "charge", "created") is Plain.TIMESTAMP
    assert described(objects, "charge", "customer") is Plain.REFERENCE is in_library("Charge", "customer")
    assert described(objects, "charge", "paid") is Plain.BOOLEAN is in_library("Charge", "paid")
    assert described(objects, "charge", "currency") is Plain.TEXT is in_library("Charge", "currency")
    assert described(objects, "coupon", "percent_off") is Plain.NUMBER is in_library("Coupon", "percent_off")
    assert described(objects, "product", "images") is Plain.TEXTS is in_library("Product", "images")
    assert described(objects, "subscription", "items") == Entries("subscription_item")
    assert in_library("Subscription", "items") == Entries("subscription_item")
    assert described(objects, "subscription_item", "price") == Embedded("price")
    assert in_library("SubscriptionItem", "price") == Embedded("price")
    for address in (described(objects, "customer", "address"), in_library("Customer", "address")):
        assert fits(Structure(attributes(text="city")), address)
        assert not fits(Structure(attributes(integer="city")), address)
        assert not fits(Structure(attributes(text="planet")), address)


@every_kind
def test_each_attribute_once(resource: Resource) -> None:
    """No attribute of a kind is declared twice, so none has two types."""
    names = [each.name for each in declared(resource)]

    assert sorted(set(names)) == sorted(names)


@every_kind
def test_embedded_kinds_are_known(resource: Resource) -> None:
    """Each kind of object inside another one has a row of its own."""
    types = [each.type for each in declared(resource)]

    assert {each.kind for each in types if isinstance(each, Embedded | Entries | Expandable)} <= RESOURCES.keys()


@described_kinds
def test_usual_fields_have_types(resource: Resource, description: Description) -> None:
    """Every default mapping, and every text that an operation sets, has a declared type if Stripe has the attribute."""
    texts = {
        each.name
        for row in OPERATIONS
        if row.resource is resource and row.method == "POST"
        for each in row.parameters
        if isinstance(each.type, Text | Email) and not each.ours
    }
    usual = {name for names in default_field_map().values() for name in names}

    expected = (texts | usual) & known_names(description, resource.kind)

    assert expected <= {each.name for each in declared(resource)}
