"""The operator's file: which operations are on, and whose permissions decide on each.

It is TOML (toml.io) in UTF-8 with a table for each operation, such as `[refunds.create]`. All faults are reported at
once, each in one line that names its table. ``core.operations.rules`` says what a rule means.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.field_map import FieldMap
from sidecar.core.operations.known_attributes import API_VERSION, attributes_of
from sidecar.core.operations.operator_values import OperatorValues
from sidecar.core.operations.row import Operation
from sidecar.core.operations.rules import Rule, default_rules
from sidecar.core.operations.table import OPERATIONS
from sidecar.settings.fault_text import meant, shown
from sidecar.settings.operation_table import MUST, Expected, OperationTable
from sidecar.settings.operator_values import read_operator_values
from sidecar.settings.toml_file import TWICE, FileFault, faults_of, parsed, read_text

_ROWS = {row.name: row for row in OPERATIONS}


def read_rules(path: Path, customers: CustomersCollection, field_map: FieldMap, *, version: str) -> tuple[Rule, ...]:
    """Read the file; `version` is the version of Stripe's API in use. Raises FileFault."""
    return parse_rules(read_text(path), customers, field_map, version=version)


def parse_rules(
    text: str, customers: CustomersCollection, field_map: FieldMap, *, version: str = API_VERSION
) -> tuple[Rule, ...]:
    """Give all rules, in the order of the table of operations. `field_map` belongs to the customers collection.

    Raises FileFault.
    """
    named = list(_tables(parsed(text)))
    times = Counter(name for name, _ in named)
    faults = [f"[{shown(name)}]: {TWICE}" for name, count in times.items() if count > 1]
    rules = {rule.operation.name: rule for rule in default_rules(customers, field_map)}
    for name, table in named:
        try:
            judged, values = _judged(name, table, customers.name, known_version=version == API_VERSION)
        except FileFault as fault:
            faults += [f"[{shown(name)}]: {each}" for each in fault.faults]
            continue
        rules.pop(name, None)
        if judged.enabled:
            rules[name] = replace(_rule(_ROWS[name], judged, customers, field_map), operator=values)
    if faults:
        raise FileFault(list(dict.fromkeys(faults)))
    return tuple(rules[name] for name in _ROWS if name in rules)


def _tables(tables: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Give each table with its full name, which may be written `[refunds.create]` or `["refunds.create"]`.

    Entries outside such tables get the name of their group.
    """
    for group, members in tables.items():
        if group in _ROWS or not isinstance(members, dict) or not members:
            yield group, members
            continue
        yield from ((f"{group}.{name}", member) for name, member in members.items() if isinstance(member, dict))
        if any(not isinstance(member, dict) for member in members.values()):
            yield group, members


def _judged(name: str, table: object, customers: str, *, known_version: bool) -> tuple[OperationTable, OperatorValues]:
    """Raises FileFault."""
    row = _ROWS.get(name)
    if row is None:
        raise FileFault([_nobodys(name)])
    if not isinstance(table, dict):
        raise FileFault(["must be a table"])
    expected = Expected(row, attributes_of(row) if known_version else None, customers)
    values, faults = read_operator_values(row, table, known_version=known_version)
    try:
        judged = OperationTable.model_validate(table, context=expected)
    except ValidationError as error:
        named = [line for each in error.errors() for line in faults_of(each, OperationTable, MUST)]
        raise FileFault([*named, *faults]) from None
    if faults:
        raise FileFault(faults)
    return judged, values


def _nobodys(name: str) -> str:
    if name.partition(".")[0] in OperationTable.model_fields:
        return f"belongs to one operation; write it as [refunds.create.{shown(name)}], with the name of yours"
    return f"there is no such operation{meant(name, list(_ROWS))}"


def _rule(row: Operation, table: OperationTable, customers: CustomersCollection, field_map: FieldMap) -> Rule:
    collection = table.collection or customers.name
    id_field = customers.id_field if collection == customers.name else None
    return Rule(
        row,
        collection,
        table.action or row.action,
        _field_map(table.fields, field_map, id_field),
        amounts=table.amounts,
        prices=None if table.prices is None else frozenset(table.prices),
        public=table.public,
    )


def _field_map(fields: Mapping[str, list[str]] | None, ours: FieldMap, id_field: str | None) -> FieldMap:
    """Give Stripe's attributes by field. A collection without `id_field` has only those that the file names."""
    if fields is None:
        return FieldMap({}) if id_field is None else ours
    named = {field: tuple(names) for field, names in fields.items()}
    return FieldMap({**({} if id_field is None else {id_field: ("id",)}), **named})
