"""Changes at Stripe are felt at every replica: two processes and one real Redis, between doubles of the upstreams."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.clients.redis.names import Names
from tests.doubles.directus import DirectusDouble
from tests.doubles.events import SECRET, event, headers
from tests.doubles.faults import Late
from tests.doubles.process import Sidecar, serving
from tests.doubles.redis.server import RedisServer
from tests.doubles.running_app import CLERK, KEY, SERVICE_TOKEN, SIDECAR_SECRET, bearer, environment
from tests.doubles.server import Recorded
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer

WHOLE, PAGE = "/stripe/customers", "/stripe/customers?limit=100"
JSON = ("Content-Type", "application/json")
NAME = Names.of(SIDECAR_SECRET, "changes", KEY).name("last")
LOOKS = 'sidecar_shared_seconds_count{part="changes"}'


@dataclass(frozen=True, slots=True)
class Replicas:
    here: Sidecar
    there: Sidecar
    stripe: StripeDouble

    async def create(self) -> str:
        """Create a customer here, and give its ID."""
        body = json.dumps({"email": "ada@example.com"}).encode()
        answer = await self.here.call(WHOLE, bearer(CLERK.token), JSON, method="POST", body=body)
        assert answer.status == 201, answer
        return str(answer.json()["id"])

    async def hear(self) -> str:
        """Tell here of a customer that somebody else created, and give its ID."""
        customer = self.stripe.add_customer()
        body = event("customer.created", customer)
        answer = await self.here.call("/stripe/webhooks", *headers(body), method="POST", body=body)
        assert answer.status == 200, answer
        return str(customer["id"])

    def start(self, target: str) -> asyncio.Task[Answer]:
        """Begin to ask there."""
        return asyncio.create_task(self.there.call(target, bearer(CLERK.token)))

    async def begun(self, target: str) -> tuple[Late, asyncio.Task[Answer]]:
        """Ask there, for what Stripe answers with its present state and sends late."""
        late = Late()
        self.stripe.recover()
        self.stripe.fail(late, when=is_list, times=1)
        asked = self.start(target)
        await eventually(lambda: late.arrived)
        return late, asked

    async def looks(self) -> float:
        lines = (await self.there.call("/metrics")).body.decode().splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(LOOKS))


@pytest.fixture
async def replicas(
    directus: DirectusDouble, stripe: StripeDouble, redis_server: RedisServer, tmp_path: Path
) -> AsyncIterator[Replicas]:
    variables = environment(
        directus.url,
        stripe.url,
        REDIS=redis_server.url,
        STRIPE_WRITE_BACK="true",
        STRIPE_WEBHOOK_SECRET=SECRET,
        DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN,
        DIRECTUS_REALTIME="false",
    )
    async with AsyncExitStack() as exits:
        one, other = [await exits.enter_async_context(serving(tmp_path / name, **variables)) for name in "ab"]
        yield Replicas(one, other, stripe)


def is_list(request: Recorded) -> bool:
    return request.path == "/v1/customers" and "limit=100" in request.target


def ids(answer: Answer) -> set[str]:
    found = answer.json()
    return {entry["id"] for entry in (found if isinstance(found, list) else found["data"])}


@pytest.mark.parametrize("change", [Replicas.create, Replicas.hear])
@pytest.mark.parametrize("target", [WHOLE, PAGE])
async def test_a_list_begun_before_a_change_is_not_joined_after_it_elsewhere(
    replicas: Replicas, target: str, change: Callable[[Replicas], Awaitable[str]]
) -> None:
    """Ten of ten: who asks one replica, after another has answered a change, gets the change, whatever is under way."""
    for _ in range(10):
        late, earlier = await replicas.begun(target)

        changed = await change(replicas)
        later = replicas.start(target)
        await eventually(later.done)
        late.release()

        assert changed in ids(await later)
        assert changed not in ids(await earlier)


@pytest.mark.parametrize("change", [Replicas.create, Replicas.hear])
async def test_a_page_kept_for_a_crowd(replicas: Replicas, change: Callable[[Replicas], Awaitable[str]]) -> None:
    """Ten of ten: a page that several asked for at once is not given to who asks after a change elsewhere."""
    for _ in range(10):
        await asyncio.gather(*(replicas.start(PAGE) for _ in range(5)))

        changed = await change(replicas)

        assert changed in ids(await replicas.start(PAGE))


@pytest.mark.parametrize("target", [WHOLE, PAGE])
async def test_what_is_shared_where_nothing_changed(replicas: Replicas, target: str) -> None:
    """While nothing changes, requests at one replica still share what is under way.

    A busy machine may take too long to answer a look, and then nothing is shared.
    """

    async def shared() -> bool:
        late, earlier = await replicas.begun(target)
        looks, asked = await replicas.looks(), len(replicas.stripe.requests)
        later = replicas.start(target)

        async def decided() -> bool:
            return later.done() or len(replicas.stripe.requests) > asked or await replicas.looks() > looks

        await eventually(decided)
        late.release()
        assert ids(await earlier) == ids(await later)
        return len(replicas.stripe.requests) == asked

    await replicas.create()
    await eventually(shared)


async def wrong_type(redis: RedisServer) -> None:
    await redis.cli("DEL", NAME)
    await redis.cli("LPUSH", NAME, "x")


async def flush(redis: RedisServer) -> None:
    await redis.cli("FLUSHALL")


async def freeze(redis: RedisServer) -> None:
    redis.freeze()


async def kill(redis: RedisServer) -> None:
    redis.kill()


@pytest.mark.parametrize("target", [WHOLE, PAGE])
@pytest.mark.parametrize("trouble", [wrong_type, flush, freeze, kill, RedisServer.restart])
async def test_where_redis_cannot_tell(
    replicas: Replicas, redis_server: RedisServer, trouble: Callable[[RedisServer], Awaitable[None]], target: str
) -> None:
    """With a moment that is lost, unreadable or out of reach nothing that has begun is joined, and all are answered."""
    await replicas.create()
    late, earlier = await replicas.begun(target)
    unseen = str(replicas.stripe.add_customer()["id"])

    await trouble(redis_server)
    later = replicas.start(target)
    await eventually(later.done)
    made = await replicas.create()
    late.release()

    assert unseen in ids(await later)
    assert {unseen, made}.isdisjoint(ids(await earlier))
    assert made in ids(await replicas.start(target))


async def test_a_change_while_redis_was_silent(replicas: Replicas, redis_server: RedisServer) -> None:
    """A change that Redis could not hear of is answered, and told as soon as Redis is back."""
    await replicas.create()
    before = await redis_server.cli("GET", NAME)
    late, earlier = await replicas.begun(WHOLE)

    redis_server.kill()
    made = await replicas.create()
    await redis_server.start()
    await eventually(lambda: is_told(redis_server, before))
    later = replicas.start(WHOLE)
    await eventually(later.done)
    late.release()

    assert made in ids(await later)
    assert made not in ids(await earlier)


async def is_told(redis: RedisServer, before: str) -> bool:
    return (await redis.cli("GET", NAME) or before) != before
