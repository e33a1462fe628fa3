"""Which customers of before there were signatures, or of a secret that is replaced, are signed. Reads, writes nothing.

Metadata alone prove nothing: any application of the Stripe account can write them. What proves that a customer is an
item's is the item: it contains the customer's ID. Everything else a person must decide.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sidecar.core.flows.item_links import ItemLinks, NamedItem

_FORMER_DEFAULT = "directus"  # the project of every Directus that had no DIRECTUS_PROJECT


class Doubt(StrEnum):
    """Why a customer is not adopted; `reconcile --adopt` prints the text beside the item."""

    GONE = "it is gone, its customer is not"
    ELSEWHERE = "it has another customer"
    NOT_LINKED = "it is not linked to the customer that names it; name that one after --adopt if it is this item's"
    NOT_FILLED = "it has no customer yet; run `reconcile` without --adopt first"
    SIGNED_BY_ANOTHER = (
        "its customer was signed with another SIDECAR_SECRET; name it after --adopt if that secret was this service's"
    )


@dataclass(frozen=True, slots=True)
class Adoption:
    """A customer to sign for its item; `fill`: the item has no ID yet, and gets this customer's."""

    customer: str
    item: str
    fill: bool = False


@dataclass(frozen=True, slots=True)
class Doubtful:
    doubt: Doubt
    customer: str
    item: str


def of_before(links: ItemLinks, metadata: object) -> NamedItem | None:
    """Give the item that metadata name for this project without a signature by the first secret."""
    named = links.named(metadata)
    if named is None or (named.signed and not named.outdated):
        return None
    return named if named.project in {links.project, _FORMER_DEFAULT} else None


def judge(
    customer: str, named: NamedItem, linked: str | None, *, exists: bool, chosen: Collection[str]
) -> Adoption | Doubtful:
    """Judge one customer by the ID in its item; `chosen` are the customers that a person named."""
    if not exists:
        return Doubtful(Doubt.GONE, customer, named.item)
    if linked not in {None, customer}:
        return Doubtful(Doubt.ELSEWHERE, customer, named.item)
    if customer in chosen:
        return Adoption(customer, named.item, fill=linked is None)
    if named.with_signature and not named.signed:
        return Doubtful(Doubt.SIGNED_BY_ANOTHER, customer, named.item)
    if linked is None:
        return Doubtful(Doubt.NOT_FILLED if named.signed else Doubt.NOT_LINKED, customer, named.item)
    return Adoption(customer, named.item)
