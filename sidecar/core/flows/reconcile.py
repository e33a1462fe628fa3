"""Pairs Stripe's customers with items, and names what a person must decide. Reads and writes nothing.

A customer's metadata names the item that it was created for, and an item contains the ID of one customer. Where an
item has no ID and one customer names it, the ID was lost on the way and is filled in. Every other mismatch is reported
and left as it is: two customers may both have payments.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from struct import unpack

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.permissions import Access, Action, Permissions
from sidecar.core.flows.customer_state import CustomerState
from sidecar.core.operations.resources import is_customer_id

_PLACES = 1 << 27  # bits, 16 MiB
_MARKS = 4
_WORDS = f"<{_MARKS}I"  # a digest as one number for each mark


@dataclass(frozen=True, slots=True)
class ListedCustomer:
    """A customer that Stripe lists, and the item that its metadata names."""

    id: str
    item: str


@dataclass(frozen=True, slots=True)
class Case:
    """An item, the customer that it is `linked` to, and the `others` that name it."""

    item: str
    linked: str | None
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    item: str
    customer: str


class Problem(StrEnum):
    """What a person must decide; `reconcile` prints the text beside the item."""

    SEVERAL = "several customers name it"
    DELETED = "its customer was deleted at Stripe"
    UNKNOWN = "its customer is not in this Stripe account"
    GONE = "it is gone, its customer is not"
    ELSEWHERE = "another item has its customer"
    REFUSED = "Directus refuses to fill it"


@dataclass(frozen=True, slots=True)
class Finding:
    """`customers` begins with the one that the item is linked to, if there is one."""

    problem: Problem
    item: str
    customers: tuple[str, ...]


def compare(customers: Iterable[ListedCustomer], items: Mapping[str, str | None]) -> Iterator[Case]:
    """Compare customers with the items that they name; `items` gives each item's linked customer.

    Gives the cases that do not match. A customer whose item is not in `items` is left out.
    """
    for customer in customers:
        if customer.item in items and items[customer.item] != customer.id:
            yield Case(customer.item, items[customer.item], (customer.id,))


def merge(earlier: Case, later: Case) -> Case:
    """Join two cases of one item; the link of the later one counts."""
    others = dict.fromkeys(earlier.others + later.others)
    return Case(later.item, later.linked, tuple(other for other in others if other != later.linked))


def decide(case: Case, state: CustomerState) -> Fill | Finding | None:
    """Decide by the state of the linked customer, which does not matter where there is none."""
    if case.linked is None:
        return Fill(case.item, *case.others) if len(case.others) == 1 else _several(case)
    if state is CustomerState.ALIVE:
        return _several(case) if case.others else None
    problem = Problem.DELETED if state is CustomerState.DELETED else Problem.UNKNOWN
    return Finding(problem, case.item, (case.linked, *case.others))


def _several(case: Case) -> Finding:
    return Finding(Problem.SEVERAL, case.item, (*([case.linked] if case.linked else []), *case.others))


class Seen:
    """The customers that Stripe listed, in constant memory (a Bloom filter).

    A listed one is always found. With a million listed it also claims one in a million others, and with ten million
    one in 230. It errs with different customers for each `key`, of at most 64 bytes; `places` are its size in bits.
    """

    def __init__(self, key: bytes, places: int = _PLACES) -> None:
        self._key, self._size = key, places
        self._marks = bytearray(places // 8)

    def update(self, customer_ids: Iterable[str]) -> None:
        for customer_id in customer_ids:
            for place in self._places(customer_id):
                self._marks[place >> 3] |= 1 << (place & 7)

    def __contains__(self, customer_id: str) -> bool:
        return all(self._marks[place >> 3] & 1 << (place & 7) for place in self._places(customer_id))

    def _places(self, customer_id: str) -> list[int]:
        """Give places that are independent of each other, as Python's hashes of (0, ID), (1, ID), … are not."""
        digest = blake2b(customer_id.encode(), digest_size=4 * _MARKS, key=self._key).digest()
        return [word % self._size for word in unpack(_WORDS, digest)]


def unlisted(items: Mapping[str, str], seen: Seen) -> Iterator[Case]:
    """Give the items linked to a customer that Stripe did not list; it does not list deleted ones."""
    for item, customer in items.items():
        if not is_customer_id(customer) or customer not in seen:
            yield Case(item, customer, ())


def lacking(permissions: Permissions, collection: CustomersCollection, status: Collection[str] = ()) -> list[str]:
    """Name the rights that the service lacks; without them an item that it cannot see could seem deleted.

    `status` are the fields that repeat what belongs to a customer.
    """
    read = permissions.grant(collection.name, Action.READ)
    update = permissions.grant(collection.name, Action.UPDATE)
    name, key_field, id_field = collection.name, collection.key_field, collection.id_field
    needs = {
        f"read all items of {name}": read.access is Access.FULL,
        f"read {name}.{key_field} and .{id_field}": read.fields.allow(key_field) and read.fields.allow(id_field),
        f"update {name}.{id_field}": update.usable and update.fields.allow(id_field),
        **{
            f"read and update {name}.{field} of every item": (
                update.access is Access.FULL and update.fields.allow(field) and read.fields.allow(field)
            )
            for field in status
        },
    }
    return [need for need, met in needs.items() if not met]
