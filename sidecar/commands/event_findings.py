"""What `check` and `provision` find about the Flows and collections of STRIPE_EVENTS. Plain functions without I/O."""

from collections.abc import Iterator, Mapping, Sequence

from sidecar.commands.lines import Line, Word
from sidecar.core.flows.event_rules import EventRule
from sidecar.core.operations.rules import suggestion

Row = Mapping[str, object]
_WEBHOOK, _METHOD = "webhook", "POST"


def about(rule: EventRule, word: Word, text: str) -> Line:
    """Make the line about one table of the file."""
    return Line(word, f'STRIPE_EVENTS: [events."{rule.type}"]: {text}')


def fault(rule: EventRule, text: str) -> Line:
    return about(rule, Word.FAULT, text)


def flow_lines(rules: Sequence[EventRule], rows: Sequence[Row]) -> Iterator[Line]:
    """Judge each Flow that a rule starts; `rows` are those that Directus shows, with status, trigger and options."""
    there = {str(row.get("id")).lower(): row for row in rows}
    for rule in rules:
        if rule.flow is None:
            continue
        row = there.get(rule.flow)
        if row is None:
            yield fault(rule, "flow: Directus shows no Flow with this ID; create it, then run `provision`")
        else:
            yield _flow_line(rule, row)


def _flow_line(rule: EventRule, row: Row) -> Line:
    options = row.get("options")
    options = options if isinstance(options, dict) else {}
    if row.get("status") != "active":
        return fault(rule, "flow: the Flow is not active, so Directus refuses to start it; activate it")
    if row.get("trigger") != _WEBHOOK or options.get("method", "GET") != _METHOD:
        return fault(rule, "flow: nothing but a POST may start the Flow; give it the trigger Webhook, method POST")
    if options.get("async") is True:
        return about(rule, Word.NOTE, "the Flow answers before it has run: what fails in it shows in its log alone")
    if options.get("error_on_reject") is not True:
        return about(
            rule,
            Word.NOTE,
            "the Flow answers success even where it fails; turn on `error_on_reject` in its trigger's options, and "
            "Stripe repeats the event",
        )
    return about(rule, Word.OK, "starts a Flow, and again until it ends well")


def collection_lines(rules: Sequence[EventRule], fields: Mapping[str, Sequence[Row]]) -> Iterator[Line]:
    """Judge the collections that rules write; `fields` has the rows of the fields of each collection that is there."""
    for rule in rules:
        if rule.target is None:
            continue
        rows = fields.get(rule.target.collection)
        if rows is None:
            yield fault(rule, f"Directus has no collection {rule.target.collection}; create it, then run `provision`")
            continue
        names = {str(row.get("field")): row for row in rows}
        wanted = [rule.target.key, *(rule.fields or ())]
        for name in (name for name in wanted if name not in names):
            yield fault(rule, f"{rule.target.collection} has no field {name}{suggestion(name, names)}")
        if rule.target.key in names and not is_unique(names[rule.target.key]):
            yield fault(rule, not_unique(rule.target.collection, rule.target.key))


def is_unique(row: Row) -> bool:
    match row:
        case {"schema": {"is_unique": True} | {"is_primary_key": True}}:
            return True
        case _:
            return False


def not_unique(collection: str, key: str) -> str:
    return (
        f"key: {collection}.{key} is not unique, so two events at once make two items; turn on `Value has to be "
        "unique` in that field's schema"
    )
