"""What of Stripe's object a rule tells."""

import pytest

from sidecar.core.flows.event_rules import EventRule, ItemTarget, Path, value_at, written
from sidecar.core.operations.resources import StripeObject

INVOICE: StripeObject = {
    "id": "in_1",
    "object": "invoice",
    "total": 0,
    "address": {"city": "London"},
    "lines": {"data": [{"amount": 5}, {"amount": 7}]},
    "metadata": {"a.b": "c"},
    "number": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("total",), 0),
        (("address",), {"city": "London"}),
        (("address", "city"), "London"),
        (("address", "city", "x"), None),
        (("lines", "data", "1", "amount"), 7),
        (("lines", "data", "2", "amount"), None),
        (("lines", "data", "-1"), None),
        (("lines", "data", "²"), None),
        (("lines", "data", "9" * 64), None),
        (("lines", "0"), None),
        (("metadata", "a.b"), "c"),
        (("number", "x"), None),
        (("missing",), None),
        (("deleted",), False),
    ],
)
def test_the_value_at_a_path(path: Path, value: object) -> None:
    """A path leads by names and positions; where it ends early there is no value."""
    assert value_at(INVOICE, path) == value


def test_a_rule_without_fields() -> None:
    """Without fields the whole object is told."""
    assert EventRule("invoice.paid", "flow").told(INVOICE) == INVOICE


def test_a_deleted_object() -> None:
    """Of a deleted object only what Stripe says of it is told: nothing is emptied."""
    fields = {"total": ("total",), "gone": ("deleted",), "which": ("id",), "kind": ("object",)}
    gone: StripeObject = {"id": "in_1", "object": "invoice", "deleted": True}

    told = EventRule("invoice.deleted", "flow", fields=fields).told(gone)

    assert told == {"gone": True, "which": "in_1", "kind": "invoice"}


def test_the_fields_of_each_collection() -> None:
    """Several types may write one collection, also by different keys; a Flow writes nothing."""
    rules = [
        EventRule("a.b", None, ItemTarget("orders", "session"), {"total": ("amount_total",)}),
        EventRule("c.d", "flow", ItemTarget("orders", "invoice"), {"paid": ("amount_paid",)}),
        EventRule("e.f", None, ItemTarget("goods", "product"), {"name": ("name",)}),
        EventRule("g.h", "flow", None, {"x": ("y",)}),
    ]

    assert written(rules) == {"orders": {"session", "total", "invoice", "paid"}, "goods": {"product", "name"}}
