"""The sources of status fields against the types of Stripe's own library."""

from collections.abc import Iterator

import pytest

from sidecar.core.operations.attributes import Attribute, AttributeType, Plain, Structure
from sidecar.core.operations.known_attributes import attributes_of
from sidecar.core.operations.table import OPERATIONS
from sidecar.core.status.sources import ATTRIBUTES, OF_ITEM, SOURCES, Origin
from tests.doubles.stripe_attributes import in_library

CLASSES = {Origin.SUBSCRIPTION: "Subscription", Origin.PAYMENT_METHOD: "PaymentMethod"}
PRICE = {"price": "Price", "recurring": "Price"}


def untimed(kind: AttributeType) -> AttributeType:
    return Plain.INTEGER if kind is Plain.TIMESTAMP else kind


def wrong(owner: str, attributes: tuple[Attribute, ...]) -> Iterator[str]:
    """Name the attributes that have another type in the library."""
    for each in attributes:
        found = in_library("SubscriptionItem" if owner == "Subscription" and each.name in OF_ITEM else owner, each.name)
        match each.type, found:
            case Structure(parts), Structure(known):
                types = {part.name: part.type for part in known}
                yield from (f"{each.name}.{part.name}" for part in parts if types.get(part.name) != part.type)
            case Structure(parts), _:
                yield from wrong("Price", parts)
            case own, _ if untimed(own) != found:
                yield each.name


@pytest.mark.parametrize("origin", CLASSES)
def test_sources_are_stripes(origin: Origin) -> None:
    """Every path leads to an attribute of its type in the API version that the service asks for."""
    assert list(wrong(CLASSES[origin], ATTRIBUTES[origin].attributes)) == []


def test_names() -> None:
    """The names that sidecar/README.md gives are sources."""
    assert set(SOURCES) >= {
        "subscription.status",
        "subscription.price.lookup_key",
        "subscription.price.recurring.interval",
        "subscription.current_period_end",
        "entitlements",
        "default_payment_method.card.last4",
    }


def test_no_source_is_an_attribute() -> None:
    """A name of the map is an attribute of some object or a source, never both: what it shows would be unclear."""
    attributes = frozenset[str]().union(*map(attributes_of, OPERATIONS))

    assert attributes.isdisjoint(SOURCES)
