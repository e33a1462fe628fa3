"""Every row of the table, to people with different permissions: what is answered, and what Stripe is asked."""

import pytest

from sidecar.core.operation import Scoping
from tests.doubles.house import House, OpenHouse
from tests.unit.web.table.cases import CASES, ROWS, Case, asked_as, expected
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, OUTSIDER, TENANT

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
OWN = {name: case for name, case in CASES.items() if case.row.scoping is not Scoping.REFUSED}
NAMING = {name: case for name, case in OWN.items() if case.owned}
MIXED = {f"{name}-{index}": each for name, case in OWN.items() for index, each in enumerate(case.mixed("FOREIGN"))}
OPTIONAL = [name for name, case in CASES.items() if not case.row.basic]
CHANGES = {"POST", "DELETE"}


def test_every_row_has_a_case() -> None:
    """A new row of the table is not done before it has a case here."""
    assert set(ROWS) == set(CASES)


@pytest.mark.parametrize("name", OPTIONAL)
async def test_off_until_it_is_turned_on(open_house: OpenHouse, name: str, tmp_path: object) -> None:
    """Without a word from the operator the row is no route at all, and neither upstream is asked."""
    house = await open_house(STRIPE_OPERATIONS="/dev/null")

    answer = await CASES[name].call(house, MANAGER)

    assert answer.status in {404, 405}
    assert house.stripe.asked == []


@every_case
async def test_full_access(shop: House, case: Case) -> None:
    """Whoever may touch every customer is answered, and Stripe gets exactly this request."""
    answer = await case.call(shop, MANAGER)

    assert (case.status, True) == (answer.status, answer.whole)
    assert expected(case) == asked_as(shop.stripe.asked[-1])
    looked = ["/v1/prices/price_ONE"] if case.row.priced else []
    assert looked == [request.target for request in shop.stripe.asked[:-1]]


@every_case
@pytest.mark.parametrize("user", [OUTSIDER, None], ids=["outsider", "nobody"])
async def test_without_permission(shop: House, case: Case, user: object) -> None:
    """Whoever has no permission on the row's collection, or no credential, is refused, and Stripe is not asked."""
    answer = await case.call(shop, OUTSIDER if user else None)

    assert (401, "FORBIDDEN" if user else "NO_CREDENTIALS") == (answer.status, answer.code)
    assert shop.stripe.asked == []


@pytest.mark.parametrize("case", OWN.values(), ids=OWN)
async def test_own(shop: House, case: Case) -> None:
    """A scoped caller is answered about what is its own, and what Stripe is asked names its customer."""
    answer = await case.call(shop, TENANT)

    assert case.status == answer.status
    assert b"FOREIGN" not in answer.body
    assert b"OTHER" not in answer.body
    if case.row.method == "POST":
        assert expected(case) == asked_as(shop.stripe.asked[-1])


@pytest.mark.parametrize("case", NAMING.values(), ids=NAMING)
async def test_foreign_and_absent(shop: House, case: Case) -> None:
    """R1: somebody else's object and one that does not exist end in one answer, and nothing changes at Stripe."""
    foreign, absent = await case.about("FOREIGN").call(shop, TENANT), await case.about("ABSENT").call(shop, TENANT)

    assert (401, "FORBIDDEN", "not_visible") == (foreign.status, foreign.code, foreign.extensions["reason"])
    assert (foreign.status, foreign.body) == (absent.status, absent.body)
    assert [request.target for request in shop.stripe.asked if request.method in CHANGES] == []
    assert shop.stripe.asked == [] or not case.names_customer


@pytest.mark.parametrize("case", MIXED.values(), ids=MIXED)
async def test_one_foreign_reference(shop: House, case: Case) -> None:
    """R2: one foreign object among the caller's own is refused: a payment method, subscription, payment or charge."""
    answer = await case.call(shop, TENANT)

    assert (401, "not_visible") == (answer.status, answer.extensions.get("reason"))
    assert [request.target for request in shop.stripe.asked if request.method in CHANGES] == []


@pytest.mark.parametrize("name", sorted({name.rpartition("-")[0] for name in MIXED}))
async def test_own_customers_are_not_mixed(shop: House, name: str) -> None:
    """What belongs to two customers is refused even where both are the caller's own."""
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OTHER", name="Bob", email="bob@example.com")

    answers = [await each.call(shop, TENANT) for each in CASES[name].mixed("OTHER")]

    assert [(401, "not_visible")] * len(answers) == [(each.status, each.extensions.get("reason")) for each in answers]


@pytest.mark.parametrize("case", OWN.values(), ids=OWN)
async def test_a_caller_without_rows(shop: House, case: Case) -> None:
    """A scoped caller whose rows are gone is refused everywhere, and of lists gets an empty one or a refusal."""
    shop.directus.rows["customers"].clear()

    answer = await case.call(shop, TENANT)

    if answer.status == 200:
        assert {"object": "list", "data": [], "has_more": False} == answer.json()
    else:
        assert (401, "not_visible") == (answer.status, answer.extensions["reason"])
    assert [request.target for request in shop.stripe.asked if request.method in CHANGES] == []


async def test_a_row_the_caller_may_read_and_not_change(open_shop: OpenShop) -> None:
    """A row that is read by one policy and not covered by another's right to update does not let its reader change."""
    shop = await open_shop()
    shop.directus.users[CLERK.token].permissions["customers"]["update"] = {"access": "partial", "fields": ["name"]}
    shop.directus.add_row(owner=CLERK.name, stripe_customer_id="cus_OTHER")

    own = await CASES["customers.update"].about("OTHER").having(email="").call(shop, CLERK)
    foreign = await CASES["payment_intents.cancel"].call(shop, CLERK)
    read = await CASES["payment_intents.retrieve"].call(shop, CLERK)

    assert (400, 401, 200) == (own.status, foreign.status, read.status)
