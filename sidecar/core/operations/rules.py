"""Which operations are on, and who may use them: the table's defaults, and what the operator's file says of them.

The file is TOML (toml.io), a table for each operation, `[refunds.create]`. It is judged whole: every fault is found,
each with its line.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.core.operations.parameters import Parameter, Reference, ReturnUrl, declared
from sidecar.core.operations.resources import CUSTOMER, PRICE
from sidecar.core.operations.row import Operation, Scoping
from sidecar.core.operations.table import OPERATIONS

_UNREADABLE = (ValueError, RecursionError)  # TOML's own error, endless numbers, endless nesting
_SEEING = frozenset({Action.READ, Action.SHARE})
_KEYS = ("collection", "action", "fields", "amounts", "prices", "enabled")


class RulesFault(ValueError):
    """The file cannot be used. `faults` has one line for each, with the line it is about."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Rule:
    """One operation that is on. `prices` are those that may be asked for, None meaning any of the account.

    `field_map` says what the collection's fields stand for; `line` is the rule's in the file, None for a default.
    """

    operation: Operation
    collection: str
    action: Action
    field_map: FieldMap
    amounts: bool = False
    prices: frozenset[str] | None = None
    line: int | None = None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What a request may carry under this rule."""
        return tuple(parameter for parameter in self.operation.taken if self.amounts or not parameter.amount)

    def requirement(self, customers: CustomersCollection) -> Requirement:
        """Give what Directus must grant a caller; make it once for each rule."""
        return Requirement(
            self.collection,
            self.action,
            customers,
            names_customer=self.operation.path_resource is CUSTOMER,
            scopable=self.operation.scoping is not Scoping.REFUSED,
            unscoped=self.unscoped_action,
        )

    @property
    def unscoped_action(self) -> Action | None:
        """What acting for everybody takes, where the operator lets those act for themselves who may only see."""
        lowered = self.action in _SEEING and self.operation.action not in _SEEING
        return self.operation.action if lowered else None

    @property
    def returns(self) -> bool:
        """Whether requests say where a browser is sent back to."""
        return any(isinstance(kind, ReturnUrl) for kind in declared(self.parameters))


def default_rules(customers: CustomersCollection, field_map: FieldMap) -> tuple[Rule, ...]:
    """Give the rules without a word from the operator: the basic operations, on the customers collection."""
    return tuple(Rule(row, customers.name, row.action, field_map) for row in OPERATIONS if row.basic)


def parse_rules(text: str, customers: CustomersCollection, field_map: FieldMap) -> tuple[Rule, ...]:
    """Give all rules, in the order of the table. `field_map` is the customers collection's. Raises RulesFault."""
    try:
        tables = tomllib.loads(text)
    except _UNREADABLE as error:
        raise RulesFault([f"is not TOML: {error}"]) from None
    rules = {rule.operation.name: rule for rule in default_rules(customers, field_map)}
    faults: list[str] = []
    named = dict(_tables(tables))
    lines = _lines(text, named)
    for path, table in named.items():
        name, line = ".".join(path), lines[path]
        try:
            rule = _rule(name, table, customers, field_map, line)
        except ValueError as fault:
            faults += [f"line {line}, [{name}]: {part}" for part in str(fault).splitlines()]
            continue
        rules.pop(name, None)
        if rule is not None:
            rules[name] = rule
    if faults:
        raise RulesFault(faults)
    return tuple(rules[row.name] for row in OPERATIONS if row.name in rules)


def unknown_collections(rules: Sequence[Rule], permissions: Permissions, customers: str) -> list[str]:
    """Say which rules name a collection that Directus does not show to the service, each with its line.

    `permissions` are the service's own; `provision` lets it see each collection that is named.
    """
    return [
        f"line {rule.line}, [{rule.operation.name}]: Directus shows no collection {rule.collection} to the service "
        "token; create it, then run `provision`"
        for rule in rules
        if rule.collection != customers and not permissions.grant(rule.collection, Action.READ).usable
    ]


def _tables(tables: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    for group, members in tables.items():
        if isinstance(members, dict) and all(isinstance(member, dict) for member in members.values()) and members:
            yield from (((group, name), member) for name, member in members.items())
        else:
            yield (group,), members


def _lines(text: str, paths: Collection[tuple[str, ...]]) -> Mapping[tuple[str, ...], int]:
    """Find where each table begins: the first line with which what stands before it has that table."""
    lines, found = text.split("\n"), dict[tuple[str, ...], int]()
    for number in range(1, len(lines) + 1):
        try:
            so_far = tomllib.loads("\n".join(lines[:number]))
        except _UNREADABLE:
            continue
        found |= {path: number for path in paths if path not in found and _has(so_far, path)}
    return found


def _has(tables: object, path: Sequence[str]) -> bool:
    for part in path:
        if not isinstance(tables, dict) or part not in tables:
            return False
        tables = tables[part]
    return True


def _rule(name: str, table: object, customers: CustomersCollection, field_map: FieldMap, line: int) -> Rule | None:
    """Read one table; None where it turns the operation off. Raises ValueError, a line for each fault."""
    operation = next((row for row in OPERATIONS if row.name == name), None)
    if operation is None:
        raise ValueError(f"there is no such operation{_meant(name, [row.name for row in OPERATIONS])}")
    if not isinstance(table, dict):
        raise ValueError("must be a table")  # noqa: TRY004 - a fault of the file, gathered with all others
    unknown = [key for key in table if key not in _KEYS]
    faults = [f"there is no setting {key}{_meant(key, _KEYS)}" for key in unknown]
    faults += [f"{key}: {fault}" for key, value in table.items() for fault in _faults(key, value, operation)]
    collection = table.get("collection", customers.name if operation.on_customers else None)
    if collection is None and table.get("enabled") is not False:
        faults.append("no rule: say by `collection` whose permissions decide")
    if faults:
        raise ValueError("\n".join(faults))
    if table.get("enabled") is False:
        return None
    return Rule(
        operation,
        str(collection),
        Action(table.get("action", operation.action)),
        _field_map(table.get("fields"), field_map, customers.id_field if collection == customers.name else None),
        amounts=table.get("amounts") is True,
        prices=frozenset(table["prices"]) if "prices" in table else None,
        line=line,
    )


def _faults(key: str, value: object, operation: Operation) -> Iterator[str]:
    match key, value:
        case "collection", str() if value.isidentifier() and value.isascii():
            return
        case "collection", _:
            yield "must be the name of a collection in Directus"
        case "action", _ if value not in list(Action):
            yield f"must be one of {', '.join(Action)}"
        case "enabled" | "amounts", _ if not isinstance(value, bool):
            yield "must be true or false"
        case "amounts", True if not any(parameter.amount for parameter in operation.parameters):
            yield "this operation takes no amount"
        case "prices", _ if not _are_prices(value):
            yield 'must be a list of price IDs, such as ["price_ABC123"]'
        case "prices", _ if not _takes_prices(operation):
            yield "this operation takes no price"
        case "fields", _ if not _is_field_map(value):
            yield 'must name Stripe\'s attributes by field, such as { state = "status" }'


def _are_prices(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(PRICE.is_id(entry) for entry in value)


def _takes_prices(operation: Operation) -> bool:
    return operation.method == "POST" and any(
        isinstance(kind, Reference) and kind.resource is PRICE for kind in declared(operation.parameters)
    )


def _is_field_map(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(names, str) or (isinstance(names, list) and all(isinstance(name, str) for name in names))
        for names in value.values()
    )


def _field_map(fields: Mapping[str, str | list[str]] | None, customers: FieldMap, id_field: str | None) -> FieldMap:
    """Give what fields stand for; of a collection that has no `id_field`, nothing unless the file says so."""
    if fields is None:
        return FieldMap({}) if id_field is None else customers
    named = {field: (names,) if isinstance(names, str) else tuple(names) for field, names in fields.items()}
    return FieldMap({**({} if id_field is None else {id_field: ("id",)}), **named})


def _meant(name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names)}"
