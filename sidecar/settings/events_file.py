"""The operator's file of events: what the events of a type start in Directus.

It is TOML (toml.io) in UTF-8 with a table for each type, such as `[events."invoice.paid"]`. All faults are reported at
once, each in one line that names its table. ``core.flows.event_rules`` says what a rule means.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from sidecar.core.flows.event_rules import ALWAYS, DELETED, EventRule, ItemTarget
from sidecar.core.operations.event_types import EVENT_TYPES, kind_of
from sidecar.core.operations.known_attributes import API_VERSION, ATTRIBUTES
from sidecar.core.operations.resources import RESOURCES
from sidecar.core.operations.rules import suggestion
from sidecar.settings.attribute_path import ObjectKind, names_of
from sidecar.settings.event_table import MUST, EventTable, Expected
from sidecar.settings.fault_text import shown
from sidecar.settings.toml_file import TWICE, FileFault, faults_of, parsed, read_text

_GROUP = "events"
_TYPES = sorted(EVENT_TYPES)


def read_event_rules(path: Path, customers: str, *, version: str) -> tuple[EventRule, ...]:
    """Read the file; `version` is the version of Stripe's API in use. Raises FileFault."""
    return parse_event_rules(read_text(path), customers, version=version)


def parse_event_rules(text: str, customers: str, *, version: str = API_VERSION) -> tuple[EventRule, ...]:
    """Give the rules in the file's order; `customers` is the customers collection. Raises FileFault."""
    groups = parsed(text)
    faults = [f'[{shown(name)}]: must be called [{_GROUP}."TYPE OF EVENT"]' for name in groups if name != _GROUP]
    group = groups.get(_GROUP, {})
    if not isinstance(group, dict):
        raise FileFault([*faults, f"[{_GROUP}]: must be a table"])
    named = list(_tables(group))
    times = Counter(name for name, _ in named)
    faults += [f"{_heading(name)}: {TWICE}" for name, count in times.items() if count > 1]
    rules = []
    for name, table in named:
        try:
            rules.append(_rule(name, _judged(name, table, customers, known_version=version == API_VERSION)))
        except FileFault as fault:
            faults += [f"{_heading(name)}: {each}" for each in fault.faults]
    if faults:
        raise FileFault(list(dict.fromkeys(faults)))
    return tuple(rules)


def _heading(name: str) -> str:
    return f'[{_GROUP}."{shown(name)}"]'


def _tables(group: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Give each table with its type, which may be written `[events."invoice.paid"]` or `[events.invoice.paid]`."""
    for name, member in group.items():
        beginning = f"{before}{name}."
        within = any(known.startswith(beginning) for known in _TYPES)
        if within and isinstance(member, dict) and member and all(isinstance(inner, dict) for inner in member.values()):
            yield from _tables(member, beginning)
        else:
            yield f"{before}{name}", member


def _judged(name: str, table: object, customers: str, *, known_version: bool) -> EventTable:
    """Raises FileFault."""
    if name not in EVENT_TYPES:
        asked = suggestion(name[:100], _TYPES) or "; docs.stripe.com/api/events/types lists them"
        raise FileFault([f"Stripe has no such type of event{asked}"])
    resource = RESOURCES.get(kind_of(name) or "")
    if resource is None:
        raise FileFault(["these events are about no object that this service can ask Stripe for; take the table out"])
    if not isinstance(table, dict):
        raise FileFault(["must be a table"])
    known = ATTRIBUTES.get(resource.kind) if known_version else None
    attributes = None if known is None else {*ALWAYS, DELETED, *known.split()}
    try:
        return EventTable.model_validate(table, context=Expected(ObjectKind(resource, attributes), customers))
    except ValidationError as error:
        raise FileFault([line for each in error.errors() for line in faults_of(each, EventTable, MUST)]) from None


def _rule(name: str, table: EventTable) -> EventRule:
    target = ItemTarget(table.collection, table.key) if table.collection and table.key else None
    fields = None if table.fields is None else {field: names_of(path) for field, path in table.fields.items()}
    return EventRule(name, table.flow, target, fields)
