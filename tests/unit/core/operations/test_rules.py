"""The rules without a file, and what Directus's answer says about the rules."""

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.operations.rules import Rule, default_rules, unknown_collections, unknown_fields
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.collections import CUSTOMERS

OURS = FieldMap({"cus": ("id",), "name": ("name",)})
BASIC = ["payments.list", "payments.list_for_customer", "customers.list", "customers.create"]
ROWS = {row.name: row for row in OPERATIONS}


def rule(name: str, collection: str, **fields: str) -> Rule:
    field_map = FieldMap({field: (attribute,) for field, attribute in fields.items()})
    return Rule(ROWS[name], collection, Action.READ, field_map)


def test_only_the_basic_ones_are_on_by_themselves() -> None:
    """Without a file the four basic operations are on, each with its own action on the customers collection."""
    rules = default_rules(CUSTOMERS, OURS)

    assert sorted(BASIC) == sorted(each.operation.name for each in rules)
    assert {("customers", each.operation.action, False, None) for each in rules} == {
        (each.collection, each.action, each.amounts, each.prices) for each in rules
    }


def test_a_collection_that_directus_does_not_show_is_named() -> None:
    """A rule on a missing collection is reported with its operation; the customers collection is checked elsewhere."""
    rules = [rule("customers.retrieve", "customers"), rule("refunds.create", "refunds")]
    shown = Permissions({("refunds", Action.READ): Grant(Access.FULL, AllowedFields(frozenset({"id"})))})

    assert unknown_collections(rules, Permissions({}), "customers") == [
        "[refunds.create]: Directus shows no collection refunds to the service token; create it, then run `provision`"
    ]
    assert unknown_collections(rules, shown, "customers") == []


def test_a_field_that_the_collection_does_not_have_is_named() -> None:
    """Each field of a rule's own that its collection lacks is reported, with the name that may have been meant."""
    rules = [rule("refunds.create", "refunds", stat="status", id="id", gone="amount")]

    assert unknown_fields(rules, CUSTOMERS, OURS, {"refunds": ["id", "state"]}) == [
        "[refunds.create]: fields: refunds has no field stat; did you mean state?",
        "[refunds.create]: fields: refunds has no field gone",
    ]


def test_which_fields_are_not_judged() -> None:
    """Nothing is reported about STRIPE_FIELD_MAP's fields, the ID field, and a collection that could not be read."""
    rules = [
        *default_rules(CUSTOMERS, OURS),
        rule("customers.retrieve", "customers", cus="id", tel="phone"),
        rule("refunds.create", "refunds", stat="status"),
    ]

    assert unknown_fields(rules, CUSTOMERS, OURS, {"customers": ["id", "tel"]}) == []
    assert unknown_fields(rules[:-1], CUSTOMERS, OURS, {"customers": ["id"]}) == [
        "[customers.retrieve]: fields: customers has no field tel"
    ]
