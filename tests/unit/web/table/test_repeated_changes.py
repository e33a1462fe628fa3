"""Changes whose first answer was lost, at Stripe's double, which refuses to do them again."""

import json

import pytest

from tests.doubles import faults
from tests.doubles.directus import User
from tests.doubles.running_app import RunningApp
from tests.doubles.server import Recorded
from tests.unit.web.table.cases import CASES, Case
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER, TENANT

DONE = {name: case for name, case in CASES.items() if case.row.done is not None}
LOST = {
    "before the headers": faults.reset_after_work,
    "in the body": faults.reset_mid_body,
}


def is_change(request: Recorded) -> bool:
    return request.method != "GET"


def audited(app: RunningApp) -> list[tuple[object, ...]]:
    names = ("message", "operation", "object", "user", "new", "uncertain")
    lines = [json.loads(line) for line in app.log]
    return [tuple(line[name] for name in names) for line in lines if line["logger"] == "sidecar.audit"]


def own(case: Case) -> str:
    return next(part for part in case.target.split("/") if case.row.resource.is_id(part))


@pytest.mark.parametrize("user", [MANAGER, TENANT], ids=["full", "scoped"])
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
@pytest.mark.parametrize("case", DONE.values(), ids=DONE)
async def test_a_lost_answer(shop: RunningApp, case: Case, fault: faults.Fault, user: User) -> None:
    """If Stripe's first answer is lost, the caller gets the object as it now is, and the audit this call's change."""
    shop.stripe.fail(fault, when=is_change, times=1)

    answer = await case.call(shop, user)

    assert (answer.status, answer.json()["id"]) == (200, own(case)), answer.body
    assert audited(shop) == [("changed at Stripe", case.name, own(case), user.name, True, None)]
    assert len([request for request in shop.stripe.asked if is_change(request)]) == 2


async def test_the_object_is_as_it_now_is(shop: RunningApp) -> None:
    """What the caller reads of a canceled subscription is what Stripe shows of it, not what it was before."""
    shop.stripe.fail(faults.reset_after_work, when=is_change, times=1)

    answer = await CASES["subscriptions.cancel"].call(shop, MANAGER)

    assert answer.json() == next(each for each in shop.stripe.objects["subscription"] if each["id"] == "sub_OWN")
    assert answer.json()["status"] == "canceled"


@pytest.mark.parametrize("name", ["subscriptions.cancel", "payment_intents.cancel"])
@pytest.mark.parametrize("user", [MANAGER, TENANT], ids=["full", "scoped"])
async def test_a_client_that_repeats(shop: RunningApp, name: str, user: User) -> None:
    """A client that lost our answer and asks again gets the object as well, and the audit says who changed it."""
    first, second = [await CASES[name].call(shop, user) for _ in range(2)]

    assert (first.status, second.status, first.json()) == (200, 200, second.json())
    assert [line[4] for line in audited(shop)] == [True, False]


@pytest.mark.parametrize("case", DONE.values(), ids=DONE)
async def test_an_object_that_never_was(shop: RunningApp, case: Case) -> None:
    """Stripe's refusal of an object that never existed is passed on, also after a lost answer; nothing is audited."""
    absent = case.about("ABSENT")
    shop.stripe.fail(faults.reset_after_work, when=is_change, times=1)

    answer = await absent.call(shop, MANAGER)

    assert (answer.status, answer.extensions["stripe"]["code"]) == (404, "resource_missing")
    assert audited(shop) == []


@pytest.mark.parametrize("case", DONE.values(), ids=DONE)
async def test_nobody_elses_object(shop: RunningApp, case: Case) -> None:
    """A caller limited to its rows does not learn that a foreign object is in the wished state."""
    foreign = case.about("FOREIGN")
    await foreign.call(shop, MANAGER)

    answer = await foreign.call(shop, TENANT)

    assert (answer.status, answer.code) == (401, "FORBIDDEN")
    assert [line[3] for line in audited(shop)] == [MANAGER.name]


@pytest.mark.parametrize("case", DONE.values(), ids=DONE)
async def test_no_answer_at_all(open_shop: OpenShop, case: Case) -> None:
    """If every answer is lost the caller gets a failure, and the audit says that the change perhaps happened."""
    app = await open_shop(STRIPE_TIMEOUT="0.4")
    app.stripe.fail(faults.reset_after_work, when=is_change)

    answer = await case.call(app, MANAGER)

    assert answer.code in {"STRIPE_UNAVAILABLE", "STRIPE_TIMEOUT"}
    assert audited(app) == [("perhaps changed at Stripe", case.name, own(case), MANAGER.name, None, True)]


async def test_nothing_was_sent(shop: RunningApp) -> None:
    """If no connection to Stripe was made nothing changed, and the audit has no line."""
    await shop.stripe.refuse()

    answer = await CASES["subscriptions.cancel"].call(shop, MANAGER)

    assert answer.status == 502
    assert audited(shop) == []


async def test_an_answer_that_says_nothing(shop: RunningApp) -> None:
    """After an answer that is no result and no refusal the change perhaps happened."""
    shop.stripe.fail(faults.answer(200, '{"object": "subscription"}'), when=is_change)

    answer = await CASES["subscriptions.cancel"].call(shop, MANAGER)

    assert answer.status == 502
    assert [line[0] for line in audited(shop)] == ["perhaps changed at Stripe"]


async def test_a_proxys_error_hides_a_change(shop: RunningApp) -> None:
    """A 5xx after the work leaves open what was done, so the refusal of the next attempt is looked into."""
    shop.stripe.fail(faults.bad_gateway_after_work, when=is_change, times=1)

    answer = await CASES["subscriptions.cancel"].call(shop, MANAGER)

    assert (answer.status, answer.json()["status"]) == (200, "canceled")
    assert [line[4] for line in audited(shop)] == [True]


@pytest.mark.parametrize("name", ["subscriptions.update", "payment_intents.create", "customers.create"])
async def test_changes_with_a_key(shop: RunningApp, name: str) -> None:
    """A POST whose answer was lost is repeated with its key, answered by Stripe's first result, and audited once."""
    shop.stripe.fail(faults.reset_after_work, when=is_change, times=1)

    answer = await CASES[name].call(shop, MANAGER)

    assert answer.status == CASES[name].status
    assert [(line[1], line[4]) for line in audited(shop)] == [(name, True)]


async def test_the_audit_comes_before_the_answer(shop: RunningApp) -> None:
    """A change is in the audit although the caller gets an error: here Stripe answers with another's object."""
    foreign = '{"id": "sub_FOREIGN", "object": "subscription", "customer": "cus_FOREIGN"}'
    shop.stripe.fail(faults.answer(200, foreign), when=is_change)

    answer = await CASES["subscriptions.cancel"].call(shop, TENANT)

    assert answer.status == 502
    assert [line[0] for line in audited(shop)] == ["changed at Stripe"]


@pytest.mark.parametrize("limit", ["lock_timeout", "resource-specific"])
async def test_an_objects_limit(open_shop: OpenShop, limit: str) -> None:
    """An object that Stripe limits is a 429 for this caller, of which nothing was changed."""
    app = await open_shop(STRIPE_TIMEOUT="1")
    if limit == "lock_timeout":
        app.stripe.limits.locked.add("sub_OWN")
    else:
        app.stripe.limits.most["subscription"] = 0

    answer = await CASES["subscriptions.cancel"].call(app, TENANT)
    other = await CASES["subscriptions.update"].about("FOREIGN").call(app, MANAGER)

    assert (answer.status, answer.code, answer.header("Retry-After")) == (429, "REQUESTS_EXCEEDED", "1")
    assert "busy with this object" in answer.message
    assert other.status == (200 if limit == "lock_timeout" else 429)
    assert [line[2] for line in audited(app)] == (["sub_FOREIGN"] if limit == "lock_timeout" else [])
