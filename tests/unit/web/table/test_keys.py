"""Idempotency of creations and changes: the client's own key, and a new one for a client that sends none."""

import pytest

from sidecar.core.operations.row import Scoping
from tests.doubles.faults import answer as faulty
from tests.doubles.running_app import RunningApp
from tests.doubles.server import Recorded
from tests.unit.web.table.cases import CASES, Case
from tests.unit.web.table.people import MANAGER, TENANT

POSTS = {name: case for name, case in CASES.items() if case.row.method == "POST"}
KEY = ("Idempotency-Key", "order-1")


def keys(requests: list[Recorded]) -> list[str]:
    """Give the key of each POST to Stripe."""
    return [key for request in requests if request.method == "POST" for key in request.values("Idempotency-Key")]


async def test_every_change_carries_a_key(shop: RunningApp) -> None:
    """Each POST has a key of its own, and no other method has one: a retry takes effect once."""
    for case in [*CASES.values(), *POSTS.values()]:
        assert (await case.call(shop, MANAGER)).status < 500

    posts = [request for request in shop.stripe.asked if request.method == "POST"]
    assert len(posts) == len(set(keys(posts))) == 2 * len(POSTS)
    assert [each for each in shop.stripe.asked if each.method != "POST" and each.values("Idempotency-Key")] == []


@pytest.mark.parametrize("case", POSTS.values(), ids=POSTS)
async def test_the_same_key_again(shop: RunningApp, case: Case) -> None:
    """W5: the same caller with the same key and request has one effect at Stripe, whose answer is repeated."""
    first, second = await case.call(shop, MANAGER, KEY), await case.call(shop, MANAGER, KEY)

    assert (case.status, case.status, first.body) == (first.status, second.status, second.body)
    assert len(set(keys(shop.stripe.asked))) == 1
    assert len(keys(shop.stripe.asked)) == 2


async def test_keys_are_of_caller_and_row(shop: RunningApp) -> None:
    """W5: the same key of two callers, or for two rows, gives two keys at Stripe, which do not show what was sent."""
    for case in POSTS.values():
        assert (await case.call(shop, MANAGER, KEY)).status == case.status

    manager = keys(shop.stripe.asked)
    for case in POSTS.values():  # the manager's objects are detached and canceled by now, so some are refused
        await case.call(shop, TENANT, KEY)
    both = keys(shop.stripe.asked)

    assert len(set(manager)) == len(manager) == len(POSTS)
    assert len(set(both)) == len(both) >= len(POSTS) + 5
    assert not any("order" in key for key in both)


async def test_another_callers_key_gives_nothing_of_the_first(shop: RunningApp) -> None:
    """W5: a key that another caller used before does not return what was made with it."""
    case = CASES["payment_intents.create"]

    first, second = await case.call(shop, MANAGER, KEY), await case.call(shop, TENANT, KEY)

    assert (first.status, second.status) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_the_same_key_for_something_else(shop: RunningApp) -> None:
    """W6: a key repeated with other values, or for another object, is a clear 409 and changes nothing more."""
    case, cancel = CASES["payment_intents.create"], CASES["payment_intents.cancel"]
    await case.call(shop, MANAGER, KEY)
    await cancel.call(shop, MANAGER, KEY)

    other = [
        await case.having(quantity=4).call(shop, MANAGER, KEY),
        await cancel.about("OTHER").call(shop, MANAGER, KEY),
    ]

    assert [(each.status, each.extensions["stripe"]["type"]) for each in other] == [(409, "idempotency_error")] * 2
    assert next(each for each in shop.stripe.payments if each["id"] == "pi_OTHER")["status"] != "canceled"


@pytest.mark.parametrize(
    "sent", [(KEY, ("Idempotency-Key", "order-2")), (("Idempotency-Key", "k" * 256),)], ids=["two", "long"]
)
async def test_odd_keys(shop: RunningApp, sent: tuple[tuple[str, str], ...]) -> None:
    """W5: a key that Stripe would not accept, or a second one, is 400 and reaches no upstream."""
    answers = {name: await case.call(shop, MANAGER, *sent) for name, case in POSTS.items()}

    assert dict.fromkeys(POSTS, (400, "INVALID_PAYLOAD")) == {name: (a.status, a.code) for name, a in answers.items()}
    assert shop.stripe.asked == []


@pytest.mark.parametrize("case", POSTS.values(), ids=POSTS)
async def test_a_key_is_no_way_around_the_scope(shop: RunningApp, case: Case) -> None:
    """R1: a caller that lost access to an object cannot get an earlier answer by repeating its key."""
    await case.call(shop, TENANT, KEY)
    before = len(keys(shop.stripe.asked))
    shop.directus.rows["customers"].clear()

    again = await case.call(shop, TENANT, KEY)

    refused = case.names_customer or case.row.scoping is Scoping.REFUSED
    assert again.status == (401 if refused else 409)
    assert before == len(keys(shop.stripe.asked))


@pytest.mark.parametrize("case", POSTS.values(), ids=POSTS)
async def test_a_lost_answer_has_one_effect(shop: RunningApp, case: Case) -> None:
    """U3: if Stripe fails once, the same request is sent again with the same key."""
    shop.stripe.fail(faulty(500, "{}"), when=lambda request: request.method == "POST", times=1)

    answer = await case.call(shop, MANAGER)

    assert case.status == answer.status
    assert (len(keys(shop.stripe.asked)), len(set(keys(shop.stripe.asked)))) == (2, 1)


async def test_cancelling_twice_needs_no_key(shop: RunningApp) -> None:
    """A DELETE has no key at Stripe; the second one is answered with the canceled subscription as well."""
    case = CASES["subscriptions.cancel"]

    answers = [await case.call(shop, TENANT) for _ in range(2)]

    assert [each.status for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
