"""`set` and `allow` of a table in the operator's file: what is always sent, and what a client may choose.

All faults are found at once. The types of Stripe's library judge where the service asks for the version of the API
that the library was made from; what is never for the operator is judged whatever the version.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from sidecar.core.operations.operator_values import (
    ITEM,
    PLACEHOLDERS,
    Allowed,
    OperatorValues,
    Path,
    client_parameters,
    texts,
)
from sidecar.core.operations.parameters import Chosen, Reference, found, is_owned
from sidecar.core.operations.resources import PRICE
from sidecar.core.operations.row import Kind, Operation, Scoping
from sidecar.settings.allowed_entries import Entry, read_entry
from sidecar.settings.fault_text import Fault
from sidecar.settings.mistyped_values import mistyped_entry, mistyped_set
from sidecar.settings.value_faults import is_too_deep, value_faults

_TOO_DEEP = "is nested too deeply"
_PAGING = frozenset({"limit", "starting_after", "ending_before", "created", "page"})


def read_operator_values(
    operation: Operation, table: Mapping[str, object], *, known_version: bool
) -> tuple[OperatorValues, list[str]]:
    """Give the values and the faults, one line each. What has another shape is left out; it is judged elsewhere."""
    fixed, in_set = _read_set(operation, table.get("set"))
    entries, in_allow = _read_allow(operation, table.get("allow"))
    values = OperatorValues(fixed, tuple(_allowed(entries)))
    in_set += _refused_set(operation, fixed)
    in_allow += _refused_allow(operation, entries, fixed)
    if isinstance(prices := table.get("prices"), list):
        in_set += _other_prices(operation, fixed, prices)
        in_allow += (fault for each in entries for fault in _other_prices(operation, each.nested, prices))
    if known_version and (fixed or entries):
        client = client_parameters(operation, values, amounts=table.get("amounts") is True)
        in_set += _new(in_set, mistyped_set(operation, fixed, client))
        in_allow += _new(in_allow, (fault for each in entries for fault in mistyped_entry(operation, each)))
    lines = [*(f"set: {fault}" for fault in in_set), *(f"allow: {fault}" for fault in in_allow)]
    return values, list(dict.fromkeys(lines))


def _read_set(operation: Operation, fixed: object) -> tuple[Mapping[str, object], list[Fault]]:
    if not isinstance(fixed, dict) or not fixed:
        return {}, []
    if operation.kind is Kind.RETRIEVE or (operation.kind is Kind.LIST and operation.scoping is Scoping.IDENTITY):
        return {}, [Fault((), "this operation takes no parameters")]
    deep = [name for name, value in fixed.items() if is_too_deep(value)]
    return {name: fixed[name] for name in fixed if name not in deep}, [Fault((name,), _TOO_DEEP) for name in deep]


def _read_allow(operation: Operation, listed: object) -> tuple[list[Entry], list[Fault]]:
    entries = [each for each in listed if isinstance(each, str | dict)] if isinstance(listed, list) else []
    if entries and operation.method != "POST":
        return [], [Fault((), f"a client has no values to choose in a request with {operation.method}")]
    read = [Fault((*each,)[:1], _TOO_DEEP) if is_too_deep(each) else read_entry(each) for each in entries]
    return [each for each in read if isinstance(each, Entry)], [each for each in read if isinstance(each, Fault)]


def _allowed(entries: Sequence[Entry]) -> Iterator[Allowed]:
    """Join the values that are listed for one place."""
    values: dict[Path, tuple[object, ...]] = {}
    for each in entries:
        if each.free is not None:
            yield Allowed(each.path, each.free)
        else:
            values[each.path] = (*values.get(each.path, ()), each.value)
    yield from (Allowed(path, Chosen(listed)) for path, listed in values.items())


def _new(there: Sequence[Fault], more: Iterator[Fault]) -> list[Fault]:
    """Leave out faults in places that have one: a parameter that is never taken need not be of the right type."""
    places = {fault.place for fault in there}
    return [fault for fault in more if fault.place not in places]


def _refused_set(operation: Operation, fixed: Mapping[str, object]) -> Iterator[Fault]:
    yield from value_faults(operation, fixed)
    yield from _owned(operation, fixed)
    yield from _refused_placeholders(operation, fixed)
    yield from _contradictory(operation, fixed)
    for name in fixed:
        if name in _PAGING and operation.in_query:
            yield Fault((name,), "is for the request to say")


def _owned(operation: Operation, values: Mapping[str, object]) -> Iterator[Fault]:
    for place, kind, _ in found(operation.taken, values, Reference):
        if is_owned(kind) and place != "customer":
            yield Fault((place,), "belongs to a customer, so the request names it")


def _other_prices(operation: Operation, values: Mapping[str, object], prices: Sequence[object]) -> Iterator[Fault]:
    for place, kind, price in found(operation.taken, values, Reference):
        if kind.resource is PRICE and price not in prices:
            yield Fault((place,), "is none of `prices`")


def _refused_placeholders(operation: Operation, fixed: Mapping[str, object]) -> Iterator[Fault]:
    has_customer = operation.scoping is not Scoping.REFUSED or operation.kind is Kind.CREATE_CUSTOMER
    for place, text in texts(fixed):
        if text in PLACEHOLDERS and operation.in_query:
            yield Fault((place,), "a list is the same for everybody")
        elif text == ITEM and not has_customer:
            yield Fault((place,), f"{ITEM} is the customer's item, and this operation has no customer")


def _contradictory(operation: Operation, fixed: Mapping[str, object]) -> Iterator[Fault]:
    """Find values that contradict each other in every request: a price of ours decides amount and currency."""
    alternatives = [each for each in operation.parameters if each.name in operation.one_of]
    decided = [each for each in alternatives if each.name in fixed]
    ours = next((each.name for each in alternatives if each.ours), None)
    exclusive = [name for name in operation.at_most_one if name in fixed]
    if len(exclusive) > 1:
        yield Fault((), f"{', '.join(exclusive)}: set one of them")
    if len(decided) > 1:
        yield Fault((), f"{', '.join(each.name for each in decided)}: set one of them")
    elif ours is not None:
        by_price = not decided or decided[0].ours
        for each in operation.parameters:
            if each.name in fixed and each not in alternatives and (each.amount if by_price else each.ours):
                yield Fault((each.name,), f"{'comes from' if by_price else 'belongs to'} {ours}; leave it out")


def _refused_allow(operation: Operation, entries: Sequence[Entry], fixed: Mapping[str, object]) -> Iterator[Fault]:
    alternatives = [names for names in (operation.one_of, operation.at_most_one) if not fixed.keys().isdisjoint(names)]
    for each in entries:
        yield from value_faults(operation, each.nested)
        yield from _owned(operation, each.nested)
        yield from (
            Fault((place,), f"{text} is only for `set`") for place, text in texts(each.nested) if text in PLACEHOLDERS
        )
        if _touches(fixed, each.path):
            yield Fault(each.path, "is decided by `set`")
        for names in alternatives:
            if each.path[0] in names and each.path[0] not in fixed:
                yield Fault(each.path, f"Stripe takes one of {', '.join(names)}, and `set` has one")
    for one, other in combinations(entries, 2):
        shorter, longer = sorted((one.path, other.path), key=len)
        if longer[: len(shorter)] == shorter and (one.path != other.path or one.free != other.free):
            yield Fault(shorter, "is there in two ways; list whole values, or members one by one, or any text")


def _touches(fixed: object, path: Path) -> bool:
    """Say whether a place is the same as a fixed one, above or below one."""
    for name in path:
        if not isinstance(fixed, Mapping):
            return True
        if name not in fixed:
            return False
        fixed = fixed[name]
    return True
