"""Stripe's events on a real Directus: the changes they cause, also with failures and changes at the same time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from deploy.demo import servers
from deploy.demo.processes import free_port
from deploy.demo.stack import Stack
from tests.doubles.events import SECRET, event, headers, thin
from tests.doubles.proxy import proxy_for
from tests.doubles.stripe import StripeDouble
from tests.doubles.wire import exchange, request_bytes
from tests.integration.asking import served
from tests.integration.commands import Place, place_on_users, token_of
from tests.integration.webhook_rig import DELETED, FIELD_MAP, UPDATED, WebhookRig, provisioned_place, rig_of

SHAPES = pytest.mark.parametrize("make", [event, thin])
Make = Callable[..., bytes]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provisioned(stack: Stack) -> AsyncIterator[tuple[Place, str]]:
    async with provisioned_place(stack) as made:
        yield made


@pytest.fixture
async def rig(provisioned: tuple[Place, str], stripe: StripeDouble) -> AsyncIterator[WebhookRig]:
    async with rig_of(*provisioned, stripe) as opened:
        yield opened


@SHAPES
async def test_an_update_reaches_the_item(rig: WebhookRig, make: Make) -> None:
    """Once an event is answered, mapped fields have Stripe's values, as text and as JSON; other fields stay."""
    customer, item = await rig.known(name="Eva", email=None)
    customer |= {"address": {"city": "London", "line2": None}, "preferred_locales": ["en", "de"]}

    answer = await rig.post(make(UPDATED, customer))

    assert (answer.status, answer.json()) == (200, {"received": True})
    assert await rig.read(item) == {
        "id": item,
        "name": "Ada",
        "email": "ada@example.com",
        "home": {"city": "London", "line2": None},
        "label": '["en","de"]',
        "note": "ours",
        rig.place.field: customer["id"],
    }


async def test_an_unchanged_state_is_not_written(rig: WebhookRig) -> None:
    """Neither the same event again nor another one of the same state makes a revision in Directus."""
    customer, item = await rig.known(name="Eva")
    customer |= {"address": {"city": "London"}, "preferred_locales": ["en"]}
    body = event(UPDATED, customer)
    await rig.post(body)
    before = await rig.revisions(item)

    answers = [await rig.post(again) for again in (body, body, event(UPDATED, customer))]

    assert [answer.status for answer in answers] == [200] * 3
    assert (before, await rig.revisions(item)) == (2, 2)


@SHAPES
async def test_a_deletion_clears_the_id(rig: WebhookRig, make: Make) -> None:
    """The deleted customer's ID is cleared, in no other item, and the item's other values stay."""
    (customer, item), (other, untouched) = await rig.known(), await rig.known()
    customer["deleted"] = True

    answer = await rig.post(make(DELETED, customer))

    assert answer.status == 200
    cleared = await rig.read(item)
    assert (cleared[rig.place.field], cleared["name"], cleared["note"]) == (None, "Ada", "ours")
    assert (await rig.read(untouched))[rig.place.field] == other["id"]


async def test_a_customer_without_item(rig: WebhookRig) -> None:
    """An event of a customer without an item is acknowledged, and Directus is only read."""
    customer = rig.stripe.add_customer()

    assert (await rig.post(event(DELETED, customer))).status == 200
    assert {request.method for request in rig.directus.requests} == {"GET", "SEARCH"}


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after it"])
@pytest.mark.parametrize("kind", [UPDATED, DELETED])
async def test_killed_around_the_write(rig: WebhookRig, kind: str, *, after: bool) -> None:
    """W1: If a service is killed before or after its write, the repeated event completes the work."""
    customer, item = await rig.known(name="Eva")
    customer["deleted"] = kind == DELETED
    body, pause = event(kind, customer), rig.pause_writing(after=after)

    killed, again = await rig.post_twice(body, pause)

    row = await rig.read(item)
    assert (killed.status, again.status) == (0, 200)
    assert (row[rig.place.field], row["name"]) == ((None, "Eva") if kind == DELETED else (customer["id"], "Ada"))


async def test_directus_down(rig: WebhookRig) -> None:
    """While Directus is down Stripe gets an error and repeats the event; then it is processed."""
    customer, item = await rig.known(name="Eva")
    body = event(UPDATED, customer)
    await rig.directus.refuse()

    failed = await rig.post(body)
    await rig.directus.listen()
    done = await rig.post(body)

    assert (failed.status, done.status) == (503, 200)
    assert (await rig.read(item))["name"] == "Ada"


async def test_a_stale_write_of_another_replica(rig: WebhookRig) -> None:
    """A replica that was paused before it wrote an older state corrects that write itself."""
    customer, item = await rig.known(name="Eva")
    pause = rig.pause_writing()
    async with rig.process() as other:
        late = asyncio.create_task(rig.post(event(UPDATED, customer), other.url))
        await pause.reached.wait()
        customer["name"] = "Ada Byron"
        prompt = await rig.post(event(UPDATED, customer))
        in_between = (await rig.read(item))["name"]
        pause.release()

        assert (prompt.status, (await late).status) == (200, 200)

    assert in_between == "Ada Byron"
    assert (await rig.read(item))["name"] == "Ada Byron"


async def test_a_deletion_overtakes_an_update(rig: WebhookRig) -> None:
    """An update that was paused does not fill the item of a customer that was deleted meanwhile."""
    customer, item = await rig.known(name="Eva")
    pause = rig.pause_writing()
    async with rig.process() as other:
        late = asyncio.create_task(rig.post(event(UPDATED, customer), other.url))
        await pause.reached.wait()
        customer["deleted"] = True
        prompt = await rig.post(event(DELETED, customer))
        pause.release()

        assert (prompt.status, (await late).status) == (200, 200)

    row = await rig.read(item)
    assert (row[rig.place.field], row["name"]) == (None, "Eva")


async def test_many_at_once_at_two_replicas(rig: WebhookRig) -> None:
    """Of twenty changes with events out of order at two replicas, the last change stays."""
    customer, item = await rig.known(name="Eva")
    async with rig.process() as other:
        sent = []
        for number in range(20):
            customer["name"] = f"Ada {number}"
            body = event(UPDATED, customer)
            sent.append(asyncio.create_task(rig.post(body, (rig.url, other.url)[number % 2])))
            await asyncio.sleep(0)
        answers = await asyncio.gather(*sent)

    assert {answer.status for answer in answers} == {200}
    assert (await rig.read(item))["name"] == "Ada 19"


async def test_an_editor_in_between(rig: WebhookRig) -> None:
    """Another customer's ID that an editor writes just before the clearing is not cleared."""
    customer, item = await rig.known()
    customer["deleted"] = True
    pause = rig.pause_writing()
    sent = asyncio.create_task(rig.post(event(DELETED, customer)))
    await pause.reached.wait()

    await rig.change(item, **{rig.place.field: "cus_Another", "note": "new"})
    pause.release()

    assert (await sent).status == 200
    row = await rig.read(item)
    assert (row[rig.place.field], row["note"]) == ("cus_Another", "new")


async def test_an_item_that_is_deleted_meanwhile(rig: WebhookRig) -> None:
    """An item that is deleted just before the write is no failure."""
    customer, item = await rig.known(name="Eva")
    pause = rig.pause_writing()
    sent = asyncio.create_task(rig.post(event(UPDATED, customer)))
    await pause.reached.wait()

    await rig.admin.request("DELETE", f"{rig.place.items}/{item}")
    pause.release()

    assert (await sent).status == 200


async def test_a_value_that_directus_refuses(rig: WebhookRig, log_lines: list[str]) -> None:
    """A value that a field's validation refuses is left to Stripe's next try, and the log names item and field."""
    customer, item = await rig.known(name="Eva")
    customer["name"] = "Adalbert"
    field = f"/fields/{rig.place.collection}/name"
    short = {"_and": [{"name": {"_regex": "^.{1,3}$"}}]}
    await rig.admin.request("PATCH", field, {"meta": {"validation": short}})
    body = event(UPDATED, customer)

    failed = await rig.post(body)
    await rig.admin.request("PATCH", field, {"meta": {"validation": None}})
    done = await rig.post(body)

    assert (failed.status, done.status) == (503, 200)
    [line] = [parsed for parsed in map(json.loads, log_lines) if "refuses" in parsed["message"]]
    assert (line["item"], line["fields"], line["code"]) == (item, ["name"], "FAILED_VALIDATION")
    assert (await rig.read(item))["name"] == "Adalbert"


async def test_one_refused_value(rig: WebhookRig, log_lines: list[str]) -> None:
    """A value that Directus refuses holds up neither the item's other fields nor the customer's other items."""
    customer, item = await rig.known(name="Eva")
    customer |= {"name": "Adalbert", "email": "new@example.com", "address": {"city": "London"}}
    field = f"/fields/{rig.place.collection}/name"
    short = {"_and": [{"name": {"_regex": "^.{1,3}$"}}]}
    await rig.admin.request("PATCH", field, {"meta": {"validation": short}})

    failed = await rig.post(event(UPDATED, customer))
    await rig.admin.request("PATCH", field, {"meta": {"validation": None}})

    row = await rig.read(item)
    assert (failed.status, row["name"]) == (503, "Eva")
    assert (row["email"], row["home"]) == ("new@example.com", {"city": "London"})
    assert [line["fields"] for line in refusals(log_lines)] == [["name"]]


async def test_a_value_that_is_taken(rig: WebhookRig, log_lines: list[str]) -> None:
    """A value that another item has in a unique field holds up nothing else either."""
    field = f"/fields/{rig.place.collection}/label"
    await rig.admin.request("PATCH", field, {"schema": {"is_unique": True}})
    await rig.known(label='["en"]')
    customer, item = await rig.known(name="Eva")
    customer["preferred_locales"] = ["en"]

    failed = await rig.post(event(UPDATED, customer))
    await rig.admin.request("PATCH", field, {"schema": {"is_unique": False}})

    row = await rig.read(item)
    assert (failed.status, row["name"], row["label"]) == (503, "Ada", "[]")
    assert [(line["fields"], line["code"]) for line in refusals(log_lines)] == [(["label"], "RECORD_NOT_UNIQUE")]


@pytest.mark.parametrize("unseen", [False, True], ids=["may not be changed", "nor read"])
async def test_a_field_that_the_token_may_not_change(rig: WebhookRig, log_lines: list[str], *, unseen: bool) -> None:
    """A mapped field beyond the service's policy is an error that names `provision`; the other fields are written."""
    customer, item = await rig.known(name="Eva", email="old@example.com")
    fields = ["id", rig.place.field, "email", "home", "label"]
    rights = {"update": {"fields": fields[1:]}, **({"read": {"fields": fields}} if unseen else {})}
    body, now = event(UPDATED, customer), int(time.time())

    async with rig.granting(**rights):
        failed = await rig.post(body, at=now - 9)
    left = await rig.read(item)
    done = await rig.post(body, at=now)

    assert (failed.status, left["name"], left["email"]) == (503, "Eva", "ada@example.com")
    [line] = [parsed for parsed in map(json.loads, log_lines) if "run `provision`" in parsed["message"]]
    assert (line["level"], line["item"], line["customer"], line["fields"]) == ("error", item, customer["id"], ["name"])
    assert (done.status, (await rig.read(item))["name"]) == (200, "Ada")


async def test_a_row_that_the_token_may_not_change(rig: WebhookRig, log_lines: list[str]) -> None:
    """A row outside of the item rule of the service's policy is an error that names it; another row is written."""
    await rig.may_repeat_ids()
    customer, item = await rig.known(name="Eva", note="closed")
    other = await rig.linked(customer, name="Eva", note="open")

    async with rig.granting(update={"permissions": {"note": {"_eq": "open"}}}):
        failed = await rig.post(event(UPDATED, customer))

    assert (failed.status, (await rig.read(item))["name"], (await rig.read(other))["name"]) == (503, "Eva", "Ada")
    assert [(line["item"], line["code"]) for line in refusals(log_lines)] == [(item, "FORBIDDEN")]


@pytest.mark.parametrize("kind", [UPDATED, DELETED])
async def test_more_than_a_hundred_items(rig: WebhookRig, kind: str) -> None:
    """All of the 150 items of one customer are cleared when it is deleted, and updated when it changes."""
    await rig.may_repeat_ids()
    customer, _ = await rig.known(name="Eva")
    rows = [{"name": "Eva", rig.place.field: customer["id"]} for _ in range(149)]
    await rig.admin.request("POST", rig.place.items, rows)
    customer["deleted"] = kind == DELETED

    answer = await rig.post(event(kind, customer))

    query = f"filter[{rig.place.field}][_eq]={customer['id']}&limit=-1&fields=name"
    left = [row["name"] for row in await rig.admin.request("GET", f"{rig.place.items}?{query}")]
    assert (answer.status, left) == (200, [] if kind == DELETED else ["Ada"] * 150)


async def test_sent_again_by_hand(rig: WebhookRig) -> None:
    """An event that was handled and is sent again from Stripe mends what an editor changed since; a replay does not."""
    customer, item = await rig.known(name="Eva")
    body, now = event(UPDATED, customer), int(time.time())
    first = await rig.post(body, at=now - 60)
    await rig.change(item, name="Eva")

    replayed = await rig.post(body, at=now - 60)
    between = (await rig.read(item))["name"]
    again = await rig.post(body, at=now)

    assert (first.status, replayed.status, between, again.status) == (200, 200, "Eva", 200)
    assert (await rig.read(item))["name"] == "Ada"


def refusals(log_lines: list[str]) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log_lines) if line["message"].startswith("Directus refuses what")]


async def test_a_token_without_the_rights(rig: WebhookRig) -> None:
    """A token provisioned without STRIPE_WEBHOOK_SECRET clears nothing, which is a failure; `provision` corrects it."""
    customer, item = await rig.known()
    customer["deleted"] = True
    body = event(DELETED, customer)
    await rig.place.provision()

    failed, kept = await rig.post(body), (await rig.read(item))[rig.place.field]
    await rig.place.provision(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_FIELD_MAP=FIELD_MAP)
    done = await rig.post(body)

    assert (failed.status, kept) == (503, customer["id"])
    assert (done.status, (await rig.read(item))[rig.place.field]) == (200, None)


async def test_a_new_customer_after_a_deletion(rig: WebhookRig) -> None:
    """W4: After a deleted customer's ID is cleared its item gets a new customer, though Stripe repeats the first."""
    admin_token = rig.place.admin_token
    row = await rig.admin.request("POST", rig.place.items, {"name": "Ada"})
    first = await create(rig, admin_token, row["id"])
    [customer] = rig.stripe.customers
    customer["deleted"] = True
    await rig.post(event(DELETED, customer))

    second = await create(rig, admin_token, row["id"])

    assert second["id"] != first["id"]
    assert (await rig.read(row["id"]))[rig.place.field] == second["id"]


async def create(rig: WebhookRig, token: str, item: object) -> Mapping[str, Any]:
    port = urlsplit(rig.url).port
    assert port is not None
    body = json.dumps({"email": "ada@example.com", "item": item}).encode()
    sent = [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]
    answer = await exchange(port, request_bytes("POST", "/stripe/customers", sent, body))
    assert answer.status == 201, answer.body
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def test_on_users(stack: Stack, stripe: StripeDouble) -> None:
    """On `directus_users` a name follows Stripe; the login's address does not, whatever the map says."""
    field_map, guest = json.dumps({"first_name": "name", "email": "email"}), stack.people["guest"]
    async with place_on_users(stack) as users, proxy_for(stack.directus.url) as directus:
        ended = await users.provision(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_FIELD_MAP=field_map)
        customer = stripe.add_customer(name="Ada", email="eve@example.com")
        await stack.admin.request("PATCH", f"/users/{guest.id}", {users.field: customer["id"]})
        rig = WebhookRig(users, token_of(ended), directus, stripe)
        async with served({**rig.settings, "STRIPE_FIELD_MAP": field_map}) as url:
            updated = await rig.post(event(UPDATED, customer), url)
            after = await stack.admin.request("GET", f"/users/{guest.id}")
            customer["deleted"] = True
            deleted = await rig.post(event(DELETED, customer), url)
        cleared = await stack.admin.request("GET", f"/users/{guest.id}")
        await stack.admin.request("PATCH", f"/users/{guest.id}", {"first_name": "Guest"})

    assert (updated.status, deleted.status) == (200, 200)
    assert (after["first_name"], after["email"], after[users.field]) == ("Ada", guest.email, customer["id"])
    assert cleared[users.field] is None


async def test_through_nginx(rig: WebhookRig, tmp_path: Path) -> None:
    """The shipped proxy passes an event of up to 1 MiB on unchanged, only on this route, and no larger one."""
    customer, item = await rig.known(name="Eva")
    padding = 1024 * 1024 - len(event(UPDATED, customer, padding=""))
    fits, longer = (event(UPDATED, customer, padding="x" * (padding + more)) for more in (0, 1))
    async with servers.nginx(
        tmp_path, port=free_port(), directus=rig.place.stack.directus.url, sidecar=rig.url
    ) as nginx:
        answers = [await rig.post(body, nginx.url) for body in (fits, longer)]
        port = urlsplit(nginx.url).port
        assert port is not None
        elsewhere = await exchange(port, request_bytes("POST", "/stripe/customers", headers(fits), fits))

    assert [answer.status for answer in (*answers, elsewhere)] == [200, 413, 413]
    assert (await rig.read(item))["name"] == "Ada"
