"""One kind of object at Stripe; ``core.operations.resources`` has them all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sidecar.core.operations.attributes import Attribute, attributes

StripeObject = dict[str, object]

# How the IDs of every kind here begin; a test compares them with the kinds.
PREFIXES = frozenset(
    (
        *("ba", "bps", "card", "cbtxn", "ch", "cn", "cs", "cs_live", "cs_test", "cus", "dp", "du", "ent"),
        *("ent_test", "ephkey", "in", "mtr", "mtr_test", "pi", "plink", "pm", "price", "prod", "promo", "py", "pyr"),
        *("qt", "re", "seti", "si", "src", "sub", "sub_sched", "txi", "txn"),
    )
)
_MADE = "[A-Za-z0-9]*[A-Z0-9][A-Za-z0-9]*$"  # what follows the prefix where Stripe made the ID
# Accounts that are old enough have plans called "Pro plan" or "gold+tax". Left out is what could become another segment
# or parameter if somebody in between decodes an address, and dots at the beginning.
_CHOSEN = r"[A-Za-z0-9_-]([A-Za-z0-9 _.~!$()*+,:@-]{0,248}[A-Za-z0-9_.~!$()*+,:@-])?"
_NOTHING = "(?!)"


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object. `kind` is the value of Stripe's `object`.

    `path` is where Stripe lists and retrieves it. `prefixes`: none where IDs have none, or there are no IDs.

    `shown`: what every caller sees that may see the object at all.
    `mapped`: what a caller sees besides if it may read a field that maps to it. Any other attribute can be mapped too;
    these are the usual ones, with their types.
    `links`: addresses of Stripe's pages, which show more than `shown`. Only the owner and the creator see them.
    `secrets`: what acts for the owner, and what contains that. Only the owner sees it, where the operator exposes it.
    `owned`: the object belongs to a customer, or else to an object that `via` refers to. `customer_at` is the place of
    the customer's ID in it, empty where it names none. `identity` is the attribute that names the object, empty where
    none does.
    `dated`: the list takes `created`.
    `free`: the account may choose the IDs itself; none that looks as if Stripe made it for another kind is accepted.
    """

    kind: str
    path: str
    prefixes: tuple[str, ...]
    shown: tuple[Attribute, ...]
    mapped: tuple[Attribute, ...] = ()
    links: frozenset[str] = frozenset()
    secrets: tuple[Attribute, ...] = ()
    owned: bool = True
    via: tuple[str, ...] = ()
    customer_at: tuple[str, ...] = ("customer",)
    identity: str = "id"
    dated: bool = True
    free: bool = False

    @property
    def base(self) -> frozenset[str]:
        """Give the names of what is `shown`."""
        return frozenset(attribute.name for attribute in self.shown)

    @property
    def has_date(self) -> bool:
        """Whether its objects say when they were created."""
        return "created" in self.base

    @property
    def variable(self) -> str:
        """Give the name of the ID in paths."""
        return f"{self.kind.replace('.', '_')}_id"

    @property
    def pattern(self) -> str:
        """Give the shape of an ID. No other text becomes part of a URL at Stripe."""
        if not self.free and not self.prefixes:
            return _NOTHING
        if not self.free:
            return f"({'|'.join(self.prefixes)})_[A-Za-z0-9]{{1,250}}"
        others = "|".join(sorted(PREFIXES.difference(self.prefixes)))
        return rf"(?!search$|({others})_{_MADE}){_CHOSEN}"  # Stripe has a route `search` beside the IDs

    def is_id(self, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None

    @property
    def example(self) -> str:
        return f"{self.prefixes[0]}_ABC123" if self.prefixes else "ABC123"


def address(path: str, object_id: str) -> str:
    """Give the path at Stripe of one object of a kind; an ID that the account chose may need the encoding."""
    return f"{path}/{quote(object_id, safe='')}"


def shown(*others: Attribute, text: str = "", timestamp: str = "", **plain: str) -> tuple[Attribute, ...]:
    """Declare the attributes that nearly every kind has, and these."""
    return attributes(*others, text=f"id object {text}", timestamp=f"created {timestamp}", **plain)


def found_at(value: Mapping[str, object], place: Sequence[str]) -> object:
    """Give what stands at a place, name by name or by the position in a list; None where there is no such place."""
    found: object = value
    for name in place:
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def reference(value: Mapping[str, object], name: str) -> str | None:
    """Give the ID of the object that `name` refers to. Stripe writes the ID alone, or the whole object."""
    found = value.get(name)
    found = found.get("id") if isinstance(found, dict) else found
    return found if isinstance(found, str) else None
