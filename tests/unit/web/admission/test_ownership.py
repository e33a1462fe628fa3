"""The ownership check: its questions to Directus, and the callers that it allows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest

from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.core.access.scope import NotLookedUp, OwnCustomers, Scope
from sidecar.core.interfaces import FirstRows, PrimaryKey, Row
from sidecar.errors import InvalidPayload, NoCustomerYet, PermissionDenied, TooManyCustomers
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.ownership import Ownership
from sidecar.web.admission.refusals import Refusals
from sidecar.web.admission.unknown_customers import UnknownCustomerLog
from tests.doubles.collections import CUSTOMERS
from tests.unit.clients.directus.sources import credential

READ = AllowedFields(frozenset({"id", "cus", "name"}))
SHOWN = AllowedFields(frozenset({"id", "cus"}))


@dataclass
class Items:
    """Rows by customer, of which those with a key in `changeable` may be changed; `asked` are the questions.

    The first page has `page` rows at most.
    """

    rows: Mapping[str, Row]
    changeable: frozenset[PrimaryKey] = frozenset()
    page: int = 100
    asked: list[object] = field(default_factory=list)

    async def find(self, _credential: Credential, allowed: AllowedFields, customer_id: str) -> Row | None:
        self.asked.append(("find", customer_id, allowed))
        return self.rows.get(customer_id)

    async def find_first(self, _credential: Credential, allowed: AllowedFields) -> FirstRows:
        self.asked.append(("find_first", allowed))
        return FirstRows(dict([*self.rows.items()][: self.page]), len(self.rows) <= self.page)

    async def find_all(self, _credential: Credential, allowed: AllowedFields) -> Mapping[str, Row]:
        self.asked.append(("find_all", allowed))
        return self.rows

    async def find_these(
        self, _credential: Credential, allowed: AllowedFields, customer_ids: Collection[str]
    ) -> Mapping[str, Row]:
        self.asked.append(("find_these", sorted(customer_ids), allowed))
        return {customer: row for customer, row in self.rows.items() if customer in customer_ids}

    async def may(self, _credential: Credential, action: Action, key: PrimaryKey) -> bool:
        self.asked.append(("may", action, key))
        return key in self.changeable


def ownership(items: Items, action: Action = Action.READ, access: Access = Access.PARTIAL) -> Ownership:
    grants = {("customers", Action.READ): Grant(Access.PARTIAL, READ)}
    grants["customers", action] = Grant(access, READ)
    requirement = Requirement("customers", action, CUSTOMERS, scopable=True)
    caller = Caller(credential("token"), Permissions(grants), requirement, NotLookedUp(), "name")
    return Ownership(caller, items, Refusals(401), UnknownCustomerLog())


def rows(*keys: PrimaryKey | None) -> dict[str, Row]:
    return {f"cus_{number}": Row(SHOWN, key) for number, key in enumerate(keys, 1)}


async def test_reading_takes_one_question() -> None:
    """One search finds a customer's row, and the customer is not looked up again."""
    items = Items(rows(1))
    checked = ownership(items)

    await checked.require_own("cus_1")
    await checked.require_own("cus_1")

    assert items.asked == [("find", "cus_1", READ)]
    assert checked.caller.scope == OwnCustomers({"cus_1": SHOWN})


async def test_changing_takes_two_questions() -> None:
    """If a rule limits the items that may be changed, one search and one question about the item decide."""
    items = Items(rows(1), frozenset({1}))

    await ownership(items, Action.UPDATE).require_own("cus_1")

    assert items.asked == [("find", "cus_1", READ), ("may", Action.UPDATE, 1)]


@pytest.mark.parametrize("key", [1, None], ids=["not changeable", "no key"])
async def test_an_item_that_may_not_be_changed(key: PrimaryKey | None) -> None:
    """R2: An item that Directus does not let the caller change, or whose key is unknown, is not its own to change."""
    checked = ownership(Items(rows(key)), Action.UPDATE)

    with pytest.raises(PermissionDenied) as refusal:
        await checked.require_own("cus_1")

    assert refusal.value.reason == "not_visible"
    assert checked.caller.scope == NotLookedUp()


async def test_every_item_may_be_changed() -> None:
    """For a caller that may change every item, Directus is asked about none."""
    items = Items(rows(1))

    await ownership(items, Action.UPDATE, Access.FULL).require_own("cus_1")

    assert items.asked == [("find", "cus_1", READ)]


async def test_customers_add_up() -> None:
    """Each customer that is found stays the caller's for the rest of the request."""
    checked = ownership(Items(rows(1, 2)))

    await checked.require_own("cus_1")
    await checked.require_own("cus_2")

    assert checked.caller.scope == OwnCustomers({"cus_1": SHOWN, "cus_2": SHOWN})


async def test_all_that_may_be_changed() -> None:
    """R2: Of all rows only those count for which the caller has the action."""
    items = Items(rows(1, 2, None), frozenset({2}))
    checked = ownership(items, Action.UPDATE)

    assert await checked.find_all() == ("cus_2",)
    assert checked.caller.scope == OwnCustomers({"cus_2": SHOWN})


@pytest.mark.parametrize("customer", ["cus_1", "cus_9", None], ids=["own", "foreign", "nobody's"])
async def test_few_rows_are_one_question(customer: str | None) -> None:
    """R1: The first question on rows also tells whose a customer is, if it has all of the caller's rows."""
    items = Items(rows(1, 2))
    checked = ownership(items)

    await checked.require_any()
    if customer == "cus_1":
        await checked.require_own(customer)
    else:
        with pytest.raises(PermissionDenied):
            await checked.require_own(customer)

    assert items.asked == [("find_first", READ)]
    assert checked.caller.scope == (OwnCustomers({"cus_1": SHOWN}) if customer == "cus_1" else NotLookedUp())


@pytest.mark.parametrize("customer", ["cus_1", "cus_3", "cus_9", None], ids=["first", "last", "foreign", "nobody's"])
async def test_many_rows_are_two_questions(customer: str | None) -> None:
    """R1: With more rows each customer is looked up by itself, and as much is asked where there is none to look up."""
    items = Items(rows(1, 2, 3), page=2)
    checked = ownership(items)

    await checked.require_any()
    if customer in items.rows:
        await checked.require_own(customer)
    else:
        with pytest.raises(PermissionDenied):
            await checked.require_own(customer)

    asked = "cus_000000000000000000000000" if customer is None else customer
    assert items.asked == [("find_first", READ), ("find", asked, READ)]


async def test_nobodys_customer_is_nobodys() -> None:
    """R2: A row with the ID that is asked for in place of none makes an object without a customer nobody's own."""
    items = Items({"cus_000000000000000000000000": Row(SHOWN, 1)})

    with pytest.raises(PermissionDenied):
        await ownership(items).require_own(None)


async def test_no_row_at_all() -> None:
    """F3: A caller without a customer hears that, and what makes one, after one question."""
    items = Items({})

    with pytest.raises(NoCustomerYet, match=r"none of the items .* customers\.create .*STRIPE_WRITE_BACK") as refusal:
        await ownership(items).require_any()

    assert (refusal.value.status, refusal.value.code) == (409, "NO_CUSTOMER_YET")
    assert refusal.value.extensions == {"reason": "no_customer_yet", "collection": "customers"}
    assert items.asked == [("find_first", READ)]


@pytest.mark.parametrize("customer", ["cus_9", None], ids=["foreign", "nobody's"])
async def test_no_row_and_a_customer_that_is_named(customer: str | None) -> None:
    """R1: A caller without a customer that names one gets the refusal of a foreign customer, as everybody does."""
    with pytest.raises(PermissionDenied) as refusal:
        await ownership(Items({})).require_own(customer)

    assert refusal.value.reason == "not_visible"


@pytest.mark.parametrize("number", [6, 7])
async def test_a_few_rows_are_asked_about_one_by_one(number: int) -> None:
    """F5: Six rows are asked about; with more the caller is told to name one customer, and none is asked about."""
    items = Items(rows(*range(1, number + 1)), frozenset(range(1, 200)))
    checked = ownership(items, Action.UPDATE)

    if number == 6:
        assert len(await checked.find_all()) == 6
        assert len(items.asked) == 7
    else:
        with pytest.raises(TooManyCustomers, match="one customer at a time"):
            await checked.find_all()
        assert items.asked == [("find_all", READ)]


async def test_many_rows_that_may_all_be_changed() -> None:
    """A caller that may change every item has all of its customers in a list, however many."""
    items = Items(rows(*range(1, 201)))

    assert len(await ownership(items, Action.UPDATE, Access.FULL).find_all()) == 200
    assert items.asked == [("find_all", READ)]


@pytest.mark.parametrize("more", [(), ("cus_2",)], ids=["one customer", "two customers"])
async def test_the_one_customer_of_many_rows(more: tuple[str, ...]) -> None:
    """If the first page of several tells of one customer at most, all rows are read."""
    items = Items({"cus_1": Row(SHOWN, 1), **{one: Row(SHOWN, 2) for one in more}}, page=0)

    if more:
        with pytest.raises(InvalidPayload, match="several customers"):
            await ownership(items).only_customer()
    else:
        assert await ownership(items).only_customer() == "cus_1"

    assert items.asked == [("find_first", READ), ("find_all", READ)]


async def test_looked_up_and_none_found() -> None:
    """A caller without a customer in its rows has an empty scope, which differs from "not looked up yet"."""
    checked = ownership(Items({}))
    scopes: list[Scope] = [checked.caller.scope]

    assert await checked.find_all() == ()

    scopes.append(checked.caller.scope)
    assert scopes == [NotLookedUp(), OwnCustomers({})]


@pytest.mark.parametrize("action", [Action.READ, Action.UPDATE])
async def test_several_customers_where_one_is_meant(action: Action) -> None:
    """A caller with several customers that names none is told so before any question about an item."""
    items = Items(rows(*range(1, 201)), frozenset(range(1, 201)))

    with pytest.raises(InvalidPayload, match=r"^customer: your items name several customers; say which one\.$"):
        await ownership(items, action).only_customer()

    assert items.asked == [("find_first", READ)]


async def test_the_one_customer() -> None:
    """A caller with one customer need not name it, and Directus is asked about its item alone."""
    items = Items(rows(7), frozenset({7}))
    checked = ownership(items, Action.UPDATE)

    assert await checked.only_customer() == "cus_1"
    assert items.asked == [("find_first", READ), ("may", Action.UPDATE, 7)]
    assert checked.caller.scope == OwnCustomers({"cus_1": SHOWN})


@pytest.mark.parametrize(
    ("items", "reason"),
    [(Items({}), "no_customer_yet"), (Items(rows(7)), "not_visible")],
    ids=["none", "not changeable"],
)
async def test_no_customer_where_one_is_meant(items: Items, reason: str) -> None:
    """A caller without a customer hears that; one that may not act for its own gets the refusal of a foreign one."""
    with pytest.raises(PermissionDenied) as refusal:
        await ownership(items, Action.UPDATE).only_customer()

    assert refusal.value.reason == reason


async def test_the_item_of_a_known_customer_costs_no_question() -> None:
    """The key of a row that the check has found is known; that of another customer is asked for."""
    items = Items(rows(7, "b"))
    checked = ownership(items)
    await checked.require_own("cus_1")
    before = len(items.asked)

    keys = [await checked.item_of("cus_1"), await checked.item_of("cus_2"), await checked.item_of("cus_3")]

    assert keys == [7, "b", None]
    assert items.asked[before:] == [("find", "cus_2", READ), ("find", "cus_3", READ)]


async def test_one_of_several_rows_is_not_the_item() -> None:
    """Where another row names the customer too, or the key may not be read, no item is told."""
    checked = ownership(Items({"cus_1": Row(SHOWN, 7, alone=False), "cus_2": Row(SHOWN)}))

    assert [await checked.item_of(customer) for customer in ("cus_1", "cus_2")] == [None, None]
