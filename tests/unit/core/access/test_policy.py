"""The access decision, case by case."""

from itertools import product

import pytest

from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.policy import Decision, Reason, Requirement, authorize, explain, reads_all
from tests.doubles.collections import CUSTOMERS

FIELDS = {"none": [], "other": ["name"], "id": ["cus"], "all": ["*"]}
READ = Requirement("customers", Action.READ, CUSTOMERS)


def granting(**actions: tuple[Access, str]) -> Permissions:
    return Permissions(
        {
            ("customers", Action(action)): Grant(access, AllowedFields(frozenset(FIELDS[fields])))
            for action, (access, fields) in actions.items()
        }
    )


@pytest.mark.parametrize(("access", "fields", "action"), [*product(Access, FIELDS, Action)])
def test_every_cell_of_an_unscopable_operation(access: Access, fields: str, action: Action) -> None:
    """Of all combinations of access, fields and action, those with full access and at least one field are allowed."""
    decision = authorize(granting(**{action: (access, fields)}), Requirement("customers", action, CUSTOMERS))

    assert decision.allowed is (access is Access.FULL and fields != "none")
    assert (decision.reason is Reason.GRANTED) is decision.allowed
    assert not decision.scoped


@pytest.mark.parametrize(("access", "fields"), [*product(Access, FIELDS)])
@pytest.mark.parametrize("names_customer", [False, True])
def test_every_cell_of_a_scopable_operation(access: Access, fields: str, *, names_customer: bool) -> None:
    """R1, R6: A partial caller is allowed only scoped; it and every caller naming a customer must see the ID field."""
    requirement = Requirement("customers", Action.READ, CUSTOMERS, names_customer=names_customer, scopable=True)
    needs_id = names_customer or access is Access.PARTIAL

    decision = authorize(granting(read=(access, fields)), requirement)

    assert decision.allowed is (
        access is not Access.NONE and fields in ({"id", "all"} if needs_id else FIELDS.keys() - {"none"})
    )
    assert decision.scoped is (decision.allowed and access is Access.PARTIAL)


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
@pytest.mark.parametrize(("access", "fields"), [*product(Access, FIELDS)])
def test_a_writer_of_the_id_field_is_not_limited_to_its_rows(access: Access, fields: str, action: Action) -> None:
    """R5: A partial caller that may write the ID field is refused for that reason; a full one is not."""
    requirement = Requirement("customers", Action.READ, CUSTOMERS, scopable=True)
    writable = access is not Access.NONE and fields in {"id", "all"}

    partial = authorize(granting(read=(Access.PARTIAL, "id"), **{action: (access, fields)}), requirement)
    full = authorize(granting(read=(Access.FULL, "id"), **{action: (access, fields)}), requirement)

    assert (partial.reason is Reason.ID_FIELD_WRITABLE) is writable
    assert partial.allowed is not writable
    assert full.allowed


@pytest.mark.parametrize(
    "requirement",
    [
        Requirement("customers", Action.CREATE, CUSTOMERS),
        Requirement("orders", Action.READ, CUSTOMERS),
    ],
)
def test_another_grant_does_not_count(requirement: Requirement) -> None:
    """C2: A caller that may read customers may neither create them nor read anything else."""
    assert authorize(granting(read=(Access.FULL, "all")), requirement) == Decision()


def test_a_decision_is_no_by_default() -> None:
    """A decision is a refusal by default."""
    assert not Decision().allowed
    assert not authorize(Permissions({}), READ).allowed


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.GRANTED, Reason.NOT_VISIBLE}))
def test_a_refusal_names_the_missing_right(reason: Reason) -> None:
    """The message names the action and collection, or the field, that the policy would have to change."""
    message = explain(reason, READ)

    assert '"customers"' in message or '"cus"' in message
    assert "policy" in message or "permission" in message


@pytest.mark.parametrize(("fields", "everybody"), [("none", False), ("other", False), ("id", True), ("all", True)])
def test_who_reads_every_customer(fields: str, *, everybody: bool) -> None:
    """O2: A caller with partial access reads every customer only with the ID field in every item."""
    unruled = AllowedFields(frozenset(FIELDS[fields]))
    grant = Grant(Access.PARTIAL, AllowedFields(frozenset({"*"})), unruled)

    assert reads_all(Permissions({("customers", Action.READ): grant}), CUSTOMERS) is everybody
