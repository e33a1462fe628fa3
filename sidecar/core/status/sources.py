"""The sources of status fields: what the operator may name in STRIPE_FIELD_MAP beside a customer's own attributes.

A closed set of dotted paths (docs.stripe.com/api: subscriptions/object, payment_methods/object,
entitlements/active-entitlement). A source is no attribute: no caller sets one, and none shows anything of Stripe's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sidecar.core.operations.attributes import Attribute, AttributeType, Plain, Structure, attributes
from sidecar.core.operations.resources.means import MEANS


class Origin(StrEnum):
    """What is read of a customer beside itself."""

    SUBSCRIPTION = "subscription"
    ENTITLEMENTS = "entitlements"
    PAYMENT_METHOD = "default_payment_method"


@dataclass(frozen=True, slots=True)
class Source:
    """`path` leads from the object of this origin to the value; it is empty for the list of entitlements."""

    origin: Origin
    path: tuple[str, ...]
    type: Plain

    @property
    def name(self) -> str:
        return ".".join((self.origin, *self.path))


_RECURRING = Structure(attributes(text="interval", integer="interval_count"))
_PRICE = Structure(
    attributes(
        Attribute("recurring", _RECURRING),
        text="id lookup_key nickname currency",
        integer="unit_amount",
        reference="product",
    )
)
_MEANS = tuple(each for each in MEANS if each.name in {"card", "sepa_debit", "us_bank_account"})

# `price` and `OF_ITEM` are those of the subscription's first item: Stripe's subscription has none of its own.
OF_ITEM = ("current_period_end", "current_period_start", "price", "quantity")
ATTRIBUTES: Mapping[Origin, Structure] = MappingProxyType(
    {
        Origin.SUBSCRIPTION: Structure(
            attributes(
                Attribute("price", _PRICE),
                text="id status currency collection_method",
                boolean="cancel_at_period_end",
                integer="quantity",
                timestamp="""
                    created start_date current_period_start current_period_end cancel_at canceled_at ended_at
                    trial_start trial_end
                """,
            )
        ),
        Origin.PAYMENT_METHOD: Structure(
            attributes(
                *_MEANS,
                text="id type",
                timestamp="created",
            )
        ),
    }
)


def _paths(kind: AttributeType, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Plain]]:
    if isinstance(kind, Structure):
        for attribute in kind.attributes:
            yield from _paths(attribute.type, (*path, attribute.name))
    elif isinstance(kind, Plain):
        yield path, kind


_ALL = [
    Source(Origin.ENTITLEMENTS, (), Plain.TEXTS),
    *(Source(origin, path, kind) for origin, group in ATTRIBUTES.items() for path, kind in _paths(group)),
]
SOURCES: Mapping[str, Source] = MappingProxyType({source.name: source for source in _ALL})
