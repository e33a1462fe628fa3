"""Which reads may be of a moment ago: single pages and objects that are shown, and nothing else."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
import pytest

from sidecar.clients.changes import Alone
from sidecar.clients.stripe.governor import Governor
from sidecar.clients.stripe.recent_answers import RecentAnswers
from sidecar.clients.stripe.shared_reads import SharedReads
from sidecar.clients.stripe.shown_reads import ShownReads
from sidecar.clients.stripe.skim import skimmed
from sidecar.core.interfaces import ChangeRequest, Sent
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeUnavailable
from sidecar.metrics import Metrics
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.stripe.governors import governor

PATH = "/v1/customers"


@dataclass
class Stripe:
    """Answers after a second, with the state at the moment it was asked; `state` is in each object."""

    state: int = 1
    asked: list[str] = field(default_factory=list)
    fails: bool = False
    traffic: Governor | None = None

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        if self.traffic is not None:
            async with self.traffic.turn("GET", urgency):
                pass
        entry = await self._answer(f"{path}?{sorted(parameters.items())}")
        page = skimmed(orjson.dumps({"object": "list", "data": [entry], "has_more": False}))
        assert page is not None
        return page

    async def retrieve(
        self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL, expand: Sequence[str] = ()
    ) -> StripeObject:
        return await self._answer(f"{path}/{object_id} {urgency.name} {expand}")

    async def send(self, request: ChangeRequest) -> Sent:
        raise NotImplementedError

    async def _answer(self, what: str) -> StripeObject:
        self.asked.append(what)
        entry: StripeObject = {"id": "cus_1", "object": "customer", "created": self.state}
        await asyncio.sleep(1)
        if self.fails:
            raise StripeUnavailable("down")
        return entry


class Case:
    def __init__(self, stripe: Stripe | None = None, seconds: float = 5) -> None:
        self.stripe = stripe or Stripe()
        self.recent = RecentAnswers(seconds, Alone(), Metrics())
        self.shared = SharedReads(self.stripe)

    def request(self, *, secrets: bool = False) -> ShownReads:
        return ShownReads(self.shared, self.recent, secrets=secrets)

    def change(self) -> None:
        """Change what Stripe has, as the client or an event tells of it."""
        self.stripe.state += 1
        self.shared.forget()
        self.recent.forget()

    async def page(self, **parameters: str) -> int | None:
        return (await self.request().page(PATH, parameters)).listed[0].created

    async def one(self, object_id: str = "cus_1", *, urgency: Urgency = Urgency.CALL) -> object:
        return (await self.request().retrieve(PATH, object_id, urgency=urgency))["created"]


@in_virtual_time
async def test_a_hundred_clerks() -> None:
    """A page that a hundred ask for every five seconds, each at a time of its own, is asked for once in that time."""
    case = Case()

    async def clerk(number: int) -> None:
        await asyncio.sleep(number / 20)
        for _ in range(12):
            assert await case.page(limit="100") == 1
            await asyncio.sleep(5)

    await asyncio.gather(*map(clerk, range(100)))

    assert len(case.stripe.asked) <= 14


@in_virtual_time
async def test_what_is_asked_for_is_the_key() -> None:
    """Another path, another parameter or another object is another answer; the order of parameters is none."""
    case = Case()
    reads = case.request()

    for parameters in ({"limit": "5"}, {"limit": "5", "customer": "cus_1"}, {"customer": "cus_1", "limit": "5"}):
        await reads.page(PATH, parameters)
    await reads.page("/v1/invoices", {"limit": "5"})
    for object_id in ("cus_1", "cus_2", "cus_1"):
        await reads.retrieve(PATH, object_id)

    assert len(case.stripe.asked) == 5


@in_virtual_time
async def test_an_object_however_urgent() -> None:
    """An object by its ID is the same, whether it was asked for by itself or for a page."""
    case = Case()

    assert [await case.one(), await case.one(urgency=Urgency.PAGE)] == [1, 1]
    assert len(case.stripe.asked) == 1


@in_virtual_time
async def test_its_age() -> None:
    """A request learns the age of the oldest that it was given, in seconds since Stripe was asked."""
    case = Case()
    new = case.request()
    await new.page(PATH, {"limit": "1"})
    await asyncio.sleep(2)
    await new.page(PATH, {"limit": "2"})

    old = case.request()
    for limit in ("2", "1", "2"):
        await old.page(PATH, {"limit": limit})

    assert (new.age, old.age) == (None, 4.0)


@pytest.mark.parametrize("secrets", [False, True])
@in_virtual_time
async def test_what_is_never_of_a_moment_ago(*, secrets: bool) -> None:
    """Pages of whole lists, and objects with parts written out, are asked for each time, and are not remembered."""
    case = Case()

    for _ in range(2):
        reads = case.request(secrets=secrets)
        await reads.page(PATH, {"limit": "5"}, urgency=Urgency.LIST)
        await reads.retrieve(PATH, "cus_1", expand=["latest_invoice"])
        await reads.retrieve(PATH, "cus_1", urgency=Urgency.LIST)

    assert (len(case.stripe.asked), case.recent.size) == (6, 0)


@in_virtual_time
async def test_what_decides_is_always_new() -> None:
    """What is read of `SharedReads` itself is asked for anew although it is remembered, and is not remembered."""
    case = Case(seconds=60)
    await case.page(limit="5")
    await case.one()
    before = case.recent.size

    await case.shared.page(PATH, {"limit": "5"}, urgency=Urgency.CALL)
    await case.shared.retrieve(PATH, "cus_1")
    await case.shared.retrieve(PATH, "cus_2")

    assert (len(case.stripe.asked), case.recent.size) == (5, before)


@in_virtual_time
async def test_an_error_is_not_remembered() -> None:
    """Who asks after an error asks Stripe."""
    case = Case(Stripe(fails=True))
    with pytest.raises(StripeUnavailable):
        await case.one()
    case.stripe.fails = False

    assert await case.one() == 1


@pytest.mark.parametrize("at", [0.0, 0.5, 0.999, 1.5, 4.0])
@in_virtual_time
async def test_a_change_at_any_moment(at: float) -> None:
    """C7: whenever a change comes, before the answer or after, nobody who asks after it is given what was before it."""
    case = Case()
    early = [asyncio.ensure_future(case.page(limit="5")), asyncio.ensure_future(case.one())]
    await asyncio.sleep(at)

    case.change()
    after = [await case.page(limit="5"), await case.one()]

    assert after == [2, 2]
    assert [await case.page(limit="5"), await case.one()] == [2, 2]
    assert [await one for one in early] in ([1, 1], [2, 2])


@in_virtual_time
async def test_a_change_while_it_waits_for_its_turn() -> None:
    """What was asked for before a change and sent to Stripe after it is remembered."""
    stripe = Stripe(traffic=governor(each_endpoint=0.4))
    case = Case(stripe)
    await case.page(limit="1")
    waiting = asyncio.ensure_future(case.page(limit="5"))
    await asyncio.sleep(0)

    case.change()

    assert await waiting == 2
    asked = len(stripe.asked)
    assert (await case.page(limit="5"), len(stripe.asked)) == (2, asked)


@in_virtual_time
async def test_off() -> None:
    """Where nothing is remembered, who asks alone again and again asks Stripe each time."""
    case = Case()
    reads = ShownReads(case.shared, None, secrets=False)

    for _ in range(3):
        await reads.page(PATH, {"limit": "5"})
        await reads.retrieve(PATH, "cus_1")

    assert (len(case.stripe.asked), reads.age) == (6, None)


@pytest.mark.parametrize(
    ("urgency", "cursor", "calls"),
    [
        (Urgency.PAGE, {}, 1),
        (Urgency.PAGE, {"starting_after": "cus_1"}, 1),
        (Urgency.LIST, {}, 1),
        (Urgency.LIST, {"starting_after": "cus_1"}, 2),
        (Urgency.CALL, {}, 2),
    ],
)
@in_virtual_time
async def test_which_pages_are_a_crowds(urgency: Urgency, cursor: dict[str, str], calls: int) -> None:
    """A page that several asked for at once is kept for a moment, of a list its first; never what decides."""
    stripe = Stripe()
    shared = SharedReads(stripe, moment=3)
    await asyncio.gather(*(shared.page(PATH, {"limit": "5", **cursor}, urgency=urgency) for _ in range(2)))

    await shared.page(PATH, {"limit": "5", **cursor}, urgency=urgency)

    assert len(stripe.asked) == calls
