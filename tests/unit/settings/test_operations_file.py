"""The operator's file: every word counts, and every fault is found and names its table."""

import json
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import Action
from sidecar.core.operations.known_attributes import API_VERSION
from sidecar.core.operations.rules import Rule, default_rules
from sidecar.core.operations.table import OPERATIONS
from sidecar.settings.operations_file import parse_rules, read_rules
from sidecar.settings.toml_file import FileFault
from tests.documents.pages import SIDECAR, block_after, text_of
from tests.doubles.collections import CUSTOMERS

ROOT = Path(__file__).parents[3]
MAP = FieldMap({"cus": ("id",), "name": ("name",)})
BASIC = ["payments.list", "payments.list_for_customer", "customers.list", "customers.create"]
NAMES = [row.name for row in OPERATIONS]


def parsed(text: str) -> dict[str, Rule]:
    return {rule.operation.name: rule for rule in parse_rules(text, CUSTOMERS, MAP)}


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(FileFault) as fault:
        parse_rules(text, CUSTOMERS, MAP)
    return fault.value.faults


def judged(text: str) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Give the rules, or the faults."""
    try:
        return parse_rules(text, CUSTOMERS, MAP), ()
    except FileFault as fault:
        return (), fault.faults


def test_an_empty_file_changes_nothing() -> None:
    """With an empty file the rules are those without a file."""
    assert (
        default_rules(CUSTOMERS, MAP) == parse_rules("", CUSTOMERS, MAP) == parse_rules("# nothing\n", CUSTOMERS, MAP)
    )


def test_a_bare_table_keeps_the_rows_defaults() -> None:
    """An empty table turns an operation on, for the customers collection and the row's own action."""
    rule = parsed("\n[customers.retrieve]\n")["customers.retrieve"]

    assert (
        rule.collection,
        rule.action,
        rule.field_map,
        rule.amounts,
        rule.prices,
    ) == ("customers", Action.READ, MAP, False, None)


def test_every_word_counts() -> None:
    """A table's collection, action, fields, amounts and prices become those of the rule."""
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


def test_what_is_open_to_everybody() -> None:
    """Without `public = true` no rule is public, and a requirement says so only where its rule does."""
    rules = parsed('[products.list]\ncollection = "shop"\npublic = true\n[prices.list]\ncollection = "shop"')

    assert [name for name, rule in rules.items() if rule.public] == ["products.list"]
    assert [name for name, rule in rules.items() if rule.requirement(CUSTOMERS).public] == ["products.list"]


def test_fields_of_another_collection_mean_nothing_by_default() -> None:
    """A field of the same name in another collection is another field: only the file can map it."""
    assert parsed('[invoices.list]\ncollection = "bills"')["invoices.list"].field_map.attributes == {}


def test_own_fields_keep_the_id_field() -> None:
    """On the customers collection the ID field contains the customer's ID, whatever else the file says."""
    rule = parsed('[customers.retrieve]\nfields = { tel = "phone" }')["customers.retrieve"]

    assert rule.field_map.attributes == {"cus": ("id",), "tel": ("phone",)}


def test_a_basic_operation_can_be_turned_off() -> None:
    """`enabled = false` turns an operation off, a basic one too, and needs no collection."""
    assert "payments.list" not in parsed("[payments.list]\nenabled = false\n[refunds.create]\nenabled = false")
    assert "payments.list" in parsed("[payments.list]\nenabled = true")


def test_amounts_pass_only_with_the_operators_word() -> None:
    """Parameters for amounts exist only if the file says `amounts = true`."""
    without = parsed('[payment_intents.create]\n[refunds.create]\ncollection="refunds"')
    with_it = parsed('[payment_intents.create]\namounts=true\n[refunds.create]\ncollection="refunds"\namounts=true')

    for name, amounts in (("payment_intents.create", {"amount", "currency"}), ("refunds.create", {"amount"})):
        before, after = ({each.name for each in rules[name].parameters} for rules in (without, with_it))
        assert amounts == after - before
        assert before < after


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[refunds.create]", "[refunds.create]: collection: is not set"),
        ("[products.list]", "[products.list]: collection: is not set"),
        ("\n\n[refund.create]", "[refund.create]: there is no such operation; did you mean refunds.create?"),
        ("[refunds]\nx = 1", "[refunds]: there is no such operation"),
        ("refunds = 3", "[refunds]: there is no such operation"),
        ("[customers]\nretrieve = true", "[customers]: there is no such operation"),
        ("[customers.retrieve]\ncolection = 'a'", "there is no setting colection; did you mean collection?"),
        ("[customers.retrieve.more]\na = 1", "[customers.retrieve]: there is no setting more"),
        ("[customers.retrieve]\ncollection = 'a b'", "collection: must be a collection that Directus serves"),
        ("[customers.retrieve]\ncollection = ''", "collection: must be a name of 1 to 128 visible characters"),
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
        ("[products.list]\ncollection = 'shop'\npublic = 1", "public: must be true or false"),
        ("[products.list]\npublic = true", "[products.list]: collection: is not set"),
        ("[products.list]\ncollection = 'customers'\npublic = true", "public: name another collection"),
        ("[checkout_sessions.create]\npublic = true", "public: name another collection, such as that of your orders"),
        (
            "[refunds.create]\ncollection = 'refunds'\npublic = true",
            "and this is about what belongs to customers; only checkout_sessions.create, products.list,",
        ),
        ("[customers.list]\npublic = true", "public: a request without a credential has no customer"),
        ("[balance_transactions.list]\ncollection = 'shop'\npublic = true", "this is about the account's own money"),
        ("[customers.retrieve]\nfields = 'x'", "fields: must name Stripe's attributes"),
        ("[customers.retrieve]\nfields = {a = 1}", "fields: must name Stripe's attributes"),
        ("[customers.retrieve]\nfields = {a = ['name', 1]}", "fields: must name Stripe's attributes"),
        ("[customers.retrieve]\nfields = {a = 'Name'}", "fields: must name Stripe's attributes"),
        ("[customers.retrieve]\nfields = {'a,b' = 'name'}", "fields: a,b: must be a name without ,"),
        ("[customers.retrieve]\nfields = {'a.b' = 'name'}", "fields: a.b: must be a field of the collection itself"),
        (
            "[customers.retrieve]\nfields = {a = 'nmae'}",
            "[customers.retrieve]: fields: a: Stripe's customer has no attribute nmae; did you mean name?",
        ),
        ("[refunds.list]\nfields = {a = ['status', 'phone']}", "fields: a: Stripe's refund has no attribute phone"),
        ("[customers.retrieve", "is not TOML"),
        ("[customers.retrieve]\n[customers.retrieve]", "[customers.retrieve]: is there twice"),
        ("[customers]\nretrieve = {}\n[customers.retrieve]", "[customers.retrieve]: is there twice"),
        ("[customers.retrieve]\n['customers.retrieve']", "[customers.retrieve]: is there twice"),
        ("['customers.retrieve']\naction = 'x'", "[customers.retrieve]: action: must be one of"),
        ("'customers.retrieve' = 1", "[customers.retrieve]: must be a table"),
        ("[customers.retrieve]\naction = 'read'\naction = 'read'", "is not TOML"),
        ("x = " + "[" * 5_000 + "]" * 5_000, "is not TOML"),
        ("x = " + "1" * 5_000, "is not TOML"),
        ("\x00", "is not TOML"),
    ],
)
def test_a_fault_names_its_table(text: str, fault: str) -> None:
    """An unknown name, a wrong value and a missing collection: each fault is one line with its place."""
    [found] = faults(text)

    assert fault in found


def test_all_faults_are_told_at_once() -> None:
    """The file is judged as a whole, so that all its faults can be fixed at once."""
    found = faults("[refunds.create]\namounts = 1\n\n[nothing.list]\n[customers.update]\naction = 'x'\nenabled = 1\n")

    assert [": ".join(fault.split(": ")[:2]) for fault in found] == [
        "[refunds.create]: collection",
        "[refunds.create]: amounts",
        f"[nothing.list]: there is no such operation; there are {', '.join(NAMES)}",
        "[customers.update]: enabled",
        "[customers.update]: action",
    ]


words = st.sampled_from(["collection", "action", "fields", "public", "amounts", "prices", "enabled", "x", "ä\n"])
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
    """Any TOML gives either rules or faults, each fault on one line that names its table."""
    lines = [f"{name} = {toml(value)}" for name, value in content.items()]

    rules, faults = judged("\n".join(lines))

    assert bool(rules) is not bool(faults)
    for each in faults:
        assert each.startswith(("[", "the file is not TOML: "))
        assert each.splitlines() == [each]
        assert each.isprintable()
    assert all(rule.collection and isinstance(rule.action, Action) for rule in rules)
    assert bool(faults) or {*BASIC} <= {rule.operation.name for rule in rules} | {*content}


@given(st.text())
def test_any_text_is_rules_or_faults(text: str) -> None:
    """A file that is not TOML is a fault as well."""
    rules, faults = judged(text)

    assert bool(rules) is not bool(faults)


@pytest.mark.parametrize(
    "name", ["refunds\ncreate", "refunds\u2028", "\x1b[2J", "r" * 500], ids=["line feed", "separator", "escape", "long"]
)
def test_a_name_stays_on_one_line(name: str) -> None:
    """A fault is one line of ordinary length, without control characters, for any name of a table."""
    [fault] = faults(f"[{json.dumps(name)}]\nx = 1")

    assert fault.isprintable()
    assert len(fault.partition("]: ")[0]) < 120


def test_the_file_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of 2,000 lines with a fault in each table is parsed once, however many tables and faults it has."""
    parse, parsed = tomllib.loads, []

    def counted(text: str) -> dict[str, Any]:
        parsed.append(text.count("\n"))
        return parse(text)

    monkeypatch.setattr(tomllib, "loads", counted)
    text = "".join(f"[group_{number}.list]\nenabled = true\n" for number in range(1_000))

    assert len(faults(text)) == 1_000
    assert parsed == [2_000]


def test_attributes_of_another_version_are_not_judged() -> None:
    """If another version of Stripe's API is requested, an attribute only has to look like one."""
    text = "[invoices.list]\nfields = { old = 'paid', state = 'STATE' }"

    with pytest.raises(FileFault) as now:
        parse_rules(text.replace("STATE", "status"), CUSTOMERS, MAP)
    rules = parse_rules(text.replace("STATE", "status"), CUSTOMERS, MAP, version="2024-06-20")
    with pytest.raises(FileFault) as malformed:
        parse_rules(text.replace("STATE", "a b"), CUSTOMERS, MAP, version="2024-06-20")

    assert now.value.faults == ("[invoices.list]: fields: old: Stripe's invoice has no attribute paid",)
    assert rules[-1].field_map.attributes == {"cus": ("id",), "old": ("paid",), "state": ("status",)}
    assert malformed.value.faults[0].startswith("[invoices.list]: fields: must name")


@pytest.mark.parametrize(
    "name",
    [
        "deploy/kubernetes/base/operations.toml",
        "deploy/demo/operations.toml",
        "deploy/demo/shop/operations.toml",
        "tests/doubles/operations.toml",
        "tests/integration/frontends/operations.toml",
    ],
)
def test_every_file_of_this_project_is_one(name: str) -> None:
    """The example files of this project have no fault."""
    assert len(read_rules(ROOT / name, CUSTOMERS, MAP, version=API_VERSION)) >= len(BASIC)


def test_the_documents_example_is_one() -> None:
    """The example in sidecar/README.md turns on and off what it says, and its `fields` suit a refund."""
    example = block_after(SIDECAR, "operations-file")
    [fields] = re.findall(r"`(fields = \{.*?\})`", text_of(SIDECAR))

    shown = parsed(example.replace('collection = "refunds"', f'collection = "refunds"\n{fields}'))

    assert shown.keys() - BASIC == {"billing_portal_sessions.create", "refunds.create", "checkout_sessions.create"}
    assert "customers.list" not in shown
    assert shown["refunds.create"].field_map.attributes == {"state": ("status",)}
