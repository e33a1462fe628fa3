"""Stripe's side of `reconcile`: every customer of the account, or an error."""

import pytest
from pydantic import SecretStr

from sidecar import opening
from sidecar.commands.ledger import Ledger
from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.flows.reconcile import ListedCustomer
from sidecar.errors import StripeUnavailable
from sidecar.settings import Settings
from tests.aioresponses_compat import Reply, reply, upstream
from tests.doubles.virtual_time import in_virtual_time

SECRET = "of-the-unit-tests-and-32-bytes-long"
NAMED = ItemLinks("shop", "customers", (SECRET,)).metadata(7)


def page(*customers: dict[str, object], more: bool) -> Reply:
    return reply({"object": "list", "data": customers, "has_more": more})


def customer(name: str, **attributes: object) -> dict[str, object]:
    return {"id": name, "object": "customer", **attributes}


FIRST = page(customer("cus_4", metadata=NAMED), customer("cus_3", metadata={}), more=True)
GONE = reply({"error": {"type": "invalid_request_error", "param": "starting_after"}}, status=400)


async def listed(since: int | None, ids: list[str], named: list[ListedCustomer]) -> None:
    settings = Settings(
        directus_url="http://directus.test",
        directus_service_token=SecretStr("service"),
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
        sidecar_secret=(SecretStr(SECRET),),
        directus_project="shop",
    )
    async with opening.directus_session(settings) as directus, opening.stripe_session(settings) as stripe:
        async for part in Ledger(settings, directus, stripe).customers(since):
            ids += part.ids
            named += part.customers


@pytest.mark.parametrize(("since", "filters"), [(None, {}), (5, {"created[gte]": "5"})])
@in_virtual_time
async def test_customers_are_listed_to_the_end(since: int | None, filters: dict[str, str]) -> None:
    """U4: Customers are read page after page to the end, each page with the start in time that was asked for."""
    ids: list[str] = []
    named: list[ListedCustomer] = []

    with upstream(FIRST, page(customer("cus_2"), more=True), page(customer("cus_1"), more=False)) as stripe:
        await listed(since, ids, named)

    assert ids == ["cus_4", "cus_3", "cus_2", "cus_1"]
    assert named == [ListedCustomer("cus_4", "7")]
    cursors: list[dict[str, str]] = [{}, {"starting_after": "cus_3"}, {"starting_after": "cus_2"}]
    assert [dict(request.url.query) for request in stripe.requests] == [
        {**filters, "limit": "100", **cursor} for cursor in cursors
    ]


@pytest.mark.parametrize("second", [page(more=True), FIRST, reply({})], ids=["empty", "repeated", "no list"])
@in_virtual_time
async def test_customers_that_break_off(second: Reply) -> None:
    """U4: Where Stripe's list breaks off, the customers before are given, and then an error."""
    ids: list[str] = []

    with upstream(FIRST, second), pytest.raises(StripeUnavailable):
        await listed(None, ids, [])

    assert ids == ["cus_4", "cus_3"]


@in_virtual_time
async def test_customer_at_the_cursor_is_deleted() -> None:
    """A customer that is deleted while the list is read does not end it, though the next page was to begin after it."""
    ids: list[str] = []

    with upstream(FIRST, GONE, page(customer("cus_2"), more=False)) as stripe:
        await listed(None, ids, [])

    assert ids == ["cus_4", "cus_3", "cus_2"]
    assert stripe.requests[-1].url.query["starting_after"] == "cus_4"
