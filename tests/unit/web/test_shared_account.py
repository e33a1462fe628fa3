"""O3, W4 through HTTP: a Stripe account that several Directus share, and items whose customer is gone."""

import time
from dataclasses import replace

import pytest

from tests.doubles.directus import User, full, grants
from tests.doubles.running_app import CLERK, SERVICE_TOKEN, OpenApp, RunningApp

WRITING = {"STRIPE_WRITE_BACK": "true", "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN}
OTHER_SECRET = "of-another-directus-and-32-bytes-long"


async def test_two_directus_with_one_account(open_app: OpenApp) -> None:
    """O3: item 1 of another Directus, with the same names and the same e-mail address, gets another customer."""
    ours, theirs = await open_app(**WRITING), await open_app(**WRITING, SIDECAR_SECRET=OTHER_SECRET)
    item = ours.directus.add_row()

    first = await ours.create(item=item["id"])
    item["stripe_customer_id"] = None  # the other one's item 1
    second = await theirs.create(item=item["id"])

    assert (first.status, second.status) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_a_retry_after_the_secret_was_replaced(open_app: OpenApp) -> None:
    """W3: the item's customer of today is found again, by whichever of the listed secrets it was signed."""
    before = await open_app(**WRITING)
    item = before.directus.add_row()
    first = await before.create(item=item["id"])
    item["stripe_customer_id"] = None  # as if its ID had not been written
    before.stripe.customers[0]["created"] = int(time.time())
    after = await open_app(**WRITING, SIDECAR_SECRET=f"{OTHER_SECRET},MARKED-secret/+of-32-bytes-or-more")

    second = await after.create(item=item["id"], name="Another name")

    assert (second.status, second.json()["id"]) == (200, first.json()["id"])
    assert (item["stripe_customer_id"], len(after.stripe.customers)) == (first.json()["id"], 1)


@pytest.mark.parametrize("given", [True, False], ids=["item", "no item"])
async def test_nobody_creates_an_item_or_writes_into_one(open_app: OpenApp, *, given: bool) -> None:
    """O1, O3: a token of which Directus names no user changes no item either, also where the customer is there."""
    before = await open_app(**WRITING)
    item = before.directus.add_row()
    await before.create(item=item["id"])
    item["stripe_customer_id"] = None
    before.stripe.customers[0]["created"] = int(time.time())
    after = await open_app(**WRITING, SIDECAR_SECRET=f"{OTHER_SECRET},MARKED-secret/+of-32-bytes-or-more")
    machine = replace(CLERK, token="MARKED-machine", of_a_share=True)  # as an extension of Directus may let in
    after.directus.add_users([machine])
    for app in (before, after):
        app.tokens.add(machine.token)

    answer = await after.create(machine, **({"item": item["id"]} if given else {}))

    assert (answer.status, answer.extensions["reason"]) == (401, "no_user")
    assert [row["stripe_customer_id"] for row in after.directus.rows["customers"].values()] == [None]


@pytest.mark.parametrize("deleted", [True, False])
async def test_an_item_with_a_dead_customer(open_app: OpenApp, *, deleted: bool) -> None:
    """W4: the answer is a 409 that names the item and what mends it, not a customer that is none."""
    app = await open_app(**WRITING)
    customer = app.stripe.add_customer(deleted=True)["id"] if deleted else "cus_ofAnotherAccount"
    item = app.directus.add_row(stripe_customer_id=customer)

    answer = await app.create(item=item["id"])

    [error] = answer.json()["errors"]
    assert (answer.status, error["extensions"]) == (409, {"code": "CONFLICT", "item": item["id"]})
    assert "Empty the field" in error["message"]
    assert item["stripe_customer_id"] == customer


async def identified(open_app: OpenApp, **settings: str) -> RunningApp:
    return await open_app(**WRITING, DIRECTUS_PROJECT="", **settings)


async def test_the_project_is_directuss_own(open_app: OpenApp) -> None:
    """O3: without DIRECTUS_PROJECT the customer names the ID that Directus gave itself, which is asked for once."""
    app = await identified(open_app)
    app.directus.add_users([reading_settings()])

    for _ in range(2):
        assert (await app.create(item=app.directus.add_row()["id"])).status == 201

    assert {str(one["metadata"]).count(str(app.directus.project)) for one in app.stripe.customers} == {1}
    assert [request.path for request in app.directus.requests].count("/settings") == 1


def reading_settings() -> User:
    own = grants(read=full("id", "stripe_customer_id"), update=full("stripe_customer_id"))
    return User("service", SERVICE_TOKEN, {**own, **grants("directus_settings", read=full("project_id"))})


@pytest.mark.parametrize("item", [True, False])
async def test_a_directus_that_does_not_say_who_it_is(open_app: OpenApp, *, item: bool) -> None:
    """0 Stripe: no item and no customer is created for a project without a name, and the answer is a 503."""
    app = await identified(open_app)
    given = {"item": app.directus.add_row()["id"]} if item else {}
    rows = len(app.directus.rows["customers"])

    answer = await app.create(CLERK, **given)

    assert (answer.status, app.stripe.customers, len(app.directus.rows["customers"])) == (503, [], rows)
