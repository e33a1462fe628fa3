"""What the operator sets and clients choose, on a real Directus that says who calls and for which item."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.doubles.running_app import SIDECAR_SECRET
from tests.doubles.shop import RETURN, Account, Shop, open_shop
from tests.integration.asking import ask, served
from tests.integration.conftest import Newcomer, StripeRequests

FILE = """
[checkout_sessions.create]
set.mode = "payment"
set.metadata = { user = "$user", item = "$item" }
allow = ["client_reference_id", "metadata.order", { discounts = [{ coupon = "SUMMER" }] }]
[subscriptions.update]
set.metadata = { user = "$user", item = "$item" }
[customers.create]
set.metadata = { user = "$user", item = "$item" }
allow = ["metadata.source"]
"""
OWN = {"owner": {"_eq": "$CURRENT_USER"}}
UPDATE = Rule("customers", "update", ("name", "email"), item=OWN)
ALL_FIELDS = ("id", "stripe_customer_id", "name", "email", "owner")
OWNER = (
    Rule("customers", "read", ALL_FIELDS, item=OWN),
    UPDATE,
    Rule("customers", "create", ("name", "email")),
)


@pytest.fixture
async def sidecar(stack: Stack, tmp_path: Path) -> AsyncIterator[str]:
    file = tmp_path / "operations.toml"
    file.write_text(FILE)
    settings = {"STRIPE_OPERATIONS": str(file), "ALLOWED_RETURN_URLS": RETURN, "STRIPE_WRITE_BACK": "true"}
    settings["SIDECAR_SECRET"] = SIDECAR_SECRET
    async with served({**stack.settings, **settings}) as url:
        yield url


@pytest.fixture
async def shop(stack: Stack) -> Shop:
    return await open_shop(Account(stack.stripe_url))


@pytest.fixture
async def item(stack: Stack, shop: Shop, owner: Person) -> AsyncIterator[str]:
    """The owner's item, which names the shop's customer."""
    new = {"name": "Own", "stripe_customer_id": shop["customer"], "owner": owner.id}
    key = str((await stack.admin.request("POST", "/items/customers", new))["id"])
    yield key
    await stack.admin.request("DELETE", f"/items/customers/{key}")


@pytest.fixture
async def owner(newcomer: Newcomer) -> Person:
    return await newcomer(*OWNER)


def page(shop: Shop, **more: object) -> dict[str, object]:
    return {"line_items": [{"price": shop["once"]}], "success_url": RETURN, **more}


async def test_an_owners_checkout(sidecar: str, shop: Shop, owner: Person, item: str) -> None:
    """A session that an owner creates has the operator's mode and words, and the texts that the owner chose."""
    chosen = {"client_reference_id": "order-7", "metadata": {"order": "7"}, "discounts": [{"coupon": "SUMMER"}]}

    answer = await ask(sidecar, "/stripe/checkout/sessions", owner.token, new=page(shop, **chosen))

    assert answer.status == 201, answer.body
    session = await shop.account.get(f"checkout/sessions/{answer.json()['id']}")
    assert (session["mode"], session["client_reference_id"]) == ("payment", "order-7")
    assert session["metadata"] == {"user": owner.id, "item": item, "order": "7"}


async def test_what_a_client_may_not_send(
    sidecar: str, shop: Shop, owner: Person, stripe_requests: StripeRequests
) -> None:
    """What is set, and a value that is not listed, are refused by name, and Stripe is not asked."""
    refused: dict[str, dict[str, object]] = {
        "mode": {"mode": "payment"},
        "metadata.item": {"metadata": {"item": "1"}},
        "metadata": {"metadata": None},
        "discounts": {"discounts": [{"coupon": "WINTER"}]},
    }
    before = len(stripe_requests())

    answers = [
        await ask(sidecar, "/stripe/checkout/sessions", owner.token, new=page(shop, **body))
        for body in refused.values()
    ]

    assert [(each.status, each.message.partition(":")[0]) for each in answers] == [(400, place) for place in refused]
    assert stripe_requests()[before:] == []


async def test_staff_change_a_subscription(stack: Stack, sidecar: str, shop: Shop, owner: Person, item: str) -> None:
    """Who has whole access is named as who changed it; the item is that of the subscription's customer."""
    staff = stack.people["administrator"]
    target = f"/stripe/subscriptions/{shop['subscription']}"

    answer = await ask(sidecar, target, staff.token, new={"description": "x"})

    assert answer.status == 200, answer.body
    subscription = await shop.account.get(f"subscriptions/{shop['subscription']}")
    assert subscription["metadata"] == {"user": staff.id, "item": item}
    assert staff.id != owner.id


async def test_a_caller_that_may_not_read_the_key(sidecar: str, shop: Shop, newcomer: Newcomer, item: str) -> None:
    """Who sees every customer and no primary key is refused by name, and nothing is changed."""
    blind = await newcomer(
        Rule("customers", "read", ("stripe_customer_id", "name")), Rule("customers", "update", ("name",))
    )
    target = f"/stripe/subscriptions/{shop['subscription']}"

    answer = await ask(sidecar, target, blind.token, new={"description": "x"})

    assert (answer.status, answer.message.partition(":")[0]) == (400, "metadata.item"), item
    assert (await shop.account.get(f"subscriptions/{shop['subscription']}"))["metadata"] == {}


async def test_a_new_customer(stack: Stack, sidecar: str, shop: Shop) -> None:
    """A customer that is created with its item has the item's key twice: signed for us, and as the operator wants."""
    staff = stack.people["administrator"]
    new = {"email": "grace@example.com", "metadata": {"source": "web"}}

    answer = await ask(sidecar, "/stripe/customers", staff.token, new=new)

    assert answer.status == 201, answer.body
    metadata = (await shop.account.get(f"customers/{answer.json()['id']}"))["metadata"]
    assert (metadata["user"], metadata["source"]) == (staff.id, "web")
    assert metadata["item"] == metadata["directus_item"]
    await stack.admin.request("DELETE", f"/items/customers/{metadata['item']}")
