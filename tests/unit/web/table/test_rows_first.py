"""Every row of the table, for callers without a row, with one, and with more rows than one page of Directus's items."""

import re
from dataclasses import replace

import pytest

from sidecar.core.operations.row import Kind, Scoping
from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import SERVICE, SERVICE_TOKEN, RunningApp, bearer
from tests.doubles.server import Recorded
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES, Case
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import TENANT

OWN = {name: case for name, case in CASES.items() if case.row.scoping is not Scoping.REFUSED}
NAMING = {name: case for name, case in OWN.items() if case.owned}
LISTS = {  # of all that a caller's customers have
    name: case
    for name, case in OWN.items()
    if case.row.kind is Kind.LIST and case.row.scoping is not Scoping.REFERRED and case.row.resource.customer_at
}
_LAST = re.compile(r"[a-z_]+_[A-Za-z0-9]+$")
MANY = 200


def own_rows(directus: DirectusDouble, number: int) -> None:
    """Give the tenant this many rows; one has its customer at Stripe."""
    for one in range(number - 1):
        directus.add_row(owner=TENANT.name, stripe_customer_id=f"cus_{one:03}", name="n", email="n@example.com")


def unmarked(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    kept = [(name, value) for name, value in answer.headers if name.lower() not in {"date", "x-request-id"}]
    return answer.status, kept, answer.body


def kind_of(request: Recorded) -> tuple[str, str]:
    return request.method, _LAST.sub("", request.path)


async def cost(shop: RunningApp, case: Case) -> tuple[object, list[tuple[str, str]], list[tuple[str, str]]]:
    """Give the answer, and the requests to each upstream without IDs."""
    shop.directus.requests.clear()
    before = len(shop.stripe.asked)
    answer = await case.call(shop, TENANT)
    asked = shop.stripe.asked[before:]
    return unmarked(answer), [kind_of(each) for each in shop.directus.requests], [kind_of(each) for each in asked]


async def questions(shop: RunningApp, case: Case) -> int:
    """Count the questions with the caller's token, of a request whose caller is not remembered."""
    await shop.log_out(bearer(TENANT.token))
    shop.directus.requests.clear()
    await case.call(shop, TENANT)
    token = [bearer(TENANT.token)[1]]
    return sum(request.values("Authorization") == token for request in shop.directus.requests)


@pytest.mark.parametrize("rows", [1, MANY])
@pytest.mark.parametrize("case", NAMING.values(), ids=NAMING)
async def test_foreign_and_unknown_cost_the_same(shop: RunningApp, case: Case, rows: int) -> None:
    """R1: A foreign ID and an unknown one in any place get the same answer, after the same requests upstream."""
    own_rows(shop.directus, rows)
    await shop.call(TENANT)  # so that its permissions are remembered

    pairs = [(case.about("FOREIGN"), case.about("ABSENT"))]
    pairs += zip(case.mixed("FOREIGN"), case.mixed("ABSENT"), strict=True)
    costs = [(await cost(shop, foreign), await cost(shop, absent)) for foreign, absent in pairs]

    assert [foreign for foreign, _ in costs] == [absent for _, absent in costs]
    assert {foreign[0][0] for foreign, _ in costs if isinstance(foreign[0], tuple)} == {401}
    assert all(1 <= len(foreign[1]) <= 3 for foreign, _ in costs)


@pytest.mark.parametrize("word", ["OWN", "FOREIGN", "ABSENT"])
@pytest.mark.parametrize("case", OWN.values(), ids=OWN)
async def test_a_caller_without_rows(shop: RunningApp, case: Case, word: str) -> None:
    """F3: A caller without a single row never reaches Stripe, whatever it asks for."""
    shop.directus.rows["customers"].clear()
    shop.directus.add_row(owner="somebody else", stripe_customer_id="cus_OWN", name="Eve", email="eve@example.com")
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id=None, name="Ada", email="ada@example.com")
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="pi_1", name="Ada", email="ada@example.com")

    answers = [await each.call(shop, TENANT) for each in (case.about(word), case.bare({}))]

    assert {answer.status for answer in answers} <= {200, 400, 401, 409}
    assert shop.stripe.asked == []


@pytest.mark.parametrize("case", OWN.values(), ids=OWN)
async def test_questions_of_a_caller_with_many_rows(open_shop: OpenShop, case: Case) -> None:
    """F5: A request of a caller with 200 rows puts at most 10 questions, with nothing remembered of the caller."""
    shop = await open_shop(DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN)
    shop.directus.add_users([SERVICE])
    own_rows(shop.directus, MANY)

    asked = (case, case.bare({}), case.about("FOREIGN"), case.about("ABSENT"))
    numbers = [await questions(shop, each) for each in asked]

    assert min(numbers) > 0
    assert max(numbers) <= 10, numbers


@pytest.mark.parametrize(("rows", "status"), [(6, 200), (7, 422), (MANY, 422)])
@pytest.mark.parametrize("case", LISTS.values(), ids=LISTS)
async def test_lists_for_which_each_row_is_asked_about(open_shop: OpenShop, case: Case, rows: int, status: int) -> None:
    """F5: Where a list takes more than reading, Directus is asked about each of a few rows, or about none of many."""
    shop = await open_shop({case.name: 'action = "update"'})
    own_rows(shop.directus, rows)
    bare = case.bare({})

    answer = await bare.call(shop, TENANT)

    if bare.names_customer:
        assert (answer.status, len(shop.directus.requests)) == (200, 3)
        return
    assert (answer.status, answer.code) == (status, None if status == 200 else "TOO_MANY_CUSTOMERS")
    assert len(shop.directus.requests) <= 10
    assert (shop.stripe.asked == []) is (status == 422)


async def test_questions_of_a_caller_with_many_rows_among_others(open_shop: OpenShop) -> None:
    """F5: So it is if another policy shows 400 further rows without their ID."""
    shop = await open_shop(DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN)
    shop.directus.add_users([SERVICE, replace(TENANT, everywhere=("name",))])
    for number in range(400):
        shop.directus.add_row(owner="x", stripe_customer_id=f"cus_X{number:03}", name="n", email="n@example.com")
    own_rows(shop.directus, MANY)

    numbers = {name: await questions(shop, case) for name, case in OWN.items()}
    numbers |= {f"{name} of all": await questions(shop, case.bare({})) for name, case in OWN.items()}

    assert max(numbers.values()) <= 10, numbers


async def test_the_one_customer_of_many_rows(shop: RunningApp) -> None:
    """F5: A call without `customer` learns from one page of 200 rows that there are several."""
    own_rows(shop.directus, MANY)
    await shop.call(TENANT)
    shop.directus.requests.clear()

    answer = await CASES["setup_intents.create"].bare({}).call(shop, TENANT)

    assert (answer.status, len(shop.directus.requests)) == (400, 1)
    assert answer.message == "customer: your items name several customers; say which one."


async def test_one_object_of_a_caller_with_more_rows_than_lists_may_have(open_shop: OpenShop) -> None:
    """Calls about one object serve a caller whose rows are beyond the bound of its lists."""
    shop = await open_shop(SCOPE_MAX_CUSTOMERS="5")
    own_rows(shop.directus, 1000)

    answers = {name: (await case.call(shop, TENANT)).status for name, case in NAMING.items()}

    assert {name: case.status for name, case in NAMING.items()} == answers


async def test_rows_that_show_no_id(shop: RunningApp) -> None:
    """F3: Rows that another policy shows without their ID let nobody reach Stripe, and hide no row of its own."""
    for number in range(300):
        shop.directus.add_row(owner="x", stripe_customer_id=f"cus_{number:03}", name="n", email="n@example.com")
    case, user = CASES["payment_intents.retrieve"], replace(TENANT, everywhere=("name",))
    shop.directus.add_users([user])

    own = await case.call(shop, user)
    asked = len(shop.stripe.asked)
    for row in shop.directus.rows["customers"].values():
        row["owner"] = "x"
    refused = await case.call(shop, user)

    assert (own.status, refused.status, refused.code) == (200, 409, "NO_CUSTOMER_YET")
    assert len(shop.stripe.asked) == asked == 1
