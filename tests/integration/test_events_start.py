"""What Stripe's events start on a real Directus: Flows and items, also across outages, restarts and replicas."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.demo.stack import Stack
from tests.doubles.events import SECRET, event, thin
from tests.doubles.pause import Pause
from tests.doubles.proxy import proxy_for
from tests.doubles.server import Recorded
from tests.doubles.stripe import Object, StripeDouble
from tests.integration.asking import served
from tests.integration.commands import Ended, Place, place, run, token_of
from tests.integration.webhook_flows import Diary, diary, make_flow, webhook_flow
from tests.integration.webhook_rig import WebhookRig

PAID, SESSION, PRODUCT = "invoice.paid", "checkout.session.completed", "product.deleted"
FIELDS = {"session_id": "string", "status": "string", "total": "integer", "gone": "boolean"}
TOLD = "{{$trigger.body.event.id}} {{$trigger.body.object.id}} {{$trigger.body.object.total}}"
SHAPES = pytest.mark.parametrize("make", [event, thin])
Make = Callable[..., bytes]


@dataclass(frozen=True, slots=True)
class Shop:
    """A collection `orders`, a Flow that keeps a diary, the file that names both, and the service's token."""

    buyers: Place
    orders: str
    book: Diary
    flow: str
    file: Path
    token: str = ""

    @property
    def settings(self) -> dict[str, str]:
        return {"STRIPE_EVENTS": str(self.file), "STRIPE_WEBHOOK_SECRET": SECRET}

    async def provision(self) -> Ended:
        return await self.buyers.provision(**self.settings)

    async def check(self) -> Ended:
        stack = {name: value for name, value in self.buyers.stack.settings.items() if name != "STRIPE_OPERATIONS"}
        token = {"DIRECTUS_SERVICE_TOKEN": self.token, "DIRECTUS_SERVICE_TOKEN_FILE": ""}
        return await run("check", **{**stack, **self.buyers.settings, **self.settings, **token})

    async def items(self) -> list[Any]:
        rows = await self.buyers.stack.admin.request("GET", f"/items/{self.orders}?sort=id&limit=-1")
        return [(row["session_id"], row["status"], row["total"]) for row in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    orders, admin = f"orders_{secrets.token_hex(4)}", stack.admin
    key = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}}
    fields = [{"field": name, "type": kind, "schema": {}} for name, kind in FIELDS.items()]
    async with place(stack, prefix="shop") as buyers, diary(admin) as book:
        await admin.request("POST", "/collections", {"collection": orders, "schema": {}, "fields": [key, *fields]})
        flow = await make_flow(admin, [book.entry(TOLD)], error_on_reject=True)
        file = tmp_path_factory.mktemp("events") / "events.toml"
        file.write_text(f"""
            [events."{PAID}"]
            flow = "{flow}"
            fields = {{ total = "amount_paid" }}
            [events."{SESSION}"]
            collection = "{orders}"
            key = "session_id"
            fields = {{ status = "payment_status", total = "amount_total" }}
            [events."{PRODUCT}"]
            collection = "{orders}"
            key = "session_id"
            fields = {{ status = "name", gone = "deleted" }}
        """)
        try:
            yield Shop(buyers, orders, book, flow, file)
        finally:
            await admin.request("DELETE", f"/flows/{flow}")
            await admin.request("DELETE", f"/collections/{orders}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def open_shop(shop: Shop) -> Shop:
    """The shop after `provision`, which refuses it until the key is unique."""
    refused = await shop.provision()
    assert f"key: {shop.orders}.session_id is not unique" in refused.texts("FAULT")
    field = f"/fields/{shop.orders}/session_id"
    await shop.buyers.stack.admin.request("PATCH", field, {"schema": {"is_unique": True}})
    ended = await shop.provision()
    assert ended.code == 0, ended.out
    again = await shop.provision()
    assert (again.code, again.texts("created"), again.texts("changed")) == (0, "", "")
    return replace(shop, token=token_of(ended))


@pytest.fixture
async def rig(open_shop: Shop, stripe: StripeDouble) -> AsyncIterator[WebhookRig]:
    """A sidecar in this process, without entries and items; `directus` is its proxy."""
    admin = open_shop.buyers.stack.admin
    everything = {"query": {"filter": {"id": {"_nnull": True}}, "limit": -1}}
    for collection in (open_shop.orders, open_shop.book.name):
        await admin.request("DELETE", f"/items/{collection}", everything)
    async with proxy_for(open_shop.buyers.stack.directus.url) as directus:
        opened = ShopRig(open_shop.buyers, open_shop.token, directus, stripe, more=open_shop.settings)
        async with served(opened.settings) as url:
            yield replace(opened, url=url)


@dataclass(frozen=True, slots=True)
class ShopRig(WebhookRig):
    """The sidecars know the file of events too."""

    more: dict[str, str] = None  # type: ignore[assignment]  # always given

    @property
    def settings(self) -> dict[str, str]:
        return {**WebhookRig.settings.fget(self), "STRIPE_FIELD_MAP": "", **self.more}  # type: ignore[attr-defined]  # `super` does not work with slots


def invoice(rig: WebhookRig, total: int = 1200) -> Object:
    return rig.stripe.add("invoice", amount_paid=total)


def session(rig: WebhookRig) -> Object:
    return rig.stripe.add("checkout.session", payment_status="paid", amount_total=1200)


def starts_a_flow(request: Recorded) -> bool:
    return request.path.startswith("/flows/trigger/")


def writes_an_item(request: Recorded) -> bool:
    return request.method in {"POST", "PATCH"} and request.path.startswith("/items/")


@SHAPES
async def test_an_event_starts_a_flow(rig: WebhookRig, open_shop: Shop, make: Make) -> None:
    """A Flow has run before Stripe is answered, with the object as it is now, and without any token."""
    paid = invoice(rig)

    answer = await rig.post(make(PAID, {**paid, "amount_paid": 1}, id="evt_1"))

    assert answer.status == 200
    assert await open_shop.book.entries() == [f"evt_1 {paid['id']} 1200"]
    [asked] = [request for request in rig.directus.requests if starts_a_flow(request)]
    assert rig.token not in asked.text()


@SHAPES
async def test_an_event_writes_an_item(rig: WebhookRig, open_shop: Shop, make: Make) -> None:
    """The item of an object is created once, and changed by later events."""
    bought = session(rig)

    first = await rig.post(make(SESSION, bought))
    bought["payment_status"] = "no_payment_required"
    again = await rig.post(make(SESSION, bought))

    assert (first.status, again.status) == (200, 200)
    assert await open_shop.items() == [(bought["id"], "no_payment_required", 1200)]


async def test_a_deleted_object(rig: WebhookRig, open_shop: Shop) -> None:
    """An item of an object that Stripe has forgotten is told that it is deleted, and keeps its other values."""
    items = f"/items/{open_shop.orders}"
    await rig.admin.request("POST", items, {"session_id": "prod_1", "status": "Bread", "gone": False})

    answer = await rig.post(event(PRODUCT, {"id": "prod_1", "object": "product"}))

    [row] = await rig.admin.request("GET", items)
    assert (answer.status, row["status"], row["gone"]) == (200, "Bread", True)


async def test_directus_down(rig: WebhookRig, open_shop: Shop) -> None:
    """While Directus is down Stripe gets an error and repeats the events; then each is done once."""
    paid, bought = invoice(rig), session(rig)
    bodies = [event(PAID, paid, id="evt_1"), event(SESSION, bought)]
    await rig.directus.refuse()

    failed = [(await rig.post(body)).status for body in bodies]
    await rig.directus.listen()
    done = [(await rig.post(body)).status for body in bodies]

    assert (failed, done) == ([503] * 2, [200] * 2)
    assert await open_shop.book.entries() == [f"evt_1 {paid['id']} 1200"]
    assert await open_shop.items() == [(bought["id"], "paid", 1200)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_around_a_flow(rig: WebhookRig, open_shop: Shop, *, after: bool) -> None:
    """W1: If a service is killed before or after the Flow ran, the repeated event starts it: at least once."""
    paid = invoice(rig)
    body, pause = event(PAID, paid, id="evt_1"), Pause(after=after)
    rig.directus.fail(pause, when=starts_a_flow, times=1)

    killed, again = await rig.post_twice(body, pause)

    assert (killed.status, again.status) == (0, 200)
    assert set(await open_shop.book.entries()) == {f"evt_1 {paid['id']} 1200"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_around_a_write(rig: WebhookRig, open_shop: Shop, *, after: bool) -> None:
    """W1: If a service is killed before or after it created an item, the repeated event leaves exactly one."""
    bought = session(rig)
    body, pause = event(SESSION, bought), Pause(after=after)
    rig.directus.fail(pause, when=writes_an_item, times=1)

    async with rig.process() as first:
        sent = asyncio.create_task(rig.post(body, first.url))
        await pause.reached.wait()
        first.popen.kill()
        await sent
    pause.release()
    again = await rig.post(body)

    assert (again.status, await open_shop.items()) == (200, [(bought["id"], "paid", 1200)])


async def test_two_replicas_at_once(rig: WebhookRig, open_shop: Shop) -> None:
    """W2: Two replicas that both found no item make one; the one that wrote an older state corrects that itself."""
    bought = session(rig)
    pause = Pause(after=False)
    rig.directus.fail(pause, when=writes_an_item, times=1)
    async with rig.process() as other:
        late = asyncio.create_task(rig.post(event(SESSION, bought), other.url))
        await pause.reached.wait()
        bought["amount_total"] = 2400
        prompt = await rig.post(event(SESSION, bought))
        pause.release()

        assert (prompt.status, (await late).status) == (200, 200)

    assert await open_shop.items() == [(bought["id"], "paid", 2400)]


async def test_in_order_for_each_object(rig: WebhookRig, open_shop: Shop) -> None:
    """The events of one object start the Flow one after the other, no older state after a newer one."""
    paid, pause = invoice(rig), Pause(after=False)
    rig.directus.fail(pause, when=starts_a_flow, times=1)
    sent = [asyncio.create_task(rig.post(event(PAID, paid, id=f"evt_{number}"))) for number in (1, 2, 3)]
    await pause.reached.wait()

    paid["amount_paid"] = 2400
    pause.release()
    statuses = [(await task).status for task in sent]

    entries = await open_shop.book.entries()
    assert statuses == [200] * 3
    assert [entry.split()[2] for entry in entries] == ["1200", "2400", "2400"]
    assert {entry.split()[0] for entry in entries} == {"evt_1", "evt_2", "evt_3"}


async def test_a_flow_that_is_off(rig: WebhookRig, open_shop: Shop) -> None:
    """While a Flow is inactive its events fail, and the next repetition starts it."""
    paid = invoice(rig)
    body, flow = event(PAID, paid, id="evt_1"), f"/flows/{open_shop.flow}"
    await rig.admin.request("PATCH", flow, {"status": "inactive"})

    failed = await rig.post(body)
    await rig.admin.request("PATCH", flow, {"status": "active"})
    done = await rig.post(body)

    assert (failed.status, done.status) == (503, 200)
    assert await open_shop.book.entries() == [f"evt_1 {paid['id']} 1200"]


async def test_what_check_says(open_shop: Shop) -> None:
    """`check` sees with the service token alone that the Flow and the collection are there, and starts nothing."""
    before = await open_shop.book.entries()

    ended = await open_shop.check()

    assert f'STRIPE_EVENTS: [events."{PAID}"]: starts a Flow, and again until it ends well' in ended.texts("ok")
    assert f'STRIPE_EVENTS: [events."{SESSION}"]: writes items of {open_shop.orders}' in ended.texts("ok")
    assert "STRIPE_EVENTS" not in ended.texts("FAULT")
    assert await open_shop.book.entries() == before


async def test_the_token_sees_no_other_flow(open_shop: Shop) -> None:
    """The service may read the Flows that events start, and no other one."""
    stack = open_shop.buyers.stack
    service = type(stack.admin)(stack.directus.url, open_shop.token)
    async with webhook_flow(stack.admin, open_shop.book.entry("other")):
        assert [row["id"] for row in await service.request("GET", "/flows?fields=id")] == [open_shop.flow]


async def test_what_is_not_there(open_shop: Shop) -> None:
    """`provision` and `check` name each Flow and field that is not there, and the former then changes nothing."""
    there = open_shop.file.read_text()
    file = open_shop.file.with_name("other.toml")
    file.write_text(
        there.replace(open_shop.flow, "3c1f0b6a-6f0c-4f5e-9d0a-2b8f6c1d7e90").replace("total =", "totals =")
    )
    other = replace(open_shop, file=file)

    provisioned, checked = await other.provision(), await other.check()

    for ended in (provisioned, checked):
        assert f'[events."{PAID}"]: flow: Directus shows no Flow with this ID' in ended.texts("FAULT")
        assert "totals" in ended.texts("FAULT")
    assert f"{open_shop.orders} has no field totals; did you mean total?" in provisioned.texts("FAULT")
    assert provisioned.texts("created") + provisioned.texts("changed") == ""
