"""Who has whole access, by the permissions without an item rule and by who holds them."""

import pytest

from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.whole_access import Assignment, Policies, Unruled, ranges

READ = ("customers", Action.READ)
NAME = AllowedFields(frozenset({"name"}))
BOTH = AllowedFields(frozenset({"name", "email"}))
ALL = AllowedFields(frozenset({"*"}))
PARENTS = {"clerk": "staff", "staff": "everyone", "everyone": None}


def partial(fields: AllowedFields = BOTH) -> Permissions:
    return Permissions({READ: Grant(Access.PARTIAL, fields)})


def policies(*assignments: Assignment, fields: AllowedFields = NAME, networks: tuple[str, ...] = ()) -> Policies:
    limits = {"whole": ranges(networks)} if networks else {}
    return Policies([Unruled("whole", "customers", Action.READ, fields)], assignments, PARENTS, limits)


def unruled(found: Policies, identity: Identity, address: str | None = "192.0.2.7") -> AllowedFields:
    return found.complete(partial(), identity, address).grant(*READ).unruled


@pytest.mark.parametrize(
    ("assignment", "identity", "held"),
    [
        (Assignment("whole", "clerk", None), Identity("ada", ("clerk",)), True),
        (Assignment("whole", "everyone", None), Identity("ada", ("clerk",)), True),
        (Assignment("whole", "clerk", None), Identity("ada", ("staff",)), False),
        (Assignment("whole", None, "ada"), Identity("ada"), True),
        (Assignment("whole", None, "ada"), Identity("grace", ("clerk",)), False),
        (Assignment("whole", None, None), Identity("ada", without_role=True), True),
        (Assignment("whole", None, None), Identity("ada", ("clerk",)), False),
        (Assignment("whole", None, None), Identity("ada"), False),
        (Assignment("whole", None, None), Identity(), False),
        (Assignment("whole", "clerk", "grace"), Identity("grace"), True),
        (Assignment("other", "clerk", None), Identity("ada", ("clerk",)), False),
    ],
)
def test_who_holds_a_policy(assignment: Assignment, identity: Identity, held: bool) -> None:  # noqa: FBT001 - the expectation
    """O2: A policy counts through a role, a parent of it, or the user; the public one only without any role."""
    assert unruled(policies(assignment), identity) == (NAME if held else AllowedFields())


def test_roles_in_a_circle() -> None:
    """Roles that are each other's parents end the search, although Directus should not store them."""
    found = Policies(policies().unruled, [Assignment("whole", "b", None)], {"a": "b", "b": "a"})

    assert unruled(found, Identity("ada", ("a",))) == NAME


@pytest.mark.parametrize(
    ("networks", "address", "applies"),
    [
        (("192.0.2.0/24",), "192.0.2.7", True),
        (("192.0.2.1", "192.0.2.5 - 192.0.2.9"), "192.0.2.7", True),
        (("192.0.2.8-192.0.2.9",), "192.0.2.7", False),
        (("10.0.0.0/8",), "192.0.2.7", False),
        (("::/0",), "192.0.2.7", True),
        (("::/97",), "192.0.2.7", False),
        (("::1/1",), "192.0.2.7", True),
        (("::ffff:192.0.2.0/120",), "192.0.2.7", True),
        (("::ffff:192.0.3.0/120",), "192.0.2.7", False),
        (("::ffff:192.0.2.7",), "192.0.2.7", True),
        (("::ffff:192.0.2.1-::ffff:192.0.2.9",), "192.0.2.7", True),
        (("::1-ffff::",), "192.0.2.7", False),
        (("::1-::ffff:255.255.255.255",), "192.0.2.7", False),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("192.0.2.7-192.0.2.9",), "192.0.2.7", True),
        (("192.0.2.1-192.0.2.7",), "192.0.2.7", True),
        (("192.0.2.1/24",), "192.0.2.7", True),
        (("192.0.2.1-192.0.2.5-192.0.2.9",), "192.0.2.7", False),
        (("nonsense", "1.2.3"), "192.0.2.7", False),
        (("nonsense", "192.0.2.7"), "192.0.2.7", True),
        (("192.0.2.0/24",), None, False),
    ],
)
def test_a_policy_for_some_addresses(networks: tuple[str, ...], address: str | None, applies: bool) -> None:  # noqa: FBT001 - the expectation
    """O2: A policy with `ip_access` counts where Node's `BlockList` finds the address, and never at an unknown one."""
    found = policies(Assignment("whole", "clerk", None), networks=networks)

    assert unruled(found, Identity("ada", ("clerk",)), address) == (NAME if applies else AllowedFields())


@pytest.mark.parametrize(
    ("said", "given", "whole"),
    [
        (BOTH, NAME, NAME),
        (ALL, NAME, NAME),
        (NAME, ALL, NAME),
        (NAME, BOTH, NAME),
        (ALL, ALL, ALL),
        (NAME, AllowedFields(), AllowedFields()),
    ],
)
def test_fields_are_bounded(said: AllowedFields, given: AllowedFields, whole: AllowedFields) -> None:
    """O2: `/permissions/me` bounds the fields: a permission that was taken away meanwhile gives nothing more."""
    found = policies(Assignment("whole", "clerk", None), fields=given)

    completed = found.complete(partial(said), Identity("ada", ("clerk",)), None)

    assert completed.grant(*READ) == Grant(Access.PARTIAL, said, whole)


def test_only_partial_grants_change() -> None:
    """A full grant, another action and another collection stay as Directus said them."""
    said = Permissions(
        {
            READ: Grant(Access.FULL, BOTH),
            ("customers", Action.UPDATE): Grant(Access.PARTIAL, BOTH),
            ("orders", Action.READ): Grant(Access.PARTIAL, BOTH),
        }
    )
    found = policies(Assignment("whole", "clerk", None))

    assert not found.may_complete(said)
    assert found.complete(said, Identity("ada", ("clerk",)), None) == said
    assert found.may_complete(partial())


def test_several_permissions_add_up() -> None:
    """O2: The fields of all permissions without a rule add up."""
    email = AllowedFields(frozenset({"email"}))
    both = [Unruled("a", "customers", Action.READ, NAME), Unruled("b", "customers", Action.READ, email)]
    found = Policies(both, [Assignment("a", "clerk", None), Assignment("b", None, "ada")])

    assert unruled(found, Identity("ada", ("clerk",))) == BOTH


@pytest.mark.parametrize(
    ("assignment", "networks", "granted"),
    [
        (Assignment("whole", None, None), (), True),
        (Assignment("whole", None, None), ("192.0.2.0/24",), True),
        (Assignment("whole", None, None), ("198.51.100.0/24",), False),
        (Assignment("whole", "clerk", None), (), False),
        (Assignment("whole", None, "ada"), (), False),
        (Assignment("other", None, None), (), False),
    ],
)
def test_what_everybody_has(assignment: Assignment, networks: tuple[str, ...], granted: bool) -> None:  # noqa: FBT001
    """O2: A guest has the policies that are assigned to neither role nor user, each at its addresses."""
    found = policies(assignment, networks=networks).public("192.0.2.7")

    assert found == Permissions({READ: Grant(Access.FULL, NAME)} if granted else {})


def test_two_public_policies() -> None:
    """O2: Of several public policies a guest has the fields together, and of each action its own."""
    create = ("customers", Action.CREATE)
    email = AllowedFields(frozenset({"email"}))
    both = [Unruled("a", *READ, NAME), Unruled("b", *READ, email), Unruled("b", *create, email)]
    found = Policies(both, [Assignment("a", None, None), Assignment("b", None, None)]).public("192.0.2.7")

    assert found == Permissions({READ: Grant(Access.FULL, BOTH), create: Grant(Access.FULL, email)})
