"""Which of Stripe's customers belongs in which item, and what a person must decide. Reads and writes nothing.

A customer says in its metadata which item it was made for, and an item holds the ID of one customer. Where an
item holds none and one customer names it, the ID was lost on its way and is filled in. Whatever else does not
fit is left as it is and told: two customers may both have payments.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.permissions import Access, Action, Permissions
from sidecar.core.operations.resources import is_customer_id

_PLACES = 1 << 27  # bits, 16 MiB
_MARKS = 4


@dataclass(frozen=True, slots=True)
class ListedCustomer:
    """One that Stripe lists; `item` is the item that its metadata names."""

    id: str
    item: str


@dataclass(frozen=True, slots=True)
class Case:
    """An item, the customer whose ID it `holds`, and the `others` that name it."""

    item: str
    linked: str | None
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    item: str
    customer: str


class CustomerState(StrEnum):
    """What Stripe says of a customer that an item holds."""

    ALIVE = "alive"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class Problem(StrEnum):
    """What a person must decide; the text is told beside the item."""

    SEVERAL = "several customers name it"
    DELETED = "it holds a customer that was deleted at Stripe"
    UNKNOWN = "it holds a customer that this Stripe account does not have"
    GONE = "it is gone, its customer is not"
    ELSEWHERE = "another item holds its customer"
    REFUSED = "Directus refuses to fill it"


@dataclass(frozen=True, slots=True)
class Finding:
    """`customers` begins with the one that the item holds, if it holds any."""

    problem: Problem
    item: str
    customers: tuple[str, ...]


def compare(customers: Iterable[ListedCustomer], items: Mapping[str, str | None]) -> Iterator[Case]:
    """Set some customers against the items they name, each with the customer that it holds.

    Gives the cases that are not plainly in order. A customer whose item is not among `items` is left out.
    """
    for customer in customers:
        if customer.item in items and items[customer.item] != customer.id:
            yield Case(customer.item, items[customer.item], (customer.id,))


def merge(earlier: Case, later: Case) -> Case:
    """Join two looks at one item. What it linked at the later look counts."""
    others = dict.fromkeys(earlier.others + later.others)
    return Case(later.item, later.linked, tuple(other for other in others if other != later.linked))


def decide(case: Case, linked: CustomerState) -> Fill | Finding | None:
    """`linked` is the state of the customer that the item holds; it does not matter where there is none."""
    if case.linked is None:
        return Fill(case.item, *case.others) if len(case.others) == 1 else _several(case)
    if linked is CustomerState.ALIVE:
        return _several(case) if case.others else None
    problem = Problem.DELETED if linked is CustomerState.DELETED else Problem.UNKNOWN
    return Finding(problem, case.item, (case.linked, *case.others))


def _several(case: Case) -> Finding:
    return Finding(Problem.SEVERAL, case.item, (*([case.linked] if case.linked else []), *case.others))


class Seen:
    """Which customers Stripe listed, in the same memory however many they are.

    It may say of one in a million that it was listed although it was not, never the other way round; and it errs
    with others in each process.
    """

    def __init__(self) -> None:
        self._marks = bytearray(_PLACES // 8)

    def update(self, customer_ids: Iterable[str]) -> None:
        for customer_id in customer_ids:
            for place in self._places(customer_id):
                self._marks[place >> 3] |= 1 << (place & 7)

    def __contains__(self, customer_id: str) -> bool:
        return all(self._marks[place >> 3] & 1 << (place & 7) for place in self._places(customer_id))

    @staticmethod
    def _places(customer_id: str) -> Iterator[int]:
        return (hash((mark, customer_id)) % _PLACES for mark in range(_MARKS))


def unlisted(items: Mapping[str, str], seen: Seen) -> Iterator[Case]:
    """Give the items that hold a customer which Stripe did not list: it lists none that was deleted."""
    return (
        Case(item, linked, ()) for item, linked in items.items() if not is_customer_id(linked) or linked not in seen
    )


def lacking(permissions: Permissions, collection: CustomersCollection) -> list[str]:
    """Name what the service must be allowed before an item that it does not see may be called gone."""
    read = permissions.grant(collection.name, Action.READ)
    update = permissions.grant(collection.name, Action.UPDATE)
    name, key_field, id_field = collection.name, collection.key_field, collection.id_field
    needs = {
        f"read all items of {name}": read.access is Access.FULL,
        f"read {name}.{key_field} and .{id_field}": read.fields.allow(key_field) and read.fields.allow(id_field),
        f"update {name}.{id_field}": update.usable and update.fields.allow(id_field),
    }
    return [need for need, met in needs.items() if not met]
