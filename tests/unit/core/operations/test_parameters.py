"""Parameters at every depth, and what the table says with them."""

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
NEVER = {"expand", "on_behalf_of", "stripe_account", "transfer_data", "application_fee_amount", "metadata", "confirm"}


def test_values_are_found_at_every_depth() -> None:
    """Each value of the type is given with the place where it stands, in groups and lists and lists of groups."""
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
    """What is not there, or is of another shape, holds no value of the type."""
    assert [*found(PARAMETERS, values, Reference)] == []


def test_types_are_declared_at_every_depth() -> None:
    """All types that a request can hold are named, those within groups and lists too."""
    kinds = [type(kind) for kind in declared(PARAMETERS)]

    assert [Reference, Several, Group, Reference, Number, Group, Reference, Several] == kinds[:8]


def test_what_is_owned() -> None:
    """References to what belongs to customers are, those to the catalogue and plain values are not."""
    assert is_owned(Reference(CUSTOMER))
    assert is_owned(Reference(INVOICE))
    assert not any(is_owned(kind) for kind in (Reference(PRICE), Text(), Flag(), Email(), ReturnUrl()))


every_row = pytest.mark.parametrize("row", OPERATIONS, ids=[row.name for row in OPERATIONS])


@every_row
def test_no_row_takes_what_reaches_beyond_it(row: Operation) -> None:
    """R4: none takes a parameter that would widen the answer, act for another account, or name what is not typed."""
    assert {each.name for each in row.taken} & NEVER == set()


@every_row
def test_a_rows_parameters_do_not_contradict_themselves(row: Operation) -> None:
    """No name stands there twice, and of those of which one is to be sent none is required by itself."""
    names = [each.name for each in row.taken]

    assert len(names) == len(set(names))
    assert set(row.one_of) <= {each.name for each in row.parameters if not each.required}


@every_row
def test_how_much_is_paid_is_marked_as_such(row: Operation) -> None:
    """What says an amount needs the operator's word, in every row and nowhere deeper down."""
    assert all(each.amount for each in row.parameters if "amount" in each.name)
    deeper = [kind for each in row.parameters for kind in declared([each]) if isinstance(kind, Group)]
    assert [each.name for kind in deeper for each in kind.parameters if "amount" in each.name or each.amount] == []


@every_row
def test_a_row_can_hold_whom_it_says_it_holds(row: Operation) -> None:
    """Each way of holding a scoped caller has what it needs: a filter, an object of somebody's, or a reference."""
    references = [kind for kind in declared(row.parameters) if is_owned(kind)]
    match row.scoping:
        case Scoping.REFUSED:
            assert not row.resource.owned or row.kind is Kind.CREATE_CUSTOMER
            assert references == []
        case Scoping.IDENTITY:
            assert row.resource is CUSTOMER
        case Scoping.OWNED:
            assert row.path_resource is row.resource
            assert row.resource.owned
        case Scoping.FILLED:
            assert row.customer is not CustomerParameter.NOT_TAKEN
        case Scoping.REFERRED:
            assert set(row.resource.via) <= {each.name for each in row.parameters}
        case Scoping.FILTER:
            assert row.kind is Kind.LIST
            assert row.resource.owned


def test_a_value_unlike_its_type_is_no_group() -> None:
    """A list of groups in which something else stands does not end the search."""
    values = {"items": ["x", {"price": "price_1"}, None, [{"price": "price_2"}]]}

    assert [place for place, _, _ in found(PARAMETERS, values, Reference)] == ["items[1].price"]
