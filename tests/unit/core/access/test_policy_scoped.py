"""The decision for operations with a collection of their own, and for item rules of several actions."""

from itertools import product

import pytest

from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.policy import Decision, Reason, Requirement, authorize, explain
from tests.doubles.collections import CUSTOMERS

NONE, PARTIAL, FULL = Access
REFUND = Requirement("refunds", Action.CREATE, CUSTOMERS, scopable=True)
CHANGE = Requirement("customers", Action.UPDATE, CUSTOMERS, scopable=True)
FREE = Decision(allowed=True, reason=Reason.GRANTED)
SCOPED = Decision(allowed=True, reason=Reason.GRANTED, scoped=True)


def granting(**grants: tuple[Access, str]) -> Permissions:
    """`customers_read=(FULL, "cus name")`: collection and action, access and fields."""
    found = {}
    for place, (access, fields) in grants.items():
        collection, _, action = place.rpartition("_")
        found[collection, Action(action)] = Grant(access, AllowedFields(frozenset(fields.split())))
    return Permissions(found)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ((FULL, "*"), FREE),
        ((FULL, "name"), FREE),
        ((PARTIAL, "*"), SCOPED),
        ((PARTIAL, "cus"), SCOPED),
        ((PARTIAL, "name"), Decision(reason=Reason.NO_ID_FIELD)),
        ((NONE, ""), Decision(reason=Reason.NO_CUSTOMERS)),
        ((FULL, ""), Decision(reason=Reason.NO_CUSTOMERS)),
        ((PARTIAL, ""), Decision(reason=Reason.NO_CUSTOMERS)),
    ],
)
def test_full_in_a_collection_of_its_own(read: tuple[Access, str], expected: Decision) -> None:
    """The caller's customers are those in its rows of the customers collection, so those rows must be readable."""
    assert expected == authorize(granting(refunds_create=(FULL, "*"), customers_read=read), REFUND)


@pytest.mark.parametrize("read", [(access, fields) for access, fields in product(Access, ["", "cus", "*"])])
@pytest.mark.parametrize("action", Action)
def test_partial_in_a_collection_of_its_own(read: tuple[Access, str], action: Action) -> None:
    """An item rule of another collection says nothing about customers, so it allows nobody, in any combination."""
    requirement = Requirement("refunds", action, CUSTOMERS, scopable=True)
    permissions = granting(**{f"refunds_{action}": (PARTIAL, "*"), "customers_read": read})

    assert Decision(reason=Reason.PARTIAL_ACCESS) == authorize(permissions, requirement)


@pytest.mark.parametrize("customers", [{"customers_create": (FULL, "*")}, {"customers_read": (FULL, "*")}, {}])
def test_rights_on_customers_are_none_elsewhere(customers: dict[str, tuple[Access, str]]) -> None:
    """C2: no right on the customers collection replaces the right on the operation's own collection."""
    assert Decision(reason=Reason.NO_ACCESS) == authorize(granting(**customers), REFUND)


def test_objects_of_no_customer_need_no_customers() -> None:
    """Products belong to no customer: the grant on their collection alone decides, and a partial one is refused."""
    catalog = Requirement("products", Action.READ, CUSTOMERS)

    assert authorize(granting(products_read=(FULL, "name")), catalog) == FREE
    assert Reason.PARTIAL_ACCESS is authorize(granting(products_read=(PARTIAL, "*")), catalog).reason
    assert authorize(granting(products_read=(FULL, "*"), customers_read=(PARTIAL, "cus")), catalog) == FREE


@pytest.mark.parametrize(
    ("update", "read", "expected"),
    [
        ((FULL, "name"), (FULL, "*"), FREE),
        ((PARTIAL, "name"), (FULL, "*"), SCOPED),
        ((PARTIAL, "name"), (PARTIAL, "id cus"), SCOPED),
        ((PARTIAL, "name"), (PARTIAL, "cus"), Decision(reason=Reason.NO_KEY_FIELD)),
        ((PARTIAL, "name"), (FULL, "cus"), Decision(reason=Reason.NO_KEY_FIELD)),
        ((FULL, "name"), (PARTIAL, "cus"), SCOPED),
        ((PARTIAL, "name"), (FULL, "name"), Decision(reason=Reason.NO_ID_FIELD)),
        ((PARTIAL, "name"), (NONE, ""), Decision(reason=Reason.NO_CUSTOMERS)),
        ((FULL, "name"), (NONE, ""), Decision(reason=Reason.NO_CUSTOMERS)),
        ((NONE, ""), (FULL, "*"), Decision(reason=Reason.NO_ACCESS)),
        ((FULL, ""), (FULL, "*"), Decision(reason=Reason.NO_ACCESS)),
        ((PARTIAL, "name cus"), (FULL, "*"), Decision(reason=Reason.ID_FIELD_WRITABLE)),
        ((PARTIAL, "*"), (PARTIAL, "id cus"), Decision(reason=Reason.ID_FIELD_WRITABLE)),
        ((FULL, "*"), (PARTIAL, "cus"), Decision(reason=Reason.ID_FIELD_WRITABLE)),
        ((FULL, "*"), (FULL, "*"), FREE),
    ],
)
def test_changing_and_reading_meet(update: tuple[Access, str], read: tuple[Access, str], expected: Decision) -> None:
    """If either grant is partial, the caller is limited to its rows, and must see but not write the ID field."""
    assert expected == authorize(granting(customers_update=update, customers_read=read), CHANGE)


@pytest.mark.parametrize(
    ("read", "update", "expected"),
    [
        ((PARTIAL, "cus"), (NONE, ""), SCOPED),
        ((PARTIAL, "cus"), (FULL, "name"), SCOPED),
        ((FULL, "*"), (NONE, ""), Decision(reason=Reason.OWN_ONLY)),
        ((FULL, "*"), (PARTIAL, "*"), Decision(reason=Reason.OWN_ONLY)),
        ((FULL, "cus"), (FULL, "name"), FREE),
    ],
)
def test_reading_for_oneself_is_not_acting_for_all(
    read: tuple[Access, str], update: tuple[Access, str], expected: Decision
) -> None:
    """If the operator lets readers act, they act for their own customers; for all they need the usual action too."""
    requirement = Requirement("customers", Action.READ, CUSTOMERS, scopable=True, unscoped=Action.UPDATE)

    assert expected == authorize(granting(customers_read=read, customers_update=update), requirement)


def test_partial_creation_says_nothing_about_rows() -> None:
    """For creating, an item rule is about items that do not exist yet, so it allows nobody."""
    requirement = Requirement("customers", Action.CREATE, CUSTOMERS, scopable=True)
    permissions = granting(customers_create=(PARTIAL, "name"), customers_read=(FULL, "*"))

    assert Reason.PARTIAL_ACCESS is authorize(permissions, requirement).reason


@pytest.mark.parametrize("action", ["create", "update"])
@pytest.mark.parametrize("fields", ["cus", "*", "name cus"])
def test_writing_the_id_field_ends_a_scope_everywhere(action: str, fields: str) -> None:
    """R5: a caller that may choose the customer of its own row is refused in other collections as well."""
    own = {"refunds_create": (FULL, "*"), "customers_read": (PARTIAL, "cus"), f"customers_{action}": (PARTIAL, fields)}

    assert Decision(reason=Reason.ID_FIELD_WRITABLE) == authorize(granting(**own), REFUND)


def test_every_cell_beside_the_customers() -> None:
    """Full access needs full grants; scoped access needs a caller that sees its customers and cannot choose them."""
    cells = [*product(Access, ["", "name", "cus"])]
    wrong = []
    for refund, create, read, update in product(cells, repeat=4):
        grants = {"customers_create": create, "customers_read": read, "customers_update": update}
        reads, may_refund = read[0] is not NONE and read[1] != "", refund[0] is FULL and refund[1] != ""
        writes_id = any(access is not NONE and fields == "cus" for access, fields in (create, update))
        let_in = may_refund and reads and (read[0] is FULL or (read[1] == "cus" and not writes_id))

        decision = authorize(granting(refunds_create=refund, **grants), REFUND)

        if (let_in, let_in and read[0] is PARTIAL) != (decision.allowed, decision.scoped):
            wrong.append((refund, grants, decision))

    assert wrong == []


@pytest.mark.parametrize("reason", [Reason.NO_CUSTOMERS, Reason.NO_ID_FIELD, Reason.NO_KEY_FIELD])
def test_a_right_missing_on_customers_is_named(reason: Reason) -> None:
    """The message about an operation elsewhere names the collection that the policy would have to change."""
    assert '"read" on the collection "customers"' in explain(reason, REFUND)


def test_the_right_to_act_for_all_is_named() -> None:
    """A caller that sees all customers and may not act for all of them is told which right is missing."""
    requirement = Requirement("refunds", Action.READ, CUSTOMERS, scopable=True, unscoped=Action.CREATE)

    assert '"create" on the collection "refunds"' in explain(Reason.OWN_ONLY, requirement)


def test_a_right_missing_on_the_own_collection_is_named() -> None:
    """Without the operation's own grant the message names its action and collection."""
    assert '"create" on the collection "refunds"' in explain(Reason.NO_ACCESS, REFUND)
