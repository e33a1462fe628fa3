"""What the operator's file turns on: every word of it counts, and every fault is found with its line."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.operations.rules import Rule, RulesFault, default_rules, parse_rules, unknown_collections
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.collections import CUSTOMERS

MAP = FieldMap({"cus": ("id",), "name": ("name",)})
BASIC = ["payments.list", "payments.list_for_customer", "customers.list", "customers.create"]
NAMES = [row.name for row in OPERATIONS]


def parsed(text: str) -> dict[str, Rule]:
    return {rule.operation.name: rule for rule in parse_rules(text, CUSTOMERS, MAP)}


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(RulesFault) as fault:
        parse_rules(text, CUSTOMERS, MAP)
    return fault.value.faults


def judged(text: str) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Give the rules, or the faults."""
    try:
        return parse_rules(text, CUSTOMERS, MAP), ()
    except RulesFault as fault:
        return (), fault.faults


def test_only_the_basic_ones_are_on_by_themselves() -> None:
    """Without a file, and with an empty one, the four basic operations are on, on the customers collection."""
    expected = default_rules(CUSTOMERS, MAP)

    assert sorted(BASIC) == sorted(rule.operation.name for rule in expected)
    assert expected == parse_rules("", CUSTOMERS, MAP) == parse_rules("# nothing\n", CUSTOMERS, MAP)
    assert {("customers", rule.operation.action, False, None) for rule in expected} == {
        (rule.collection, rule.action, rule.amounts, rule.prices) for rule in expected
    }


def test_a_bare_table_keeps_the_rows_defaults() -> None:
    """An empty table turns an operation on, for the customers collection and the row's own action."""
    rule = parsed("\n[customers.retrieve]\n")["customers.retrieve"]

    assert (
        rule.collection,
        rule.action,
        rule.field_map,
        rule.amounts,
        rule.prices,
        rule.line,
    ) == ("customers", Action.READ, MAP, False, None, 2)


def test_every_word_counts() -> None:
    """Collection, action, fields, amounts and prices become the rule's."""
    text = """
        [payment_intents.create]
        collection = "orders"
        action = "create"
        amounts = true
        prices = ["price_1", "price_2"]
        fields = { state = "status", sum = ["amount", "amount_received"] }
    """

    rule = parsed(text)["payment_intents.create"]

    assert ("orders", Action.CREATE, True, frozenset({"price_1", "price_2"})) == (
        rule.collection,
        rule.action,
        rule.amounts,
        rule.prices,
    )
    assert FieldMap({"state": ("status",), "sum": ("amount", "amount_received")}) == rule.field_map


def test_another_collections_fields_stand_for_nothing_unless_said() -> None:
    """A field of the same name in another collection is another field: only the file can give it a meaning."""
    assert parsed('[invoices.list]\ncollection = "bills"')["invoices.list"].field_map.attributes == {}


def test_own_fields_keep_the_id_field() -> None:
    """On the customers collection the ID field stands for the customer's ID, whatever else the file says."""
    rule = parsed('[customers.retrieve]\nfields = { tel = "phone" }')["customers.retrieve"]

    assert rule.field_map.attributes == {"cus": ("id",), "tel": ("phone",)}


def test_a_basic_operation_can_be_turned_off() -> None:
    """`enabled = false` takes an operation away, a basic one too, and needs no collection for it."""
    assert "payments.list" not in parsed("[payments.list]\nenabled = false\n[refunds.create]\nenabled = false")
    assert "payments.list" in parsed("[payments.list]\nenabled = true")


def test_amounts_pass_only_with_the_operators_word() -> None:
    """What says how much is paid is a parameter only where the file says `amounts = true`."""
    without = parsed('[payment_intents.create]\n[refunds.create]\ncollection="refunds"')
    with_it = parsed('[payment_intents.create]\namounts=true\n[refunds.create]\ncollection="refunds"\namounts=true')

    for name, amounts in (("payment_intents.create", {"amount", "currency"}), ("refunds.create", {"amount"})):
        before, after = ({each.name for each in rules[name].parameters} for rules in (without, with_it))
        assert amounts == after - before
        assert before < after


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[refunds.create]", "line 1, [refunds.create]: no rule"),
        ("[products.list]", "line 1, [products.list]: no rule"),
        ("\n\n[refund.create]", "line 3, [refund.create]: there is no such operation; did you mean refunds.create?"),
        ("[refunds]\nx = 1", "line 1, [refunds]: there is no such operation"),
        ("refunds = 3", "line 1, [refunds]: there is no such operation"),
        ("[customers]\nretrieve = true", "line 1, [customers]: there is no such operation"),
        ("[customers.retrieve]\ncolection = 'a'", "there is no setting colection; did you mean collection?"),
        ("[customers.retrieve.more]\na = 1", "line 1, [customers.retrieve]: there is no setting more"),
        ("[customers.retrieve]\ncollection = 'a-b'", "collection: must be the name of a collection"),
        ("[customers.retrieve]\ncollection = ''", "collection: must be the name of a collection"),
        ("[customers.retrieve]\ncollection = ['a']", "collection: must be the name of a collection"),
        ("[customers.retrieve]\naction = 'READ'", "action: must be one of create, read"),
        ("[customers.retrieve]\naction = ['read']", "action: must be one of create, read"),
        ("[customers.retrieve]\nenabled = 'no'", "enabled: must be true or false"),
        ("[customers.retrieve]\nenabled = 0", "enabled: must be true or false"),
        ("[payment_intents.create]\namounts = 'true'", "amounts: must be true or false"),
        ("[customers.retrieve]\namounts = true", "amounts: this operation takes no amount"),
        ("[payment_intents.create]\nprices = []", "prices: must be a list of price IDs"),
        ("[payment_intents.create]\nprices = 'price_1'", "prices: must be a list of price IDs"),
        ("[payment_intents.create]\nprices = ['price_1', 'prod_1']", "prices: must be a list of price IDs"),
        ("[payment_intents.create]\nprices = [['price_1']]", "prices: must be a list of price IDs"),
        ("[customers.retrieve]\nprices = ['price_1']", "prices: this operation takes no price"),
        ("[subscriptions.list]\nprices = ['price_1']", "prices: this operation takes no price"),
        ("[customers.retrieve]\nfields = 'x'", "fields: must name Stripe's attributes"),
        ("[customers.retrieve]\nfields = {a = 1}", "fields: must name Stripe's attributes"),
        ("[customers.retrieve]\nfields = {a = ['b', 1]}", "fields: must name Stripe's attributes"),
        ("[customers.retrieve", "is not TOML"),
        ("[customers.retrieve]\n[customers.retrieve]", "is not TOML"),
        ("x = " + "[" * 5_000 + "]" * 5_000, "is not TOML"),
        ("x = " + "1" * 5_000, "is not TOML"),
        ("\x00", "is not TOML"),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, fault: str) -> None:
    """An unknown name, a setting that does not fit, an operation without a rule: each fault names its place."""
    [found] = faults(text)

    assert fault in found


def test_lines_are_those_of_an_editor() -> None:
    """Only a line feed ends a line: nothing that Python alone takes for one moves the count, nor do texts of lines."""
    text = '# a\x85b\u2028c\r\n[customers.retrieve]\nfields = { a = """\n[customers.update]\n""" }\n[refunds.create]'

    assert [fault.split(",")[0] for fault in faults(text)] == ["line 6"]


def test_all_faults_are_told_at_once() -> None:
    """The file is judged whole, so that it is mended in one go."""
    found = faults("[refunds.create]\namounts = 1\n\n[nothing.list]\n[customers.update]\naction = 'x'\nenabled = 1\n")

    assert [fault.split(",")[0] for fault in found] == ["line 1", "line 1", "line 4", "line 5", "line 5"]


words = st.sampled_from(["collection", "action", "fields", "amounts", "prices", "enabled", "x", "ä\n"])
values = st.recursive(
    st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=True) | st.dates()
    | st.sampled_from(["refunds", "read", "price_1", "", "é", "\n", "status", date(2026, 1, 1)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


def toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{quoted(name)} = {toml(member)}" for name, member in value.items()) + "}"
        case _:
            return str(value)


def quoted(text: str) -> str:
    return '"' + text.replace("\n", "\\n") + '"'


tables = st.dictionaries(st.sampled_from([*NAMES, "refunds", "no.such", "customers.x.y"]), values, max_size=4)


@given(tables)
def test_whatever_the_file_says_it_is_rules_or_faults(content: dict[str, object]) -> None:
    """Any TOML is either read into rules or told as faults, each with the line where that operation's table begins."""
    lines = [f"{name} = {toml(value)}" for name, value in content.items()]

    rules, faults = judged("\n".join(lines))

    assert bool(rules) is not bool(faults)
    for each in faults:
        number = each.removeprefix("line ").split(",")[0]
        assert each.startswith("is not TOML") or 1 <= int(number) <= len(lines)
    assert all(rule.collection and isinstance(rule.action, Action) for rule in rules)
    assert bool(faults) or {*BASIC} <= {rule.operation.name for rule in rules} | {*content}


@given(st.text())
def test_any_text_is_rules_or_faults(text: str) -> None:
    """A file that is no TOML at all ends in a fault as well."""
    rules, faults = judged(text)

    assert bool(rules) is not bool(faults)


def test_a_collection_that_directus_does_not_show_is_named() -> None:
    """A rule on a collection that is not there is told with its line; the customers' is looked at elsewhere."""
    rules = parse_rules("[customers.retrieve]\n[refunds.create]\ncollection='refunds'\n", CUSTOMERS, MAP)
    shown = Permissions({("refunds", Action.READ): Grant(Access.FULL, AllowedFields(frozenset({"id"})))})

    [fault] = unknown_collections(rules, Permissions({}), "customers")

    assert fault.startswith("line 2, [refunds.create]: ")
    assert "refunds" in fault
    assert unknown_collections(rules, shown, "customers") == []
