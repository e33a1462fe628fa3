"""Usage that is billed, what a customer may use, and its tax IDs: of one's own customer and of nobody else's."""

import json

import pytest

from sidecar.core.operations.resources import METER_EVENT, TAX_ID
from tests.doubles.directus import full
from tests.doubles.running_app import RunningApp
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, TENANT
from tests.unit.web.table.test_collections import someone

EVENT = CASES["billing_meter_events.create"]
OF_OWN = "event_name=calls&payload[value]=25&payload[stripe_customer_id]=cus_OWN"
KEY = ("Idempotency-Key", "call-1")


def events(shop: RunningApp) -> list[dict[str, str]]:
    return [dict(request.form) for request in shop.stripe.asked if request.method == "POST"]


async def test_usage_is_of_ones_own_customer(shop: RunningApp) -> None:
    """With partial access the customer is filled in where it is left out, and refused where it is another's."""
    unsaid = await EVENT.having(payload={"value": "25"}).call(shop, TENANT)
    foreign = await EVENT.about("FOREIGN").call(shop, TENANT)

    assert (unsaid.status, unsaid.json()["object"]) == (201, "billing.meter_event")
    assert events(shop) == [dict(part.split("=") for part in OF_OWN.split("&"))]
    assert (foreign.status, foreign.extensions["reason"]) == (401, "not_visible")


async def test_usage_of_one_of_several_customers(shop: RunningApp) -> None:
    """A caller with two customers must say whose usage it is."""
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OTHER", name="Bob", email="bob@example.com")

    unsaid = await EVENT.having(payload={"value": "25"}).call(shop, TENANT)
    said = await EVENT.about("OTHER").call(shop, TENANT)

    assert (unsaid.status, unsaid.message) == (400, "customer: your items name several customers; say which one.")
    assert [event["payload[stripe_customer_id]"] for event in events(shop)] == ["cus_OTHER"]
    assert said.status == 201


async def test_whole_access_names_the_customer(shop: RunningApp) -> None:
    """A caller with access to every customer must say whose usage it is, in Stripe's own place."""
    answer = await EVENT.having(payload={"value": "25"}).call(shop, MANAGER)

    assert (answer.status, answer.message) == (400, "payload.stripe_customer_id: is required.")
    assert shop.stripe.asked == []


async def test_naming_a_customer_there_takes_the_id_field(shop: RunningApp) -> None:
    """R6: who may not see customers' IDs does not name one in the payload either."""
    user = await someone(shop, {"read": full("name")}, shop={"create": full()})

    answer = await EVENT.call(shop, user)

    assert (answer.status, answer.extensions["reason"], shop.stripe.asked) == (401, "no_id_field", [])


@pytest.mark.parametrize("value", ["", "-1", "1e3", "1.", ".5", "0x1", " 1", "1" * 16, 25, None, "cus_OTHER"])
async def test_usage_is_a_number(shop: RunningApp, value: object) -> None:
    """V1: usage that is no number of Stripe's, or would lower a bill, is 400; Stripe is not asked."""
    payload = {"stripe_customer_id": "cus_OWN", "value": value}

    answer = await EVENT.having(payload=payload).call(shop, MANAGER)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert shop.stripe.asked == []


@pytest.mark.parametrize("more", [{"customer": "cus_OTHER"}, {"stripe_customer": "cus_OTHER"}, {"tokens": "5"}])
async def test_a_payload_has_nothing_else(shop: RunningApp, more: dict[str, str]) -> None:
    """R4: keys by which another meter would name a customer do not pass."""
    answer = await EVENT.having(payload={"value": "1", **more}).call(shop, TENANT)

    assert (answer.status, shop.stripe.asked) == (400, [])


async def test_an_event_counts_once(shop: RunningApp) -> None:
    """The same request repeated gets the same answer; another one with the same identifier is Stripe's 400."""
    case = EVENT.having(identifier="call-1", timestamp=1_700_000_000)

    first, again = await case.call(shop, TENANT, KEY), await case.call(shop, TENANT, KEY)
    other = await case.call(shop, TENANT)

    assert (first.status, again.status, first.body) == (201, 201, again.body)
    assert (first.json()["identifier"], other.status) == ("call-1", 400)
    assert len(shop.stripe.objects["billing.meter_event"]) == 1


async def test_who_sees_the_payload(shop: RunningApp) -> None:
    """R6: the answer shows a field list no payload, which names the customer, and all fields everything."""
    answers = {user.name: await EVENT.call(shop, user) for user in (MANAGER, TENANT, CLERK)}

    assert {name: each.status for name, each in answers.items()} == dict.fromkeys(answers, 201)
    assert answers[MANAGER.name].json()["payload"] == {"stripe_customer_id": "cus_OWN", "value": "25"}
    assert set(answers[CLERK.name].json()) <= METER_EVENT.base


async def test_entitlements_of_the_one_customer(shop: RunningApp) -> None:
    """Entitlements do not say whose they are: they are listed of one customer, whole or by page."""
    shop.stripe.add("entitlements.active_entitlement", id="ent_MORE", customer="cus_OWN", lookup_key="more")
    bare = "/stripe/entitlements/active_entitlements"

    whole, page = await shop.call(TENANT, bare), await shop.call(TENANT, f"{bare}?limit=1")
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OTHER", name="Bob", email="bob@example.com")
    several, one = await shop.call(TENANT, bare), await shop.call(TENANT, f"{bare}?customer=cus_OTHER")

    assert [each["id"] for each in whole.json()] == ["ent_MORE", "ent_OWN"]
    assert ([each["id"] for each in page.json()["data"]], page.json()["has_more"]) == (["ent_MORE"], True)
    assert (several.status, several.message) == (400, "customer: your items name several customers; say which one.")
    assert [each["id"] for each in one.json()] == ["ent_OTHER"]


async def test_all_entitlements_are_nobodys_to_list(shop: RunningApp) -> None:
    """A caller with access to every customer must name one, as Stripe demands."""
    answer = await shop.call(MANAGER, "/stripe/entitlements/active_entitlements")

    assert (answer.status, answer.message, shop.stripe.asked) == (400, "customer: is required.", [])


async def test_the_number_of_a_tax_id(open_shop: OpenShop) -> None:
    """R6: the number itself, which may be a person's, is for all fields or for a field that maps to it."""
    shop = await open_shop({"tax_ids.list": 'fields = { name = "value" }'})
    target = "/stripe/customers/cus_OWN/tax_ids?limit=1"

    mapped = (await shop.call(TENANT, target)).json()["data"][0]
    plain = (await CASES["tax_ids.create"].call(shop, TENANT)).json()

    assert mapped["value"] == "value-OWN"
    assert set(plain) <= TAX_ID.base
    assert plain["verification"] == {"status": "pending"}


async def test_a_deleted_tax_id(shop: RunningApp) -> None:
    """What was deleted is answered as Stripe answers it, and listed no more."""
    deleted = await CASES["tax_ids.delete"].call(shop, TENANT)
    left = await CASES["tax_ids.list"].call(shop, TENANT)

    assert deleted.json() == {"id": "txi_OWN", "object": "tax_id", "deleted": True}
    assert left.json()["data"] == []


async def test_lists_below_a_customer_take_no_customer(shop: RunningApp) -> None:
    """R4: the path says whose they are; a `customer` beside it is 400."""
    answers = [await shop.call(MANAGER, f"/stripe{CASES[name].target}&customer=cus_OTHER") for name in BELOW]

    assert [(each.status, each.code) for each in answers] == [(400, "INVALID_QUERY")] * 2
    assert shop.stripe.asked == []


BELOW = ("tax_ids.list", "customer_balance_transactions.list")


@pytest.mark.parametrize("name", BELOW)
async def test_whole_lists_below_a_customer(shop: RunningApp, name: str) -> None:
    """Whole lists below a customer have all of its objects, newest first, for either kind of caller."""
    kind = CASES[name].row.resource.kind
    made = [str(shop.stripe.add(kind, customer="cus_OWN")["id"]) for _ in range(120)]
    target = f"/stripe{CASES[name].target.partition('?')[0]}"

    answers = [await shop.call(user, target) for user in (MANAGER, TENANT)]

    expected = [*reversed(made), f"{CASES[name].row.resource.prefixes[0]}_OWN"]
    assert [[each["id"] for each in json.loads(answer.body)] for answer in answers] == [expected] * 2
