"""Every row of the table, for callers with different permissions: the answer, and the request to Stripe."""

from dataclasses import replace

import pytest

from sidecar.core.operations.row import Scoping
from tests.doubles.directus import User, full, grants, partial
from tests.doubles.running_app import OpenApp, RunningApp
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES, EVERY_CASE, ROWS, Case, asked_as, expected
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER, OUTSIDER, TENANT

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
OWN = {name: case for name, case in CASES.items() if case.row.scoping is not Scoping.REFUSED}
NAMING = {name: case for name, case in OWN.items() if case.owned}
CHANGES = {"POST", "DELETE"}
NOT_VISIBLE = (401, "FORBIDDEN", "not_visible")
NO_CUSTOMER = (409, "NO_CUSTOMER_YET", "no_customer_yet")


def verdict(answer: Answer) -> tuple[int, str | None, str | None]:
    return answer.status, answer.code, answer.extensions.get("reason")


def changes(shop: RunningApp) -> list[str]:
    return [request.target for request in shop.stripe.asked if request.method in CHANGES]


def test_every_row_has_a_case() -> None:
    """Every row of the table has a case here."""
    assert set(ROWS) == set(EVERY_CASE)


async def test_off_until_it_is_turned_on(open_app: OpenApp) -> None:
    """Without the operator's consent a row is no route at all, and neither upstream is asked."""
    app = await open_app(STRIPE_OPERATIONS="/dev/null")

    answers = {name: await case.call(app, MANAGER) for name, case in EVERY_CASE.items() if not case.row.basic}

    assert {name: each.status for name, each in answers.items() if each.status not in {404, 405}} == {}
    assert app.directus.requests == []
    assert app.stripe.asked == []


async def test_without_permission(shop: RunningApp) -> None:
    """A caller without permission on a row's collection, or without a credential, is refused before Stripe is asked."""
    refused = {name: await case.call(shop, OUTSIDER) for name, case in CASES.items()}
    unknown = {name: await case.call(shop, None) for name, case in CASES.items()}

    assert dict.fromkeys(CASES, (401, "FORBIDDEN", "no_access")) == {
        name: verdict(each) for name, each in refused.items()
    }
    assert dict.fromkeys(CASES, (401, "NO_CREDENTIALS", None)) == {
        name: verdict(each) for name, each in unknown.items()
    }
    assert shop.stripe.asked == []


@every_case
async def test_full_access(shop: RunningApp, case: Case) -> None:
    """A caller with access to every customer is answered, and Stripe gets exactly this request.

    Before it only a price is read that the amount comes from, and an object that will be gone afterwards.
    """
    answer = await case.call(shop, MANAGER)

    assert (case.status, True) == (answer.status, answer.whole)
    assert expected(case) == asked_as(shop.stripe.asked[-1])
    looked = ["/v1/prices/price_ONE"] if case.name == "payment_intents.create" else []
    looked += [case.asked] if case.row.done is not None and case.row.done.gone else []
    assert looked == [request.target for request in shop.stripe.asked[:-1]]


@pytest.mark.parametrize("case", OWN.values(), ids=OWN)
async def test_own(shop: RunningApp, case: Case) -> None:
    """A scoped caller is answered about its own objects, and the request to Stripe names its customer."""
    answer = await case.call(shop, TENANT)

    assert case.status == answer.status
    assert b"FOREIGN" not in answer.body
    assert b"OTHER" not in answer.body
    if case.row.method == "POST":
        assert expected(case) == asked_as(shop.stripe.asked[-1])


@pytest.mark.parametrize("case", NAMING.values(), ids=NAMING)
async def test_foreign_and_absent(shop: RunningApp, case: Case) -> None:
    """R1: a foreign object and a missing one give the same answer, and nothing changes at Stripe."""
    foreign, absent = await case.about("FOREIGN").call(shop, TENANT), await case.about("ABSENT").call(shop, TENANT)

    assert verdict(foreign) == NOT_VISIBLE
    assert (foreign.status, foreign.body) == (absent.status, absent.body)
    assert changes(shop) == []
    assert shop.stripe.asked == [] or not case.names_customer


async def test_one_foreign_reference(shop: RunningApp) -> None:
    """R2: one foreign object among the caller's own is refused: a payment method, subscription, payment or charge."""
    answers = [await each.call(shop, TENANT) for case in OWN.values() for each in case.mixed("FOREIGN")]

    assert [NOT_VISIBLE] * len(answers) == [verdict(each) for each in answers]
    assert len(answers) >= 16
    assert changes(shop) == []


async def test_own_customers_are_not_mixed(shop: RunningApp) -> None:
    """Objects of two customers are refused together, even if both customers are the caller's own."""
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OTHER", name="Bob", email="bob@example.com")

    answers = [await each.call(shop, TENANT) for case in OWN.values() for each in case.mixed("OTHER")]

    assert [NOT_VISIBLE] * len(answers) == [verdict(each) for each in answers]
    assert changes(shop) == []


async def test_a_caller_without_rows(shop: RunningApp) -> None:
    """A scoped caller without rows hears that it has no customer, or is refused the one it names; lists are empty."""
    shop.directus.rows["customers"].clear()

    for case in OWN.values():
        answer = await case.call(shop, TENANT)

        empty = answer.status == 200 and answer.json() == {"object": "list", "data": [], "has_more": False}
        refused = verdict(answer) == (NOT_VISIBLE if case.names_customer else NO_CUSTOMER)
        assert refused or (empty and not case.owned), case.name
    assert changes(shop) == []
    assert shop.stripe.asked == []


async def test_a_row_the_caller_may_read_and_not_change(open_shop: OpenShop) -> None:
    """A caller that reads every row and may change some changes nothing at Stripe for the others."""
    shop = await open_shop()
    half = User(
        "user-half", "MARKED-half", grants(read=full("id", "stripe_customer_id", "name"), update=partial("name"))
    )
    shop.directus.add_users([half])
    shop.tokens.add(half.token)
    shop.directus.add_row(owner=half.name, stripe_customer_id="cus_OTHER", name="Bob")
    changing = [CASES[name] for name in ("customers.update", "payment_intents.cancel", "subscriptions.cancel")]
    changing = [case if case.name != "customers.update" else replace(case, body='{"name": "x"}') for case in changing]

    foreign = [verdict(await case.call(shop, half)) for case in changing]
    before = changes(shop)
    own = [(await case.about("OTHER").call(shop, half)).status for case in changing]
    read = await CASES["payment_intents.retrieve"].call(shop, half)

    assert (foreign, before, own) == ([NOT_VISIBLE] * 3, [], [200] * 3)
    assert read.status == 200
