"""`set` and `allow` in the operator's file: what they mean, and every fault of theirs with its place."""

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.core.access.field_map import FieldMap
from sidecar.core.operations.known_attributes import API_VERSION
from sidecar.core.operations.operator_values import Allowed
from sidecar.core.operations.parameters import Chosen, Text
from sidecar.core.operations.row import Kind, Scoping
from sidecar.core.operations.rules import Rule
from sidecar.core.operations.table import OPERATIONS
from sidecar.settings.operations_file import parse_rules
from sidecar.settings.toml_file import FileFault
from tests.documents.pages import SIDECAR, block_after
from tests.doubles.collections import CUSTOMERS
from tests.doubles.process import ROOT

ROWS = {row.name: row for row in OPERATIONS}
ANOTHER_VERSION = "2020-08-27"
FILE = """
[checkout_sessions.create]
set.mode = "subscription"
set.automatic_tax.enabled = true
set.subscription_data.metadata.user = "$user"
allow = [
  "client_reference_id",
  "metadata.order_id",
  "subscription_data.metadata.cart.of",
  { discounts = [{ coupon = "SUMMER" }] },
  { subscription_data = { trial_period_days = 14 } },
  { discounts = [{ promotion_code = "promo_ABC" }] },
]
"""


def parsed(text: str, version: str = API_VERSION) -> dict[str, Rule]:
    rules = parse_rules(text, CUSTOMERS, FieldMap({}), version=version)
    return {rule.operation.name: rule for rule in rules}


def faults(text: str, version: str = API_VERSION) -> list[str]:
    with pytest.raises(FileFault) as fault:
        parsed(text, version)
    return list(fault.value.faults)


def judged(text: str, version: str) -> tuple[dict[str, Rule], tuple[str, ...]]:
    """Give the rules, or the faults."""
    try:
        return parsed(text, version), ()
    except FileFault as fault:
        return {}, fault.faults


def found(name: str, lines: str, version: str = API_VERSION) -> list[str]:
    """Give the faults of one table, without its name."""
    own = "" if ROWS[name].on_customers else 'collection = "shop"\n'
    return [line.removeprefix(f"[{name}]: ") for line in faults(f"[{name}]\n{own}{lines}", version)]


def test_every_word_counts() -> None:
    """What is set is the rule's, and so is what a client may choose: texts, and listed values by their place."""
    operator = parsed(FILE)["checkout_sessions.create"].operator

    assert operator.fixed == {
        "mode": "subscription",
        "automatic_tax": {"enabled": True},
        "subscription_data": {"metadata": {"user": "$user"}},
    }
    assert operator.allowed == (
        Allowed(("client_reference_id",), Text(200)),
        Allowed(("metadata", "order_id"), Text(500)),
        Allowed(("subscription_data", "metadata", "cart.of"), Text(500)),
        Allowed(("discounts",), Chosen(([{"coupon": "SUMMER"}], [{"promotion_code": "promo_ABC"}]))),
        Allowed(("subscription_data", "trial_period_days"), Chosen((14,))),
    )


OWN_KEY = "is a key of the service's own"
KEY_RULE = "a key has 1 to 40 characters, and no square brackets"
ROWS_DECIDE = "the caller's rows decide it"
WORD = "a word after $ must be $user or $item, and the whole text"
UNKNOWN = "Stripe has no such parameter"
MODES = "must be one of payment, setup, subscription"
ANY = "any value is only for client_reference_id and for keys of metadata"
SECONDS = "a time at Stripe is a whole number of seconds since 1970, such as 1767225600"
EACH = "write an entry of `allow` for each value"
SET, TWICE = "is decided by `set`", "is there in two ways"
FAULTS = {
    "checkout_sessions.create": [
        ("set = 3", "set: must be a table of Stripe's parameters"),
        ("set.mode = 'paid'", f"set: mode: {MODES}"),
        ("set.mode = '$user'", f"set: mode: {MODES}"),
        (
            "set.ui_mode = 'embedded'",
            "set: ui_mode: must be one of elements, embedded_page, form, hosted_page; did you m",
        ),
        (
            "set.trial_period_days = 14",
            f"set: trial_period_days: {UNKNOWN}; did you mean subscription_data.trial_perio",
        ),
        (
            "prices = ['price_1']\nset.line_items = [{ price = 'price_2' }]",
            "set: line_items[0].price: is none of `prices`",
        ),
        (
            "prices = ['price_1']\nallow = [{ line_items = [{ price = 'price_1' }, { price = 'price_2' }] }]",
            "allow: line_items[1].price: is none of `prices`",
        ),
        ("set.discount = 3", f"set: discount: {UNKNOWN}; did you mean discounts?"),
        ("set.coupon = 'A'", f"set: coupon: {UNKNOWN}; did you mean discounts[0].coupon?"),
        (
            "set.missing_payment_method = 'cancel'",
            f"set: missing_payment_method: {UNKNOWN}; did you mean subscription_",
        ),
        ("set.automatic_tax.tax_id_collection.enabled = true", f"set: automatic_tax.tax_id_collection: {UNKNOWN}"),
        ("set.payment_method_configuration = ''", "set: payment_method_configuration: must not be empty"),
        ("set.expires_at = 2026-01-01T00:00:00Z", f"set: expires_at: {SECONDS}"),
        ("set.customer = 'cus_1'", f"set: customer: {ROWS_DECIDE}"),
        ("set.customer_account = 'a'", f"set: customer_account: {ROWS_DECIDE}"),
        ("set.expand = ['customer']", "set: expand: is never sent"),
        ("set.stripe_account = 'a'", "set: stripe_account: the key decides the account"),
        ("set.discounts = []", "set: discounts: must not be empty"),
        ("set.expires_at = 2026-01-01", f"set: expires_at: {SECONDS}"),
        ("set.expires_at = 09:30:00", f"set: expires_at: {SECONDS}"),
        ("set.automatic_tax.liability.type = 'self'", "set: automatic_tax.enabled: is not set, and Stripe needs it"),
        ("set.metadata = ''", "set: metadata: must be a table"),
        ("set.metadata = {}", "set: metadata: must have 1 to 50 keys"),
        ("set.metadata.'a[b]' = 'x'", f"set: metadata.a[b]: {KEY_RULE}"),
        (f"set.metadata.{'k' * 41} = 'x'", f"set: metadata.{'k' * 41}: {KEY_RULE}"),
        (f"set.metadata.a = '{'x' * 501}'", "set: metadata.a: must be a text of at most 500"),
        ("set.metadata.directus_item = '1'", f"set: metadata.directus_item: {OWN_KEY}"),
        (
            "set.invoice_creation.invoice_data.metadata.directus_item = '1'",
            "set: invoice_creation.invoice_data.metadata.d",
        ),
        ("set.client_reference_id = '$users'", f"set: client_reference_id: {WORD}"),
        ("set.metadata.a = 'for $item'", f"set: metadata.a: {WORD}"),
        ("allow = 3", "allow: must be a list of places"),
        ("allow = [{}]", "allow: each entry: name one parameter in each table"),
        ("allow = [{ mode = 'payment', locale = 'de' }]", "allow: mode, locale: name one parameter in each table"),
        ("allow = [{ 'a\\n' = 1, b = 2 }]".replace("'", '"'), "allow: a\\n, b: name one parameter in each table"),
        ("allow = ['mode']", f"allow: mode: {ANY}"),
        ("allow = ['metadata']", f"allow: metadata: {ANY}"),
        ("allow = ['metadata.']", f"allow: metadata.: {ANY}"),
        ("allow = ['metadata.*']", "allow: metadata.*: name each key"),
        ("allow = ['discounts']", f"allow: discounts: {ANY}"),
        ("allow = 'client_reference_id'", "allow: must be a list of places"),
        ("allow = { discounts = [{ coupon = 'A' }] }", "allow: must be a list of places"),
        ("allow = [{ coupon = ['A', 'B'] }]", f"allow: coupon: {UNKNOWN}; did you mean discounts[0].coupon?"),
        ("allow = [{ discounts = [{ coupon = ['A', 'B'] }] }]", f"allow: discounts[0].coupon: must be a text; {EACH}"),
        ("allow = [{ locale = ['de', 'en'] }]", "allow: locale: must be one of auto, bg"),
        ("allow = [{ mode = ['payment', 'setup'] }]", f"allow: mode: {MODES}; {EACH}"),
        (
            "allow = [{ subscription_data = { trial_period_days = [7, 14] } }]",
            f"allow: subscription_data.trial_period_days: must be a whole number; {EACH}",
        ),
        ("allow = ['x_metadata.a']", f"allow: x_metadata.a: {ANY}"),
        ("allow = ['metadata.directus_item']", f"allow: metadata.directus_item: {OWN_KEY}"),
        ("allow = ['metadata.a]']", f"allow: metadata.a]: {KEY_RULE}"),
        ("allow = ['session_data.metadata.a']", f"allow: session_data: {UNKNOWN}"),
        ("allow = [{ mode = 'paid' }]", f"allow: mode: {MODES}"),
        ("allow = [{ customer = 'cus_1' }]", f"allow: customer: {ROWS_DECIDE}"),
        ("allow = [{ metadata = '' }]", "allow: metadata: must be a table"),
        ("allow = [{ client_reference_id = '$user' }]", "allow: client_reference_id: $user is only for `set`"),
        ("set.mode = 'setup'\nallow = [{ mode = 'payment' }]", f"allow: mode: {SET}"),
        (
            "set.discounts = [{ coupon = 'A' }]\nset.allow_promotion_codes = true",
            "set: allow_promotion_codes, discounts: set one of them",
        ),
        (
            "set.allow_promotion_codes = true\nallow = [{ discounts = [{ coupon = 'A' }] }]",
            "allow: discounts: Stripe takes one of allow_promotion_codes, discounts, and `set` has one",
        ),
        ("set.metadata.a = 'x'\nallow = ['metadata.a']", f"allow: metadata.a: {SET}"),
        ("set.metadata.a = 'x'\nallow = [{ metadata = { a = 'y', b = 'z' } }]", f"allow: metadata: {SET}"),
        ("allow = ['metadata.a', { metadata.a = 'x' }]", f"allow: metadata.a: {TWICE}"),
        ("allow = ['metadata.a', { metadata = { a = 'x', b = 'y' } }]", f"allow: metadata: {TWICE}"),
    ],
    "billing_portal_sessions.create": [
        ("allow = ['metadata.a']", f"allow: metadata: {UNKNOWN}"),
        ("allow = ['client_reference_id']", f"allow: client_reference_id: {UNKNOWN}"),
    ],
    "subscriptions.create": [
        ("set.default_payment_method = 'pm_1'", "set: default_payment_method: belongs to a customer"),
    ],
    "subscriptions.update": [("allow = [{ items = [{ id = 'si_1' }] }]", "allow: items[0].id: belongs to a customer")],
    "payment_intents.create": [
        ("set.metadata.price = 'x'", f"set: metadata.price: {OWN_KEY}"),
        ("allow = ['metadata.quantity']", f"allow: metadata.quantity: {OWN_KEY}"),
        ("set.price = 'prod_1'", "set: price: must be the ID of a price"),
        ("set.quantity = 0", "set: quantity: must be a whole number from 1"),
        ("set.quantity = true", "set: quantity: must be a whole number from 1"),
        ("set.currency = 'eur'", "set: currency: comes from price; leave it out"),
        ("set.amount = 5", "set: currency: is not set, and Stripe needs it"),
        ("set = { amount = 5, currency = 'eur', quantity = 2 }", "set: quantity: belongs to price; leave it out"),
        ("set = { amount = 5, price = 'price_1' }", "set: price, amount: set one of them"),
        ("set.price = 'price_1'\nallow = [{ amount = 5 }]", "allow: amount: Stripe takes one of price, amount, and"),
    ],
    "prices.retrieve": [("set.active = true", "set: this operation takes no parameters")],
    "customers.list": [("set.email = 'a@b.co'", "set: this operation takes no parameters")],
    "prices.list": [
        ("set.limit = 3", "set: limit: is for the request to say"),
        ("set.created.gt = 3", "set: created: is for the request to say"),
        ("set.lookup_keys = ['$user']", "set: lookup_keys[0]: a list is the same for everybody"),
        ("allow = [{ active = true }]", "allow: a client has no values to choose in a request with GET"),
    ],
    "subscriptions.cancel": [
        ("allow = [{ prorate = true }]", "allow: a client has no values to choose in a request with DELETE"),
    ],
}
MONTHLY = "{ currency = 'eur', product = 'prod_1', unit_amount = 5, recurring = { interval = 'month' } }"
LIABLE = "{ type = 'account', account = 'acct_1' }"
CASES = [pytest.param(name, *each, id=each[1][:60]) for name, cases in FAULTS.items() for each in cases]


@pytest.mark.parametrize(("name", "lines", "fault"), CASES)
def test_a_fault_names_its_place(name: str, lines: str, fault: str) -> None:
    """Whatever is wrong in `set` or `allow` is one line that says where it is and how to mend it."""
    [line] = [each for each in found(name, lines) if each.startswith(fault)]

    assert line.isprintable()


def test_all_faults_are_told_at_once() -> None:
    """Faults of both, beside those of other keys and tables, are told in one go, each once."""
    text = """
        [checkout_sessions.create]
        action = "see"
        set = { mod = "payment", discounts = [{ coupon = 1 }, { coupon = 2 }], metadata = { a = 1 } }
        allow = ["x", { mode = "paid" }]
        [billing_portal_sessions.create]
        set = { configuration = 7 }
    """

    assert [": ".join(line.split(": ")[:3]) for line in faults(text)] == [
        "[checkout_sessions.create]: action: must be one of create, read, update, delete, share",
        "[checkout_sessions.create]: set: metadata.a",
        "[checkout_sessions.create]: set: mod",
        "[checkout_sessions.create]: set: discounts[0].coupon",
        "[checkout_sessions.create]: set: discounts[1].coupon",
        "[checkout_sessions.create]: allow: x",
        "[checkout_sessions.create]: allow: mode",
        "[billing_portal_sessions.create]: set: configuration",
    ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("payment_intents.create", "set = { price = 'price_1', quantity = 2 }"),
        ("payment_intents.create", "set = { amount = 500, currency = 'eur' }"),
        ("payment_intents.create", "allow = [{ amount = 500 }, { amount = 900 }, { currency = 'eur' }]"),
        ("refunds.create", "set.amount = 100"),
        ("subscriptions.cancel", "set.prorate = true"),
        ("prices.list", "set = { active = true, lookup_keys = ['a', 'b'] }"),
        ("customers.create", "set.metadata = { item = '$item', user = '$user' }"),
        ("customers.update", "set.tax_exempt = 'none'\nallow = ['metadata.note']"),
        ("subscriptions.create", f"set.items = [{{ price_data = {MONTHLY} }}]"),
        (
            "checkout_sessions.create",
            f"set.automatic_tax.enabled = true\nallow = [{{ automatic_tax.liability = {LIABLE} }}]",
        ),
    ],
)
def test_what_an_operator_may_decide(name: str, lines: str) -> None:
    """Prices, amounts, what a list chooses by, and what Stripe takes beyond the table are the operator's to set."""
    own = "" if ROWS[name].on_customers else 'collection = "shop"\n'

    assert name in parsed(f"[{name}]\n{own}{lines}")


def test_an_item_needs_a_customer() -> None:
    """`$item` is a fault where an operation has no customer, and `$user` is none."""
    nobodys = [row for row in OPERATIONS if row.method == "POST" and row.scoping is Scoping.REFUSED]

    for row in nobodys:
        if row.kind is not Kind.CREATE_CUSTOMER:
            [fault] = found(row.name, "set = { metadata = { a = '$item' } }", ANOTHER_VERSION)
            assert "this operation has no customer" in fault


def test_another_version_is_not_judged_by_these_types() -> None:
    """With another version of Stripe's API no name and no type is a fault; what is never the operator's still is."""
    lines = "set = { customer = 'cus_1', mode = 'paid', more = { a = [1] } }\nallow = ['more.metadata.b', { new = 1 }]"

    assert found("checkout_sessions.create", lines, ANOTHER_VERSION) == ["set: customer: the caller's rows decide it"]


@pytest.mark.parametrize("version", [API_VERSION, ANOTHER_VERSION])
@pytest.mark.parametrize("key", ["set", "allow"])
def test_values_may_not_be_nested_without_end(version: str, key: str) -> None:
    """Values that are nested more deeply than anything at Stripe are one short fault, whatever their depth."""
    deep = f"{{ {'a.' * 5_000}b = 1 }}"
    lines = f"set = {deep}" if key == "set" else f"allow = [{deep}]"

    assert found("checkout_sessions.create", lines, version) == [f"{key}: a: is nested too deeply"]


names = st.sampled_from(["mode", "metadata", "customer", "discounts", "coupon", "a[b", "$user", "", "é\n"])
values = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "$user", "$item", "$x", "payment"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\n", "\\n") + '"'
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{toml(name)} = {toml(member)}" for name, member in value.items()) + "}"
        case _:
            return str(value)


@example("checkout_sessions.create", {}, [{"mode": 1, "é\n": 1}], API_VERSION)
@example("checkout_sessions.create", {"é\n": 1}, ["é\n"], ANOTHER_VERSION)
@given(st.sampled_from(sorted(ROWS)), values, values, st.sampled_from([API_VERSION, ANOTHER_VERSION]))
def test_any_values_are_a_rule_or_faults(name: str, fixed: object, allow: object, version: str) -> None:
    """Whatever the two keys have, it is a rule whose parameters can be told, or faults on a line each."""
    text = f'["{name}"]\ncollection = "shop"\nset = {toml(fixed)}\nallow = {toml(allow)}'

    rules, faults = judged(text, version)

    assert (name in rules) is not bool(faults)
    assert all(line.isprintable() and line.startswith(f"[{name}]: ") for line in faults)
    assert not {"customer_account", "expand"} & {each.name for rule in rules.values() for each in rule.parameters}


def test_the_documents_example_is_one() -> None:
    """The example in sidecar/README.md sets and allows what it says."""
    rules = parsed(block_after(SIDECAR, "set-and-allow"))

    assert {name for name, rule in rules.items() if rule.operator.fixed} == {
        "checkout_sessions.create",
        "subscriptions.create",
        "billing_portal_sessions.create",
        "prices.list",
    }
    assert len(rules["checkout_sessions.create"].operator.allowed) == 4


@pytest.mark.process
@pytest.mark.parametrize(("lines", "loaded"), [("", False), ("set = { mode = 'payment' }", True)])
def test_stripes_types_are_loaded_only_to_judge(lines: str, loaded: bool) -> None:  # noqa: FBT001 - a case's value
    """A file without `set` and `allow` does not cost the loading of Stripe's library."""
    program = (
        "import sys; from sidecar.settings.operations_file import parse_rules; "
        "from sidecar.core.access.field_map import FieldMap; from tests.doubles.collections import CUSTOMERS; "
        "parse_rules(sys.argv[1], CUSTOMERS, FieldMap({})); print('stripe' in sys.modules)"
    )
    text = f"[checkout_sessions.create]\n{lines}"

    told = subprocess.run([sys.executable, "-c", program, text], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own program

    assert told.stdout.strip() == str(loaded)
