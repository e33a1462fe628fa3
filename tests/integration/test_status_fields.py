"""Fields that say what belongs to a customer, on a real Directus: by an item rule subscribers read, and nobody else."""

import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from deploy.demo.admin import DirectusAdmin, Person, Rule
from deploy.demo.stack import Stack
from tests.documents.pages import SIDECAR, block_after
from tests.doubles.events import SECRET, event, thin
from tests.doubles.proxy import proxy_for
from tests.doubles.stripe import Object, StripeDouble
from tests.integration.asking import served
from tests.integration.commands import PROJECT, Ended, Place, place, run, token_of
from tests.integration.conftest import Newcomer
from tests.integration.webhook_rig import WebhookRig

MAP = {
    "name": "name",
    "status": "subscription.status",
    "plan": "subscription.price.lookup_key",
    "until": "subscription.current_period_end",
    "ends": "subscription.cancel_at_period_end",
    "rights": "entitlements",
    "card": "default_payment_method.card.last4",
    "month": "default_payment_method.card.exp_month",
}
NOTHING = dict.fromkeys(set(MAP) - {"name"}) | {"rights": []}
END = 1798761600  # the first second of 2027
ENTITLEMENT = "entitlements.active_entitlement"


@dataclass(frozen=True, slots=True)
class Magazine:
    """Customers with an owner each, articles for those whose status or rights a rule names, and the sidecar."""

    rig: WebhookRig
    articles: str

    @property
    def settings(self) -> dict[str, str]:
        return self.rig.settings | {"STRIPE_FIELD_MAP": json.dumps(MAP), "DIRECTUS_PROJECT": PROJECT}

    async def send(self, kind: str, about: Object, **more: object) -> int:
        async with served(self.settings) as url:
            return (await self.rig.post(event(kind, about, **more), url)).status

    async def reconcile(self, *arguments: str) -> Ended:
        return await run("reconcile", *arguments, **self.settings)

    async def member(self, owner: Person, **values: object) -> tuple[Object, Any]:
        """Add a customer with a card, and its owner's item."""
        customer = self.rig.stripe.add_customer(name="Ada")
        card = self.rig.stripe.add("payment_method", customer=customer["id"])
        customer["invoice_settings"]["default_payment_method"] = card["id"]
        return customer, await self.rig.linked(customer, owner=owner.id, name="Ada", **values)

    def subscribe(self, customer: Object) -> Object:
        """Add an active subscription of the gold price, with a right."""
        stripe = self.rig.stripe
        price = stripe.add("price", lookup_key="gold")
        subscription = stripe.add("subscription", customer=customer["id"], status="active")
        subscription["items"]["data"][0] |= {"price": price, "current_period_end": END}
        stripe.add(ENTITLEMENT, customer=customer["id"], lookup_key="archive")
        return subscription

    def cancel(self, subscription: Object) -> None:
        """End a subscription at once, and the rights that came with it."""
        subscription |= {"status": "canceled", "canceled_at": END, "ended_at": END}
        rights = self.rig.stripe.objects[ENTITLEMENT]
        rights[:] = [right for right in rights if right["customer"] != subscription["customer"]]

    async def read_by(self, person: Person) -> list[str]:
        """Name the articles that this person sees."""
        found = await DirectusAdmin(self.rig.place.stack.directus.url, person.token).request(
            "GET", f"/items/{self.articles}?fields=title&sort=title"
        )
        return [row["title"] for row in found]

    async def status_of(self, item: object) -> dict[str, object]:
        row = await self.rig.read(item)
        return {name: row[name] for name in NOTHING}


async def _link_to_users(made: Place) -> None:
    """Give each customer an owner, and each user its customers as `<collection>`, for rules with $CURRENT_USER."""
    admin, name = made.stack.admin, made.collection
    owner = {"field": "owner", "type": "uuid", "schema": {}, "meta": {"special": ["m2o"]}}
    await admin.request("POST", f"/fields/{name}", owner)
    alias = {"field": name, "type": "alias", "meta": {"special": ["o2m"]}}
    await admin.request("POST", "/fields/directus_users", alias)
    relation = {"collection": name, "field": "owner", "related_collection": "directus_users"}
    rest = {"meta": {"one_field": name}, "schema": {"on_delete": "SET NULL"}}
    await admin.request("POST", "/relations", relation | rest)


async def _write_articles(made: Place) -> str:
    """Make articles that are open to a status, to a right, or to nobody."""
    name = f"articles_{secrets.token_hex(3)}"
    key = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}}
    texts: list[object] = [{"field": field, "type": "string", "schema": {}} for field in ("title", "open_to", "needs")]
    admin = made.stack.admin
    await admin.request("POST", "/collections", {"collection": name, "meta": {}, "schema": {}, "fields": [key, *texts]})
    for row in ({"title": "members", "open_to": "active"}, {"title": "old", "needs": "archive"}, {"title": "draft"}):
        await admin.request("POST", f"/items/{name}", row)
    return name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provisioned(stack: Stack) -> AsyncIterator[tuple[Place, str, str]]:
    async with place(stack, prefix="readers") as made:
        ended = await made.provision(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_FIELD_MAP=json.dumps(MAP))
        assert ended.code == 0, ended.out
        await _link_to_users(made)
        articles = await _write_articles(made)
        try:
            yield made, token_of(ended), articles
        finally:
            await stack.admin.request("DELETE", f"/collections/{articles}")
            await stack.admin.request("DELETE", f"/fields/directus_users/{made.collection}")


@pytest.fixture
async def magazine(provisioned: tuple[Place, str, str], stripe: StripeDouble) -> AsyncIterator[Magazine]:
    made, token, articles = provisioned
    everything = {"query": {"filter": {"id": {"_nnull": True}}, "limit": -1}}
    await made.stack.admin.request("DELETE", made.items, everything)
    async with proxy_for(made.stack.directus.url) as directus:
        yield Magazine(WebhookRig(made, token, directus, stripe), articles)


@pytest.fixture
async def reader(newcomer: Newcomer, magazine: Magazine) -> Person:
    """Somebody whose policy opens articles to subscribers, by the rules that sidecar/README.md gives."""
    lines = block_after(SIDECAR, "item-rules").replace("customers", magazine.rig.place.collection).splitlines()
    opened = {"_or": [json.loads(line) for line in lines]}
    return await newcomer(Rule(magazine.articles, "read", item=opened))


async def test_subscribers_only(magazine: Magazine, reader: Person) -> None:
    """Who subscribes sees the articles at the next request after the event, and who cancels sees none."""
    customer, item = await magazine.member(reader)
    before = await magazine.read_by(reader)

    subscription = magazine.subscribe(customer)
    subscribed = await magazine.send("customer.subscription.created", subscription), await magazine.read_by(reader)
    shown = await magazine.status_of(item)
    magazine.cancel(subscription)
    canceled = await magazine.send("customer.subscription.deleted", subscription), await magazine.read_by(reader)

    assert (before, subscribed, canceled) == ([], (200, ["members", "old"]), (200, []))
    assert shown == {
        "status": "active",
        "plan": "gold",
        "until": "2027-01-01T00:00:00.000Z",
        "ends": False,
        "rights": ["archive"],
        "card": "4242",
        "month": 8,
    }
    assert (await magazine.status_of(item))["status"] == "canceled"


async def test_nobodys_articles(magazine: Magazine, reader: Person, newcomer: Newcomer) -> None:
    """Somebody without an item, or whose customer has nothing, sees no article, not even one that names nothing."""
    stranger = await newcomer(Rule(magazine.articles, "read", item={"open_to": {"_in": _statuses(magazine)}}))
    customer, _ = await magazine.member(reader)

    await magazine.send("customer.updated", customer)

    assert (await magazine.read_by(stranger), await magazine.read_by(reader)) == ([], [])


def _statuses(magazine: Magazine) -> str:
    return f"$CURRENT_USER.{magazine.rig.place.collection}.status"


async def test_a_deleted_customer(magazine: Magazine, reader: Person) -> None:
    """A deleted customer's item keeps its name, and nothing of what opened articles."""
    customer, item = await magazine.member(reader)
    magazine.subscribe(customer)
    await magazine.send("customer.updated", customer)
    before = await magazine.read_by(reader)

    customer["deleted"] = True
    status = await magazine.send("customer.deleted", customer)

    row = await magazine.rig.read(item)
    assert (before, status, await magazine.read_by(reader)) == (["members", "old"], 200, [])
    assert (row["name"], row[magazine.rig.place.field]) == ("Ada", None)
    assert await magazine.status_of(item) == dict.fromkeys(NOTHING)


@pytest.mark.parametrize(
    "kind",
    ["entitlements.active_entitlement_summary.updated", "payment_method.updated", "customer.subscription.paused"],
)
async def test_every_event_is_a_reason_to_look(magazine: Magazine, reader: Person, kind: str) -> None:
    """Whichever event comes first, all fields have Stripe's present state."""
    customer, item = await magazine.member(reader)
    subscription = magazine.subscribe(customer)
    kinds = {"payment_method": "payment_method", "customer": "subscription"}
    about = {"object": "entitlements.active_entitlement_summary", "customer": customer["id"]}
    if (name := kinds.get(kind.partition(".")[0])) is not None:
        about = subscription if name == "subscription" else magazine.rig.stripe.objects[name][0]

    assert await magazine.send(kind, about) == 200

    shown = await magazine.status_of(item)
    assert (shown["status"], shown["rights"], shown["card"]) == ("active", ["archive"], "4242")


async def test_a_detached_card(magazine: Magazine, reader: Person) -> None:
    """An event about a card that was taken away names its customer only by what was before."""
    customer, item = await magazine.member(reader, card="4242")
    [card] = magazine.rig.stripe.objects["payment_method"]
    card["customer"] = customer["invoice_settings"]["default_payment_method"] = None
    before = {"object": card, "previous_attributes": {"customer": customer["id"]}}

    assert await magazine.send("payment_method.detached", card, data=before) == 200
    assert (await magazine.status_of(item))["card"] is None


async def test_an_unchanged_state_is_not_written(magazine: Magazine, reader: Person) -> None:
    """Times, lists and numbers are compared as Directus shows them: a second look makes no revision."""
    customer, item = await magazine.member(reader)
    subscription = magazine.subscribe(customer)
    await magazine.send("customer.subscription.created", subscription)
    before = await magazine.rig.revisions(item)

    await magazine.send("customer.subscription.updated", subscription)

    assert await magazine.rig.revisions(item) == before


async def test_reconcile_after_an_outage(magazine: Magazine, reader: Person, newcomer: Newcomer) -> None:
    """Events of a week were missed: a dry run tells what is wrong, and `reconcile` makes every item true."""
    (customer, new), other = await magazine.member(reader), await newcomer()
    magazine.subscribe(customer)
    _, old = await magazine.member(other, status="active", rights=["archive"])
    unlinked = await magazine.rig.linked({"id": None}, status="active")
    gone, deleted = await magazine.member(other, status="active")
    gone["deleted"] = True

    told = await magazine.reconcile("--dry-run")
    untouched = [await magazine.status_of(item) for item in (new, old, unlinked, deleted)]
    done = await magazine.reconcile()
    again = await magazine.reconcile()

    assert [row["status"] for row in untouched] == [None, "active", "active", "active"]
    assert (told.out.count("to repair item"), done.out.count("repaired item"), again.out.count("repaired")) == (4, 4, 0)
    assert f"repaired item {old}: status, rights" in done.out
    assert [(await magazine.status_of(item))["status"] for item in (new, old, unlinked, deleted)] == ["active"] + [
        None
    ] * 3
    assert (await magazine.rig.read(deleted))[magazine.rig.place.field] == gone["id"]
    assert await magazine.read_by(reader) == ["members", "old"]


async def test_reconcile_after_an_id_was_lost(magazine: Magazine) -> None:
    """Events before an ID is filled in find no item, so `reconcile` looks at that customer, with --since too."""
    place = magazine.rig.place
    item = (await magazine.rig.admin.request("POST", place.items, {"name": "Ada"}))["id"]
    customer = magazine.rig.stripe.add_customer(metadata=place.signed(item), created=int(time.time()))
    magazine.subscribe(customer)

    done = await magazine.reconcile("--since", "1d")

    assert (done.code, (await magazine.status_of(item))["status"]) == (0, "active")


async def test_reconcile_and_a_customer_of_another_account(magazine: Magazine, reader: Person) -> None:
    """A customer that the account does not have keeps what its item says, and is named: the key may be wrong."""
    unknown = await magazine.rig.linked({"id": "cus_ofAnother"}, status="active")
    customer, item = await magazine.member(reader)
    magazine.subscribe(customer)

    done = await magazine.reconcile()

    assert f"DECIDE   item {unknown}: its customer is not in this Stripe account (cus_ofAnother)" in done.out
    assert ((await magazine.status_of(unknown))["status"], (await magazine.status_of(item))["status"]) == (
        "active",
        "active",
    )


async def test_a_thin_event(magazine: Magazine, reader: Person) -> None:
    """Stripe's thin event about a subscription names no customer; the subscription does."""
    customer, item = await magazine.member(reader)
    subscription = magazine.subscribe(customer)

    async with served(magazine.settings) as url:
        answer = await magazine.rig.post(thin("customer.subscription.updated", subscription), url)

    assert (answer.status, (await magazine.status_of(item))["status"]) == (200, "active")


async def test_a_policy_that_lets_callers_subscribe_themselves(magazine: Magazine, newcomer: Newcomer) -> None:
    """`check` approves of what `provision` made, and names who may write such a field itself."""
    collection, settings = magazine.rig.place.collection, magazine.settings | {"TRUSTED_PROXIES": "127.0.0.1"}
    good = await run("check", **settings)
    own = {"owner": {"_eq": "$CURRENT_USER"}}
    member = await newcomer(Rule(collection, "read", item=own), Rule(collection, "update", ("name", "plan"), item=own))

    found = await run("check", **settings)

    assert "only Stripe decides on status, plan, until, ends, rights, card, month" in good.texts("ok")
    assert "status, plan, until, ends, rights, card, month of" in good.texts("ok")
    assert f'"{member.name}" may update plan of {collection}, and so make themselves subscribers' in found.texts(
        "FAULT"
    )
    assert found.code == 1


async def test_provision_again(magazine: Magazine, provisioned: tuple[Place, str, str]) -> None:
    """The second time nothing is changed; a default that makes everybody a subscriber is taken away."""
    made, settings = provisioned[0], {"STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_FIELD_MAP": json.dumps(MAP)}
    status = f"/fields/{made.collection}/status"
    await magazine.rig.admin.request("PATCH", status, {"schema": {"default_value": "active"}})

    mended, again = await made.provision(**settings), await made.provision(**settings)

    assert mended.texts("changed") == f"field {made.collection}.status: now without a default"
    assert {word for word, _ in again.lines} == {"unchanged"}
