"""What the operator decides of parameters: which are left to clients, what is sent, and that no client changes it."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import Action
from sidecar.core.operations.operator_values import (
    ITEM,
    USER,
    Allowed,
    OperatorValues,
    completed,
    decided_place,
    filled,
    place_of,
)
from sidecar.core.operations.parameters import Chosen, Flag, Group, Parameter, Text
from sidecar.core.operations.rules import Rule
from sidecar.core.operations.table import OPERATIONS

ROWS = {row.name: row for row in OPERATIONS}


def rule(name: str, fixed: Mapping[str, object], *allowed: Allowed, amounts: bool = False) -> Rule:
    return Rule(
        ROWS[name], "customers", Action.READ, FieldMap({}), amounts=amounts, operator=OperatorValues(fixed, allowed)
    )


def names(wanted: Rule) -> list[str]:
    return [each.name for each in wanted.parameters]


def test_what_is_set_is_no_clients() -> None:
    """A parameter that is set is not among a client's, required or not; the others stay as they are."""
    without, with_it = rule("checkout_sessions.create", {}), rule("checkout_sessions.create", {"mode": "payment"})

    assert [each for each in without.parameters if each.name != "mode"] == list(with_it.parameters)


def test_members_beside_a_set_one_stay() -> None:
    """Where one member of an object is set, a client may send the others; where all are, it sends no such object."""
    some = rule("customers.update", {"address": {"country": "AT"}})
    every = rule(
        "customers.update",
        {"address": dict.fromkeys(("line1", "line2", "city", "state", "postal_code", "country"), "x")},
    )

    [address] = [each.type for each in some.parameters if each.name == "address"]
    assert isinstance(address, Group)
    assert [each.name for each in address.parameters] == ["line1", "line2", "city", "state", "postal_code"]
    assert "address" not in names(every)


def test_a_set_value_decides_between_alternatives() -> None:
    """A set price leaves a client the quantity, a set amount not even the currency; nothing is required then."""
    by_price = rule("payment_intents.create", {"price": "price_1"}, amounts=True)
    by_amount = rule("payment_intents.create", {"amount": 500, "currency": "eur"}, amounts=True)
    paid = {"price", "quantity", "amount", "currency"}

    assert {"quantity"} == paid & set(names(by_price))
    assert set() == paid & set(names(by_amount))
    assert (by_price.one_of, by_amount.one_of, rule("payment_intents.create", {}).one_of) == ([], [], ["price"])


def test_what_is_allowed_is_added_or_narrowed() -> None:
    """A place that the table does not have is added, at any depth; one that it has takes the listed values alone."""
    reference, cart = Allowed(("client_reference_id",), Text(200)), Allowed(("metadata", "cart"), Text(500))
    order, mode = Allowed(("metadata", "order"), Text(500)), Allowed(("mode",), Chosen(("payment",)))

    shown = rule("checkout_sessions.create", {}, reference, cart, order, mode)

    found = {each.name: each for each in shown.parameters}
    assert found["client_reference_id"] == Parameter("client_reference_id", Text(200))
    assert found["metadata"].type == Group((Parameter("cart", Text(500)), Parameter("order", Text(500))))
    assert found["mode"] == Parameter("mode", Chosen(("payment",)), required=True)


def test_a_narrowed_value_cannot_be_cleared() -> None:
    """What null unsets in a change is no longer unset where the operator lists the values."""
    listed = rule("customers.update", {}, Allowed(("preferred_locales",), Chosen((["de"],))))

    assert [each.clearable for each in listed.parameters if each.name == "preferred_locales"] == [False]


def test_listed_values_are_compared_as_json() -> None:
    """`true` is not 1, and 1 is 1.0; the order of members does not count, that of entries does."""
    listed = Chosen((1, [{"a": 1, "b": [True]}], ["x", "y"]))
    others: tuple[object, ...] = (
        True,
        "1",
        {},
        [{"a": 1}],
        [{"a": 1, "b": [1]}],
        [{"a": True, "b": [True]}],
        ["y", "x"],
    )

    assert listed.same(1.0) == 1
    assert listed.same([{"b": [True], "a": 1.0}]) == [{"a": 1, "b": [True]}]
    assert [listed.same(each) for each in others] == [None] * len(others)


def test_placeholders_are_whole_texts() -> None:
    """Only a text that is nothing but a placeholder is replaced, at every depth."""
    fixed = {"a": USER, "b": [{"c": ITEM}, f" {USER}"], "d": {"e": 1}}

    assert filled(fixed, {USER: "u", ITEM: "7"}) == {"a": "u", "b": [{"c": "7"}, f" {USER}"], "d": {"e": 1}}
    assert (place_of(USER, fixed), place_of(ITEM, fixed)) == ("a", "b[0].c")
    assert place_of(ITEM, {"a": f"{ITEM}s"}) is None


keys = st.sampled_from(["a", "b", "metadata", "é"])
leaves = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x", USER])
tables = st.recursive(
    st.dictionaries(keys, leaves, min_size=1, max_size=3),
    lambda inner: st.dictionaries(keys, leaves | inner | st.lists(leaves | inner, max_size=2), min_size=1, max_size=3),
    max_leaves=8,
)


def group(values: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Offer a client objects wherever there is one, so that it may send as much as possible."""
    return tuple(
        Parameter(name, Group((*group(value), Parameter("more", Flag()))) if isinstance(value, dict) else Flag())
        for name, value in values.items()
    )


def holds(sent: object, fixed: object) -> bool:
    """Say whether everything that is fixed is in what is sent, as it was written."""
    if isinstance(fixed, dict):
        return isinstance(sent, dict) and all(name in sent and holds(sent[name], fixed[name]) for name in fixed)
    return json.dumps(sent) == json.dumps(fixed)


@given(tables, tables)
def test_no_client_changes_what_is_set(sent: dict[str, Any], fixed: dict[str, Any]) -> None:
    """Whatever a client sends, either the place of a set value in it is named, or all that is set arrives unchanged."""
    place = decided_place(sent, fixed, group(fixed))
    merged = completed(sent, fixed)

    assert holds(merged, fixed)
    assert place is not None or holds(merged, sent)


@given(tables, tables)
def test_nothing_is_named_that_is_not_set(sent: dict[str, Any], fixed: dict[str, Any]) -> None:
    """A request with nothing at, above or below a set place is not refused for it."""
    place = decided_place(sent, fixed, group(fixed))

    if place is not None:
        found: Any = (sent, fixed)
        for name in place.split("."):
            found = tuple(each[name] for each in found)
        assert not all(isinstance(each, dict) for each in found)
