"""Stripe's events on a real Directus: what they change there, and that nothing that happens meanwhile spoils it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from deploy.demo import servers
from deploy.demo.admin import DirectusAdmin
from deploy.demo.processes import Server, free_port
from deploy.demo.progress import Fault
from deploy.demo.stack import Stack
from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.pause import Pause
from tests.doubles.proxy import Proxy, proxy_for
from tests.doubles.server import Recorded
from tests.doubles.stripe import Object, StripeDouble
from tests.doubles.wire import Answer, exchange, request_bytes
from tests.integration.asking import served
from tests.integration.commands import Place, place, place_on_users, token_of

UPDATED, DELETED = "customer.updated", "customer.deleted"
FIELD_MAP = json.dumps({"name": "name", "email": "email", "home": "address", "label": "preferred_locales"})


@dataclass(frozen=True, slots=True)
class Books:
    """A collection with the service that keeps it true: in this process, or with `process` in one of its own.

    Items have the texts `name`, `email`, `label` and `note` and the JSON `home`. `directus` is the sidecars' way there.
    """

    place: Place
    token: str
    directus: Proxy
    stripe: StripeDouble
    url: str = ""

    @property
    def settings(self) -> dict[str, str]:
        return {
            **self.place.settings,
            "DIRECTUS_URL": self.directus.url,
            "DIRECTUS_SERVICE_TOKEN": self.token,
            "DIRECTUS_SERVICE_TOKEN_FILE": "",
            "DIRECTUS_TIMEOUT": "15",  # a busy machine is no outage; those are made on purpose
            "STRIPE_API_BASE": self.stripe.url,
            "STRIPE_LIVE_SECRET_KEY": self.stripe.key,
            "STRIPE_FIELD_MAP": FIELD_MAP,
            "STRIPE_OPERATIONS": "",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_WRITE_BACK": "true",
            "TRUSTED_PROXIES": "127.0.0.1",
        }

    @property
    def admin(self) -> DirectusAdmin:
        return self.place.stack.admin

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Server]:
        """One more sidecar, killed at the end."""
        async with AsyncExitStack() as exits:
            server = await self._started(exits)
            exits.callback(server.popen.kill)
            yield server

    async def _started(self, exits: AsyncExitStack) -> Server:
        """Try another port where somebody else took the one that was free a moment ago."""
        with suppress(Fault):
            return await exits.enter_async_context(self.place.stack.sidecar(**self.settings))
        return await exits.enter_async_context(self.place.stack.sidecar(**self.settings))

    async def post(self, body: bytes, url: str | None = None) -> Answer:
        port = urlsplit(url or self.url).port
        assert port is not None
        return await exchange(port, request_bytes("POST", PATH, headers(body), body))

    async def known(self, **values: object) -> tuple[Object, Any]:
        """A customer at Stripe, and the primary key of the item that holds it and says the same, or these values."""
        customer = self.stripe.add_customer(name="Ada", email="ada@example.com", address=None, preferred_locales=[])
        item = {"name": "Ada", "email": "ada@example.com", "label": "[]", "note": "ours", "home": None}
        row = await self.admin.request("POST", self.place.items, {**item, self.place.field: customer["id"], **values})
        return customer, row["id"]

    async def read(self, item: object) -> dict[str, Any]:
        row = await self.admin.request("GET", f"{self.place.items}/{item}")
        assert isinstance(row, dict)
        return row

    async def change(self, item: object, **values: object) -> None:
        """Change an item as an editor does."""
        await self.admin.request("PATCH", f"{self.place.items}/{item}", values)

    async def revisions(self, item: object) -> int:
        query = f"filter[collection][_eq]={self.place.collection}&filter[item][_eq]={item}&limit=-1&fields=id"
        return len(await self.admin.request("GET", f"/revisions?{query}"))

    def pause_writing(self, *, after: bool = False) -> Pause:
        pause = Pause(after=after)
        self.directus.fail(pause, when=is_write, times=1)
        return pause


def is_write(request: Recorded) -> bool:
    return request.method == "PATCH"


async def add_fields(buyers: Place) -> None:
    kinds = {"home": "json", "label": "string", "note": "string"}
    for name, kind in kinds.items():
        field = {"field": name, "type": kind, "schema": {}, "meta": {}}
        await buyers.stack.admin.request("POST", f"/fields/{buyers.collection}", field)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provisioned(stack: Stack) -> AsyncIterator[tuple[Place, str]]:
    """The collection, and the token of a service that may keep it true."""
    async with place(stack, prefix="kept") as buyers:
        token = token_of(await buyers.provision())
        await add_fields(buyers)
        ended = await buyers.provision(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_FIELD_MAP=FIELD_MAP)
        assert ended.code == 0
        yield buyers, token


@pytest.fixture
async def books(provisioned: tuple[Place, str], stripe: StripeDouble) -> AsyncIterator[Books]:
    buyers, token = provisioned
    everything = {"query": {"filter": {"id": {"_nnull": True}}, "limit": -1}}
    await buyers.stack.admin.request("DELETE", buyers.items, everything)
    async with proxy_for(buyers.stack.directus.url) as directus:
        opened = Books(buyers, token, directus, stripe)
        async with served(opened.settings) as url:
            yield Books(buyers, token, directus, stripe, url)


async def test_an_update_reaches_the_item(books: Books) -> None:
    """Mapped fields say what Stripe says once it is answered, in text and in JSON; everything else is as it was."""
    customer, item = await books.known(name="Eva", email=None)
    customer |= {"address": {"city": "London", "line2": None}, "preferred_locales": ["en", "de"]}

    answer = await books.post(event(UPDATED, customer))

    assert (answer.status, answer.json()) == (200, {"received": True})
    assert await books.read(item) == {
        "id": item,
        "name": "Ada",
        "email": "ada@example.com",
        "home": {"city": "London", "line2": None},
        "label": '["en","de"]',
        "note": "ours",
        books.place.field: customer["id"],
    }


async def test_what_is_true_is_not_written_again(books: Books) -> None:
    """Neither the same event again nor another one of the same state leaves a revision in Directus."""
    customer, item = await books.known(name="Eva")
    customer |= {"address": {"city": "London"}, "preferred_locales": ["en"]}
    body = event(UPDATED, customer)
    await books.post(body)
    before = await books.revisions(item)

    answers = [await books.post(again) for again in (body, body, event(UPDATED, customer))]

    assert [answer.status for answer in answers] == [200] * 3
    assert (before, await books.revisions(item)) == (2, 2)


async def test_a_deletion_clears_the_id(books: Books) -> None:
    """The deleted customer's ID goes, that of no other item, and what else the item says stays."""
    (customer, item), (other, neighbour) = await books.known(), await books.known()
    customer["deleted"] = True

    answer = await books.post(event(DELETED, customer))

    assert answer.status == 200
    cleared = await books.read(item)
    assert (cleared[books.place.field], cleared["name"], cleared["note"]) == (None, "Ada", "ours")
    assert (await books.read(neighbour))[books.place.field] == other["id"]


async def test_a_customer_without_item(books: Books) -> None:
    """It is acknowledged, and Directus is only read."""
    customer = books.stripe.add_customer()

    assert (await books.post(event(DELETED, customer))).status == 200
    assert {request.method for request in books.directus.requests} == {"GET"}


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after it"])
@pytest.mark.parametrize("kind", [UPDATED, DELETED])
async def test_killed_in_the_midst(books: Books, kind: str, *, after: bool) -> None:
    """W1: What a service leaves that is killed before or after its write the event mends when it is sent again."""
    customer, item = await books.known(name="Eva")
    customer["deleted"] = kind == DELETED
    body, pause = event(kind, customer), books.pause_writing(after=after)

    async with books.process() as first:
        sent = asyncio.create_task(books.post(body, first.url))
        await pause.reached.wait()
        first.popen.kill()
        killed = await sent
    pause.release()
    again = await books.post(body)

    row = await books.read(item)
    assert (killed.status, again.status) == (0, 200)
    assert (row[books.place.field], row["name"]) == ((None, "Eva") if kind == DELETED else (customer["id"], "Ada"))


async def test_directus_down(books: Books) -> None:
    """While Directus cannot be reached Stripe is told to send it again; then it is done."""
    customer, item = await books.known(name="Eva")
    body = event(UPDATED, customer)
    await books.directus.refuse()

    failed = await books.post(body)
    await books.directus.listen()
    done = await books.post(body)

    assert (failed.status, done.status) == (503, 200)
    assert (await books.read(item))["name"] == "Ada"


async def test_a_stale_write_of_another_replica(books: Books) -> None:
    """A replica that was held up before it wrote an older state puts that right by itself."""
    customer, item = await books.known(name="Eva")
    pause = books.pause_writing()
    async with books.process() as other:
        late = asyncio.create_task(books.post(event(UPDATED, customer), other.url))
        await pause.reached.wait()
        customer["name"] = "Ada Byron"
        prompt = await books.post(event(UPDATED, customer))
        in_between = (await books.read(item))["name"]
        pause.release()

        assert (prompt.status, (await late).status) == (200, 200)

    assert in_between == "Ada Byron"
    assert (await books.read(item))["name"] == "Ada Byron"


async def test_a_deletion_overtakes_an_update(books: Books) -> None:
    """An update that was held up does not fill the item of a customer that is deleted by now."""
    customer, item = await books.known(name="Eva")
    pause = books.pause_writing()
    async with books.process() as other:
        late = asyncio.create_task(books.post(event(UPDATED, customer), other.url))
        await pause.reached.wait()
        customer["deleted"] = True
        prompt = await books.post(event(DELETED, customer))
        pause.release()

        assert (prompt.status, (await late).status) == (200, 200)

    row = await books.read(item)
    assert (row[books.place.field], row["name"]) == (None, "Eva")


async def test_many_at_once_at_two_replicas(books: Books) -> None:
    """Of twenty changes whose events arrive in disorder at two replicas the last one stays."""
    customer, item = await books.known(name="Eva")
    async with books.process() as other:
        sent = []
        for number in range(20):
            customer["name"] = f"Ada {number}"
            body = event(UPDATED, customer)
            sent.append(asyncio.create_task(books.post(body, (books.url, other.url)[number % 2])))
            await asyncio.sleep(0)
        answers = await asyncio.gather(*sent)

    assert {answer.status for answer in answers} == {200}
    assert (await books.read(item))["name"] == "Ada 19"


async def test_an_editor_in_between(books: Books) -> None:
    """Another customer's ID that an editor puts into the item just before the write is not cleared."""
    customer, item = await books.known()
    customer["deleted"] = True
    pause = books.pause_writing()
    sent = asyncio.create_task(books.post(event(DELETED, customer)))
    await pause.reached.wait()

    await books.change(item, **{books.place.field: "cus_Another", "note": "new"})
    pause.release()

    assert (await sent).status == 200
    row = await books.read(item)
    assert (row[books.place.field], row["note"]) == ("cus_Another", "new")


async def test_an_item_that_is_deleted_meanwhile(books: Books) -> None:
    """An item that goes just before the write is no failure."""
    customer, item = await books.known(name="Eva")
    pause = books.pause_writing()
    sent = asyncio.create_task(books.post(event(UPDATED, customer)))
    await pause.reached.wait()

    await books.admin.request("DELETE", f"{books.place.items}/{item}")
    pause.release()

    assert (await sent).status == 200


async def test_a_value_that_directus_refuses(books: Books, log_lines: list[str]) -> None:
    """What a field's own validation refuses is left to Stripe's next try, and the log names item and field."""
    customer, item = await books.known(name="Eva")
    customer["name"] = "Adalbert"
    field = f"/fields/{books.place.collection}/name"
    short = {"_and": [{"name": {"_regex": "^.{1,3}$"}}]}
    await books.admin.request("PATCH", field, {"meta": {"validation": short}})
    body = event(UPDATED, customer)

    failed = await books.post(body)
    await books.admin.request("PATCH", field, {"meta": {"validation": None}})
    done = await books.post(body)

    assert (failed.status, done.status) == (503, 200)
    [line] = [parsed for parsed in map(json.loads, log_lines) if "refuses" in parsed["message"]]
    assert (line["item"], line["fields"], line["code"]) == (item, ["name"], "FAILED_VALIDATION")
    assert (await books.read(item))["name"] == "Adalbert"


async def test_a_token_without_the_rights(books: Books) -> None:
    """A token provisioned without STRIPE_WEBHOOK_SECRET clears nothing, which is a failure; `provision` mends it."""
    customer, item = await books.known()
    customer["deleted"] = True
    body = event(DELETED, customer)
    await books.place.provision()

    failed, held = await books.post(body), (await books.read(item))[books.place.field]
    await books.place.provision(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_FIELD_MAP=FIELD_MAP)
    done = await books.post(body)

    assert (failed.status, held) == (503, customer["id"])
    assert (done.status, (await books.read(item))[books.place.field]) == (200, None)


async def test_a_new_customer_after_a_deletion(books: Books) -> None:
    """W4: Once the ID of a deleted customer is gone, its item gets a new customer, though Stripe repeats the first."""
    admin_token = books.place.admin_token
    row = await books.admin.request("POST", books.place.items, {"name": "Ada"})
    first = await create(books, admin_token, row["id"])
    [customer] = books.stripe.customers
    customer["deleted"] = True
    await books.post(event(DELETED, customer))

    second = await create(books, admin_token, row["id"])

    assert second["id"] != first["id"]
    assert (await books.read(row["id"]))[books.place.field] == second["id"]


async def create(books: Books, token: str, item: object) -> Mapping[str, Any]:
    port = urlsplit(books.url).port
    assert port is not None
    body = json.dumps({"email": "ada@example.com", "item": item}).encode()
    sent = [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]
    answer = await exchange(port, request_bytes("POST", "/stripe/customers", sent, body))
    assert answer.status == 201, answer.body
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def test_on_users(stack: Stack, stripe: StripeDouble) -> None:
    """On `directus_users` a name follows Stripe; by which address somebody signs in does not, whatever the map says."""
    field_map, guest = json.dumps({"first_name": "name", "email": "email"}), stack.people["guest"]
    async with place_on_users(stack) as users, proxy_for(stack.directus.url) as directus:
        ended = await users.provision(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_FIELD_MAP=field_map)
        customer = stripe.add_customer(name="Ada", email="eve@example.com")
        await stack.admin.request("PATCH", f"/users/{guest.id}", {users.field: customer["id"]})
        books = Books(users, token_of(ended), directus, stripe)
        async with served({**books.settings, "STRIPE_FIELD_MAP": field_map}) as url:
            updated = await books.post(event(UPDATED, customer), url)
            after = await stack.admin.request("GET", f"/users/{guest.id}")
            customer["deleted"] = True
            deleted = await books.post(event(DELETED, customer), url)
        cleared = await stack.admin.request("GET", f"/users/{guest.id}")
        await stack.admin.request("PATCH", f"/users/{guest.id}", {"first_name": "Guest"})

    assert (updated.status, deleted.status) == (200, 200)
    assert (after["first_name"], after["email"], after[users.field]) == ("Ada", guest.email, customer["id"])
    assert cleared[users.field] is None


async def test_through_nginx(books: Books, tmp_path: Path) -> None:
    """The shipped proxy passes an event of up to 1 MiB on as it came; only here, and no longer one."""
    customer, item = await books.known(name="Eva")
    padding = 1024 * 1024 - len(event(UPDATED, customer, padding=""))
    fits, longer = (event(UPDATED, customer, padding="x" * (padding + more)) for more in (0, 1))
    async with servers.nginx(
        tmp_path, port=free_port(), directus=books.place.stack.directus.url, sidecar=books.url
    ) as nginx:
        answers = [await books.post(body, nginx.url) for body in (fits, longer)]
        port = urlsplit(nginx.url).port
        assert port is not None
        elsewhere = await exchange(port, request_bytes("POST", "/stripe/customers", headers(fits), fits))

    assert [answer.status for answer in (*answers, elsewhere)] == [200, 413, 413]
    assert (await books.read(item))["name"] == "Ada"
