"""Creating customers with write-back on a real Directus: with the service token that `provision` made, and without."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from sidecar.core.flows.item_links import ItemLinks
from tests.doubles.stripe import StripeDouble
from tests.doubles.wire import Answer
from tests.integration.asking import ask, served, verdict
from tests.integration.conftest import Newcomer

OWN = {"owner": {"_eq": "$CURRENT_USER"}}
# A portal's visitor sees and changes its own items, but never writes the ID.
SEES_OWN = Rule("customers", "read", ("id", "name", "email", "owner", "stripe_customer_id"), item=OWN)
CHANGES_OWN = Rule("customers", "update", ("name", "email"), item=OWN)
CREATES = Rule("customers", "create", ("name", "email", "owner"))


class Shop:
    """A sidecar with write-back between the real Directus and a Stripe double."""

    def __init__(self, stack: Stack, stripe: StripeDouble, url: str) -> None:
        self.stack, self.stripe, self._url = stack, stripe, url

    async def create(self, person: Person, **body: object) -> Answer:
        return await ask(self._url, "/stripe/customers", person.token, new={"email": "ada@example.com", **body})

    async def item(self, **values: object) -> int:
        return int((await self.stack.admin.request("POST", "/items/customers", values))["id"])

    async def items(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await self.stack.admin.request("GET", "/items/customers?sort=id&limit=-1")
        return rows

    async def customer_of(self, item: int) -> str | None:
        """Read the ID of the item's customer."""
        [row] = [row for row in await self.items() if row["id"] == item]
        customer: str | None = row["stripe_customer_id"]
        return customer

    @property
    def creations(self) -> int:
        return sum(request.method == "POST" for request in self.stripe.requests)


@pytest.fixture(autouse=True)
async def _only_seeded_items(stack: Stack, newcomer: Newcomer) -> AsyncIterator[None]:  # noqa: ARG001 - see below
    """Delete the items before `newcomer` deletes their owners."""
    yield
    names = list(stack.customers)
    query = {"query": {"filter": {"_or": [{"name": {"_nin": names}}, {"name": {"_null": True}}]}}}
    await stack.admin.request("DELETE", "/items/customers", query)


def settings_of(stack: Stack, stripe: StripeDouble) -> dict[str, str]:
    token, secret = (content(stack, name) for name in ("DIRECTUS_SERVICE_TOKEN", "SIDECAR_SECRET"))
    double = {"STRIPE_API_BASE": stripe.url, "STRIPE_LIVE_SECRET_KEY": stripe.key}
    return {
        **stack.settings,
        **double,
        "STRIPE_WRITE_BACK": "true",
        "DIRECTUS_SERVICE_TOKEN": token,
        "SIDECAR_SECRET": secret,
    }


def content(stack: Stack, name: str) -> str:
    """Read the file that `provision` made for this setting."""
    return Path(stack.settings[f"{name}_FILE"]).read_text(encoding="ascii").strip()


def signed(stack: Stack, project: str, item: int) -> dict[str, str]:
    return ItemLinks(project, "customers", [content(stack, "SIDECAR_SECRET")]).metadata(item)


@pytest.fixture
async def shop(stack: Stack, stripe: StripeDouble) -> AsyncIterator[Shop]:
    async with served(settings_of(stack, stripe)) as url:
        yield Shop(stack, stripe, url)


@pytest.fixture
async def shop_without_service(stack: Stack, stripe: StripeDouble) -> AsyncIterator[Shop]:
    async with served({**settings_of(stack, stripe), "DIRECTUS_SERVICE_TOKEN": "", "DIRECTUS_PROJECT": "shop"}) as url:
        yield Shop(stack, stripe, url)


async def test_item_given(shop: Shop, newcomer: Newcomer) -> None:
    """The caller's own item gets the new customer's ID, though the caller itself may not write it."""
    visitor = await newcomer(SEES_OWN, CHANGES_OWN, CREATES)
    item = await shop.item(name="Ada", owner=visitor.id)

    answer = await shop.create(visitor, item=item)

    assert verdict(answer) == (201, None)
    assert await shop.customer_of(item) == answer.json()["id"]


async def test_item_that_has_one(shop: Shop, newcomer: Newcomer) -> None:
    """W4: if the item has a customer, that customer is the answer, and none is created."""
    visitor = await newcomer(SEES_OWN, CHANGES_OWN, CREATES)
    item = await shop.item(name="Ada", owner=visitor.id)
    first = await shop.create(visitor, item=item)

    second = await shop.create(visitor, item=item)

    assert (verdict(second), second.json()["id"]) == ((200, None), first.json()["id"])
    assert shop.creations == 1


async def test_item_created(shop: Shop, stack: Stack) -> None:
    """Without `item` one is created as the caller; it has the same values, and gets the ID."""
    before = {row["id"] for row in await shop.items()}

    answer = await shop.create(stack.people["clerk"], name="Ada", phone="+1")

    [row] = [row for row in await shop.items() if row["id"] not in before]
    assert verdict(answer) == (201, None)
    assert (row["name"], row["email"], row["stripe_customer_id"]) == ("Ada", "ada@example.com", answer.json()["id"])
    told = await stack.admin.request("GET", "/settings?fields=project_id")
    assert shop.stripe.customers[0]["metadata"] == signed(stack, told["project_id"], row["id"])


async def test_item_created_with_presets(shop: Shop, newcomer: Newcomer) -> None:
    """Directus's presets apply to the created item: here they make the caller its owner, who may then see it."""
    visitor = await newcomer(SEES_OWN)
    await allow_creation(shop.stack, visitor, presets={"owner": "$CURRENT_USER"})

    answer = await shop.create(visitor, name="Ada")

    assert verdict(answer) == (201, None)
    [row] = [row for row in await shop.items() if row["owner"] == visitor.id]
    assert row["stripe_customer_id"] == answer.json()["id"]


async def test_validation_comes_first(shop: Shop, newcomer: Newcomer) -> None:
    """What Directus's validation refuses is answered with its message before Stripe is asked, and leaves no item."""
    visitor = await newcomer(SEES_OWN)
    await allow_creation(shop.stack, visitor, validation={"email": {"_ends_with": "@example.org"}})
    before = await shop.items()

    answer = await shop.create(visitor, name="Ada")

    assert verdict(answer) == (400, "FAILED_VALIDATION")
    assert shop.creations == 0
    assert await shop.items() == before


@pytest.mark.parametrize("rules", [(CREATES,), (SEES_OWN, CREATES), (SEES_OWN, CHANGES_OWN, CREATES)], ids=len)
async def test_item_of_another(shop: Shop, newcomer: Newcomer, rules: Sequence[Rule]) -> None:
    """R2: an item that the caller may not see is refused like an unknown one, 0 Stripe, and stays empty."""
    visitor = await newcomer(*rules)
    others = await shop.item(name="Grace")

    foreign, absent = await shop.create(visitor, item=others), await shop.create(visitor, item=987_654)

    assert verdict(foreign) == (403, "FORBIDDEN")
    assert foreign.body == absent.body
    assert shop.creations == 0
    assert await shop.customer_of(others) is None


async def test_item_that_may_only_be_read(shop: Shop, newcomer: Newcomer) -> None:
    """A caller that may read an item and not change it creates no customer for it, 0 Stripe."""
    visitor = await newcomer(SEES_OWN, CREATES)
    item = await shop.item(name="Ada", owner=visitor.id)

    answer = await shop.create(visitor, item=item)

    assert verdict(answer) == (403, "FORBIDDEN")
    assert shop.creations == 0


@pytest.mark.parametrize("who", ["reader", "member", "guest"])
async def test_no_right_to_create(shop: Shop, stack: Stack, who: str) -> None:
    """C2: a caller without the right to create is refused, without an item and with its own; 0 Stripe, no new item."""
    person = stack.people[who]
    own = await shop.item(name="Ada", owner=person.id)
    before = await shop.items()

    answers = [await shop.create(person), await shop.create(person, item=own)]

    assert {(verdict(answer), answer.extensions["reason"]) for answer in answers} == {((401, "FORBIDDEN"), "no_access")}
    assert shop.creations == 0
    assert await shop.items() == before


@pytest.mark.parametrize("key", ["me", "1/../2", "1?fields=*", "1,2", " 1", "01", "0x1", "1.0", "+1", -1, 1.0, [1], {}])
async def test_odd_keys(shop: Shop, stack: Stack, key: object) -> None:
    """P1: a malformed key, and an alias of an item's key, create nothing."""
    item = await shop.item(name="Ada")
    key = key.replace("1", str(item)) if isinstance(key, str) else key

    answer = await shop.create(stack.people["clerk"], item=key)

    assert answer.status in {400, 403, 404}
    assert shop.creations == 0
    assert await shop.customer_of(item) is None


async def test_callers_own_token(shop_without_service: Shop, stack: Stack) -> None:
    """Without a service token the ID is written with the caller's own token, to a given item and to a created one."""
    shop, clerk = shop_without_service, stack.people["clerk"]
    item = await shop.item(name="Ada")
    before = {row["id"] for row in await shop.items()}

    given, created = await shop.create(clerk, item=item), await shop.create(clerk, name="Grace")

    [row] = [row for row in await shop.items() if row["id"] not in before]
    assert [given.status, created.status] == [201, 201]
    assert await shop.customer_of(item) == given.json()["id"]
    assert row["stripe_customer_id"] == created.json()["id"]


async def test_caller_that_may_not_write_the_id(shop_without_service: Shop, newcomer: Newcomer) -> None:
    """0 Stripe: without a service token a caller that may not write the ID is refused before it has a customer."""
    shop = shop_without_service
    visitor = await newcomer(SEES_OWN, CHANGES_OWN, CREATES)
    item = await shop.item(name="Ada", owner=visitor.id)

    answer = await shop.create(visitor, item=item)

    assert verdict(answer) == (403, "FORBIDDEN")
    assert "field of the customer ID" in answer.message
    assert await shop.customer_of(item) is None


async def allow_creation(stack: Stack, person: Person, **limits: Mapping[str, object]) -> None:
    """Let a person create items, with Directus's `presets` or `validation`."""
    [access] = await stack.admin.request("GET", f"/access?filter[role][_eq]={person.role}")
    permission = {"policy": access["policy"], "collection": "customers", "action": "create", "fields": ["*"]}
    await stack.admin.request("POST", "/permissions", {**permission, **limits})
