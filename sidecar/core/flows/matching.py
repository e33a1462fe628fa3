"""Pairs items without a customer with the customers of their e-mail addresses. Reads and writes nothing.

Anybody can type an address, so it proves nothing by itself: `link` shows a person every pair before it writes one.
Two addresses are one where they differ in spaces around them and in the case of ASCII letters. Other letters are
compared as they are: some of them become ASCII in lower case, and an address with one would be another person's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.operations.metadata import COLLECTION, ITEM, PROJECT

_LOWER = str.maketrans({chr(letter): chr(letter + 32) for letter in range(ord("A"), ord("Z") + 1)})
_MOST_NAMED = 5  # customers of one address; two are too many already


class Why(StrEnum):
    """Why an item gets no customer; `link` prints the text behind the item."""

    NO_ADDRESS = "it has no e-mail address"
    NO_CUSTOMER = "no customer has its e-mail address"
    TAKEN = "another item has this customer"
    OTHER_ITEM = "the customer's metadata name another item"
    FOREIGN = "the customer's metadata name an item of another project or collection"
    UNSIGNED = "the customer's metadata name an item without this service's signature; see `reconcile --adopt`"
    DONE = "it has this customer already"
    GONE = "there is no such item"
    HAS_ANOTHER = "it has another customer"
    DELETED = "the customer was deleted at Stripe"
    UNKNOWN = "this Stripe account has no such customer"
    CHANGED = "item or customer have changed since the table was made"
    REFUSED = "Directus or Stripe refuses to write it"


_HARMLESS = frozenset({Why.NO_ADDRESS, Why.NO_CUSTOMER, Why.DONE})


@dataclass(frozen=True, slots=True)
class Pair:
    """`by` is what pairs the two: an address, or a line of a file."""

    item: str
    customer: str
    by: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An address that several items or several customers have; of many customers some are left out."""

    address: str
    items: tuple[str, ...]
    customers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """An item that stays as it is; `by` as in a pair, empty where there is none."""

    item: str
    why: Why
    customer: str | None = None
    by: str = ""

    @property
    def harmless(self) -> bool:
        """Whether nobody has to decide anything."""
        return self.why in _HARMLESS


Match = Pair | Ambiguous | Left
Claim = str | Why | None  # the item that metadata name with our signature, or why they forbid every item


def address_of(value: object) -> str | None:
    """Give an e-mail address in the form in which two are compared; None for what is none."""
    text = value.strip() if isinstance(value, str) else ""
    return text.translate(_LOWER) if "@" in text else None


def claim_of(links: ItemLinks, metadata: object) -> Claim:
    """Say which item a customer's metadata claim; None where they claim nothing."""
    if not isinstance(metadata, dict) or metadata.keys().isdisjoint({PROJECT, COLLECTION, ITEM}):
        return None
    named = links.named(metadata)
    if named is None or named.project != links.project:
        return Why.FOREIGN
    return named.item if named.signed else Why.UNSIGNED


def hindrance(claim: Claim, item: str) -> Why | None:
    """Say why a customer with this claim cannot become the item's."""
    if claim is None or (claim == item and not isinstance(claim, Why)):
        return None
    return claim if isinstance(claim, Why) else Why.OTHER_ITEM


@dataclass(slots=True)
class _Group:
    """Who has one address: `items` without a customer, items that are `linked`, and customers with their claims."""

    items: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    customers: dict[str, Claim] = field(default_factory=dict)


class Matching:
    """Add all items without a customer first, then every customer, then the items that have one."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._without: list[str] = []
        self._wanted: set[str] = set()
        self._owners: dict[str, set[str]] = {}  # of the customers that an item has
        self.items = 0

    def add_item(self, item: str, email: object) -> None:
        self.items += 1
        address = address_of(email)
        if address is None:
            self._without.append(item)
        else:
            self._groups.setdefault(address, _Group()).items.append(item)

    def add_customer(self, customer: str, email: object, claim: Claim) -> None:
        """Remember a living customer that one of the items may get."""
        group = self._groups.get(address_of(email) or "")
        if group is not None and len(group.customers) < _MOST_NAMED:
            group.customers[customer] = claim
            self._wanted.add(customer)

    def add_linked(self, item: str, email: object, customer: str) -> None:
        if customer in self._wanted:
            self._owners.setdefault(customer, set()).add(item)
        group = self._groups.get(address_of(email) or "")
        if group is not None and group.customers and item not in group.items and len(group.linked) < _MOST_NAMED:
            group.linked.append(item)

    def matches(self) -> Iterator[Match]:
        for address, group in self._groups.items():
            if not group.customers:
                yield from (Left(item, Why.NO_CUSTOMER, by=address) for item in group.items)
            elif len(group.items) + len(group.linked) > 1 or len(group.customers) > 1:
                yield Ambiguous(address, (*group.items, *group.linked), tuple(group.customers))
            else:
                yield self._only(address, group)
        yield from (Left(item, Why.NO_ADDRESS) for item in self._without)

    def _only(self, address: str, group: _Group) -> Match:
        [item], [(customer, claim)] = group.items, group.customers.items()
        owners = self._owners.get(customer, set())
        if owners == {item}:  # another run has linked them since the item was read
            return Left(item, Why.DONE, customer, address)
        why = hindrance(claim, item) or (Why.TAKEN if owners else None)
        return Pair(item, customer, address) if why is None else Left(item, why, customer, address)
