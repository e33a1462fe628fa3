"""What a caller may cause at Stripe, worked out from the double's permissions and rows, not by the service's code.

Only the table of operations is the service's: it says which calls at Stripe belong to which operation.
"""

import re
from collections.abc import Collection, Iterator
from functools import cache

from sidecar.core.operations.parameters import Expansion, Text
from sidecar.core.operations.resources import RESOURCES
from sidecar.core.operations.row import Kind, Operation, Scoping
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.directus import DirectusDouble
from tests.doubles.server import Recorded
from tests.doubles.stripe import Object, StripeDouble
from tests.fuzz.people import HIDDEN, ID, SHOP, Person

_TEXTS = {each.name for row in OPERATIONS for each in row.parameters if isinstance(each.type, Text)}
_NAMED = re.compile(r"\b(?:[a-z]+_)+[A-Za-z0-9]+\b")
_ANY = "ANY"  # stands for an ID in a path
_PAGING = {"limit", "starting_after", "ending_before", "created"}
_OURS = {"customer", "amount", "currency", "metadata"}
_OUR_METADATA = re.compile(r"(directus|sidecar)_[a-z_]+|price|quantity")


def operations(request: Recorded) -> list[Operation]:
    """Name the operations that make this call at Stripe."""
    return [row for row in OPERATIONS if row.method == request.method and _call(row).fullmatch(request.path)]


def is_look(request: Recorded) -> bool:
    """Tell whether a call reads one object, as is done to find its owner or its price."""
    return request.method == "GET" and _LOOKS.fullmatch(request.path) is not None


def unknown_parameters(request: Recorded) -> list[str]:
    """Name the parameters of a call that none of its operations has."""
    rows = operations(request)
    known = _PAGING | _OURS | {each.name for row in rows for each in row.taken}
    known |= {"expand"} if any(isinstance(each.type, Expansion) for row in rows for each in row.taken) else set()
    named = {*request.query, *(name for name, _ in request.form)}
    return [name for name in named if name.partition("[")[0] not in known or not _is_our_metadata(name)]


def may_cause(person: Person, request: Recorded) -> bool:
    """Say whether Directus allows this person any operation that makes such a call."""
    if is_look(request):
        return any(_allowed(person, row) for row in OPERATIONS)
    return any(_allowed(person, row) for row in operations(request))


def foreign(person: Person, request: Recorded, directus: DirectusDouble, stripe: StripeDouble) -> list[str]:
    """Name what a call has to do with that is not this person's own, where it has its own rows only.

    One object that is not a customer may be read, to find whose it is.
    """
    if not person.has_own_rows_only:
        return []
    own = {str(row[ID]) for row in directus.rows["customers"].values() if row["owner"] == person.user.name}
    named = set(_NAMED.findall(f"{request.target} {_references(request)}"))
    if is_look(request):
        return [name for name in named if name.startswith("cus_") and name not in own]
    customers = {name for name in named if name.startswith("cus_")}
    owners = {owner for name in named if (owner := _owner(name, stripe)) is not None}
    if strangers := sorted((customers | owners) - own):
        return strangers
    unlimited = any(row.kind is Kind.LIST and row.scoping is not Scoping.REFUSED for row in operations(request))
    return ["everybody's"] if unlimited and not customers | owners else []


def _references(request: Recorded) -> str:
    """Give the body's values but for free texts, such as a name, which may contain anything."""
    return " ".join(value for name, value in request.form if name not in _TEXTS)


def _allowed(person: Person, row: Operation) -> bool:
    scopable = row.scoping is not Scoping.REFUSED
    if row.kind is Kind.SEARCH and not (person.everything and person.sees(HIDDEN)):
        return False
    return person.may("customers" if row.on_customers else SHOP, str(row.action), scopable=scopable)


def _owner(name: str, stripe: StripeDouble) -> str | None:
    """Find the customer of an object at Stripe, by itself or by what it refers to."""
    found = next((each for each in _objects(stripe) if each.get("id") == name), None)
    if found is None or found["object"] == "customer":
        return None
    if isinstance(owner := found.get("customer"), str):
        return owner
    references = (found.get(each) for each in ("payment_intent", "charge", "subscription"))
    return next((owner for each in references if isinstance(each, str) and (owner := _owner(each, stripe))), None)


def _objects(stripe: StripeDouble) -> Iterator[Object]:
    for objects in stripe.objects.values():
        yield from objects


def _is_our_metadata(name: str) -> bool:
    inner = name.partition("metadata[")[2]
    return not inner or _OUR_METADATA.fullmatch(inner.removesuffix("]")) is not None


@cache
def _call(row: Operation) -> re.Pattern[str]:
    return re.compile(re.escape(row.target(_ANY)).replace(_ANY, "[A-Za-z0-9_.-]+"))


def _any_of(paths: Collection[str]) -> str:
    return "|".join(map(re.escape, paths))


_LOOKS = re.compile(f"({_any_of({resource.path for resource in RESOURCES.values()})})/(?!search$)[A-Za-z0-9_.-]+")
