"""Parameters at every depth, and how the table uses them."""

import pytest

from sidecar.core.operations.parameters import (
    Email,
    Flag,
    Group,
    Number,
    Parameter,
    Reference,
    ReturnUrl,
    Several,
    Text,
    declared,
    found,
    is_owned,
)
from sidecar.core.operations.resources import CUSTOMER, INVOICE, PAYMENT_METHOD, PRICE
from sidecar.core.operations.row import CustomerParameter, Kind, Operation, Scoping
from sidecar.core.operations.table import OPERATIONS

ITEMS = Several(Group((Parameter("price", Reference(PRICE)), Parameter("quantity", Number(1, 9)))), 20)
PARAMETERS = (
    Parameter("customer", Reference(CUSTOMER)),
    Parameter("items", ITEMS),
    Parameter("settings", Group((Parameter("method", Reference(PAYMENT_METHOD)), Parameter("items", ITEMS)))),
    Parameter("note", Text()),
)
PAYING = {
    *("bill_for", "billing_cycle_anchor", "cancel_at", "invoice_now", "pause_collection", "prorate"),
    *("proration_behavior", "trial_end"),
}
NEVER = {"expand", "on_behalf_of", "stripe_account", "transfer_data", "application_fee_amount", "metadata", "nonce"}


def test_values_are_found_at_every_depth() -> None:
    """Each value of the type is given with its place, in groups, in lists and in lists of groups."""
    values = {
        "customer": "cus_1",
        "items": [{"price": "price_1"}, {"quantity": 2}, {"price": "price_2"}],
        "settings": {"method": "pm_1", "items": [{"price": "price_3"}]},
        "note": "price_4",
    }

    assert [(place, kind.resource, value) for place, kind, value in found(PARAMETERS, values, Reference)] == [
        ("customer", CUSTOMER, "cus_1"),
        ("items[0].price", PRICE, "price_1"),
        ("items[2].price", PRICE, "price_2"),
        ("settings.method", PAYMENT_METHOD, "pm_1"),
        ("settings.items[0].price", PRICE, "price_3"),
    ]


@pytest.mark.parametrize("values", [{}, {"items": None, "settings": None}, {"items": "x", "settings": ["y"]}, {"z": 1}])
def test_nothing_is_found_where_nothing_fits(values: dict[str, object]) -> None:
    """A missing or malformed parameter contains no value of the type."""
    assert [*found(PARAMETERS, values, Reference)] == []


def test_types_are_declared_at_every_depth() -> None:
    """All types that a request can contain are named, including those inside groups and lists."""
    kinds = [type(kind) for kind in declared(PARAMETERS)]

    assert [Reference, Several, Group, Reference, Number, Group, Reference, Several] == kinds[:8]


def test_references_with_an_owner() -> None:
    """References to objects of customers have an owner; references to the catalog and plain values have none."""
    assert is_owned(Reference(CUSTOMER))
    assert is_owned(Reference(INVOICE))
    assert not any(is_owned(kind) for kind in (Reference(PRICE), Text(), Flag(), Email(), ReturnUrl()))


every_row = pytest.mark.parametrize("row", OPERATIONS, ids=[row.name for row in OPERATIONS])


@every_row
def test_no_row_takes_a_parameter_that_reaches_beyond_it(row: Operation) -> None:
    """R4: no row takes a parameter that widens the answer, acts for another account, or names an untyped object."""
    assert {each.name for each in row.taken} & NEVER == set()


@every_row
def test_a_rows_parameters_do_not_contradict_themselves(row: Operation) -> None:
    """No name occurs twice, and no parameter of a choice is required by itself."""
    names = [each.name for each in row.taken]

    assert len(names) == len(set(names))
    assert set(row.one_of) <= {each.name for each in row.parameters if not each.required}


@every_row
def test_amounts_are_marked(row: Operation) -> None:
    """What decides how much is paid, or when, needs the operator's consent, in every row, and none is nested."""
    assert all(each.amount for each in row.parameters if "amount" in each.name or each.name in PAYING)
    deeper = [kind for each in row.parameters for kind in declared([each]) if isinstance(kind, Group)]
    assert [each.name for kind in deeper for each in kind.parameters if "amount" in each.name or each.amount] == []


@every_row
def test_a_row_can_limit_scoped_callers_as_it_says(row: Operation) -> None:
    """Each way to limit a scoped caller has what it needs: a filter, an owned object, or a reference."""
    references = [kind for kind in declared(row.parameters) if is_owned(kind)]
    match row.scoping:
        case Scoping.REFUSED:
            assert not row.resource.owned or row.kind in {Kind.CREATE_CUSTOMER, Kind.SEARCH}
            assert references == []
        case Scoping.IDENTITY:
            assert row.resource is CUSTOMER
        case Scoping.OWNED:
            assert row.path_resource is row.resource
            assert row.resource.owned
        case Scoping.FILLED:
            assert row.customer is not CustomerParameter.NOT_TAKEN or row.path_resource is CUSTOMER
        case Scoping.REFERRED:
            assert set(row.resource.via) <= {each.name for each in row.parameters}
        case Scoping.FILTER:
            assert row.kind is Kind.LIST
            assert row.resource.owned


def test_a_value_unlike_its_type_is_no_group() -> None:
    """A list of groups with a foreign element does not end the search."""
    values = {"items": ["x", {"price": "price_1"}, None, [{"price": "price_2"}]]}

    assert [place for place, _, _ in found(PARAMETERS, values, Reference)] == ["items[1].price"]
