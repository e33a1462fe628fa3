"""Events in Directus: items that end equal to Stripe's objects whatever happens meanwhile, and what Flows are told."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.flows.deliver_event import Directus, deliver
from sidecar.core.flows.event_rules import EventRule, ItemTarget
from sidecar.core.flows.events import Event, ObjectReference
from sidecar.core.flows.follow_customer import Change
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency
from sidecar.errors import DirectusUnavailable, EventFailed, ItemRefused, StripeTimeout

ORDERS = ItemTarget("orders", "invoice")
FLOW = "3c1f0b6a-6f0c-4f5e-9d0a-2b8f6c1d7e90"
WRITING = EventRule("invoice.paid", None, ORDERS, {"total": ("total",), "state": ("status",)})
TELLING = EventRule("invoice.paid", FLOW)
BOTH = EventRule("invoice.paid", FLOW, ORDERS, WRITING.fields)
PAID = Event("evt_1", "invoice.paid", livemode=False, object=ObjectReference("invoice", "in_1"), created=7)

Step = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    await asyncio.sleep(0)


@dataclass
class World:
    """Stripe's one invoice, and Directus's items. `between` is awaited at each step, `unique` is the key's."""

    invoice: StripeObject = field(default_factory=lambda: {"id": "in_1", "object": "invoice", "total": 5})
    rows: list[dict[str, object]] = field(default_factory=list)
    between: Step = _nothing
    refused: str | None = None
    unreachable: bool = False
    taken: bool = False  # whether an item of another object has a value that must be unique
    told: list[Mapping[str, object]] = field(default_factory=list)
    writes: int = 0

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:
        assert (path, object_id, urgency) == ("/v1/invoices", "in_1", Urgency.CALL)
        await self.between()
        found = dict(self.invoice)
        await self.between()
        return found

    async def find(self, target: ItemTarget, object_id: str, fields: Collection[str]) -> Sequence[Mapping[str, object]]:
        await self.between()
        if self.unreachable:
            raise DirectusUnavailable("down")
        names = {target.key, *fields}
        found = [{name: row.get(name) for name in names} for row in self.rows if row[target.key] == object_id]
        await self.between()
        return found

    async def create(self, target: ItemTarget, object_id: str, values: Mapping[str, object]) -> bool:
        await self.between()
        if self.refused is not None:
            raise ItemRefused("Directus does not let you create this item.", status=400, code=self.refused)
        if self.taken or any(row[target.key] == object_id for row in self.rows):
            return False
        self.rows.append({**values, target.key: object_id})
        self.writes += 1
        await self.between()
        return True

    async def change(self, target: ItemTarget, object_id: str, values: Mapping[str, object]) -> None:
        await self.between()
        found = [row for row in self.rows if row[target.key] == object_id]
        for row in found:
            row.update(values)
            self.writes += 1
        await self.between()

    async def start(self, flow: str, told: Mapping[str, object]) -> None:
        assert flow == FLOW
        await self.between()
        self.told.append(told)

    async def deliver(self, rule: EventRule, event: Event = PAID) -> list[Change]:
        return [change async for change in deliver(event, rule, self, Directus(self, self))]


async def test_an_item_is_created() -> None:
    """An object without an item gets one, with its ID and the fields of the rule."""
    world = World()

    assert await world.deliver(WRITING) == [Change(None, ("invoice", "total", "state"), "item written")]
    assert world.rows == [{"invoice": "in_1", "total": 5, "state": None}]


async def test_only_what_differs_is_written() -> None:
    """An item that is there gets what it lacks, and nothing where it lacks nothing."""
    world = World(rows=[{"invoice": "in_1", "total": 4, "state": None, "note": "ours"}])

    changes = [await world.deliver(WRITING) for _ in range(2)]

    assert changes == [[Change(None, ("total",), "item written")], []]
    assert (world.rows, world.writes) == ([{"invoice": "in_1", "total": 5, "state": None, "note": "ours"}], 1)


async def test_items_of_one_object() -> None:
    """Where the key is not unique, every item of the object agrees with it in the end."""
    world = World(rows=[{"invoice": "in_1", "total": total, "state": None} for total in (5, 4)])

    await world.deliver(WRITING)

    assert [row["total"] for row in world.rows] == [5, 5]


async def test_the_item_comes_before_the_flow() -> None:
    """With both, the Flow starts once the item is written, and is told the same fields."""
    world = World()

    changes = await world.deliver(BOTH)

    assert [change.what for change in changes] == ["item written", "flow started"]
    assert world.told == [
        {
            "event": {"id": "evt_1", "type": "invoice.paid", "created": 7},
            "object": {"id": "in_1", "object": "invoice", "total": 5, "state": None},
        }
    ]


async def test_no_flow_for_an_item_that_cannot_be_written() -> None:
    """The Flow waits for Stripe's repetition if its item cannot be written."""
    world = World(unreachable=True)

    with pytest.raises(DirectusUnavailable):
        await world.deliver(BOTH)

    assert world.told == []


async def test_secrets_are_left_out() -> None:
    """No secret is told or written, wherever it stands."""
    secret = "pi_1_secret_MARKED"
    world = World()
    world.invoice |= {"client_secret": secret, "status": f"see {secret}", "deep": [{"x": {"client_secret": secret}}]}

    await world.deliver(WRITING)
    await world.deliver(TELLING)

    assert "secret" not in str([world.rows, world.told])
    assert world.rows == [{"invoice": "in_1", "total": 5, "state": None}]


async def test_the_object_keeps_its_own_id() -> None:
    """The ID and the kind that a Flow is told are those of the object."""
    world = World()

    await world.deliver(EventRule("invoice.paid", FLOW, None, {"total": ("total",)}))

    assert world.told[0]["object"] == {"id": "in_1", "object": "invoice", "total": 5}


@pytest.mark.parametrize("there", [False, True])
async def test_a_deleted_object(*, there: bool) -> None:
    """A deleted object makes no item; one that is there is told so and keeps its other values."""
    world = World(rows=[{"invoice": "in_1", "total": 5, "gone": False}] if there else [])
    world.invoice = {"id": "in_1", "object": "invoice", "deleted": True}

    await world.deliver(EventRule("invoice.deleted", FLOW, ORDERS, {"total": ("total",), "gone": ("deleted",)}))

    assert world.rows == ([{"invoice": "in_1", "total": 5, "gone": True}] if there else [])
    assert world.told[0]["object"] == {"id": "in_1", "object": "invoice", "gone": True}


async def test_what_directus_refuses() -> None:
    """A refusal fails the event; for the log it names collection and code."""
    with pytest.raises(EventFailed) as failed:
        await World(refused="FAILED_VALIDATION").deliver(WRITING)

    assert failed.value.detail == "orders: Directus does not let you create this item."


async def test_a_value_that_must_be_unique() -> None:
    """An item that is neither found nor made, as another one has a unique value, fails the event after some tries."""
    world = World(taken=True)

    with pytest.raises(EventFailed, match="cannot be created"):
        await world.deliver(WRITING)

    assert world.rows == []


async def test_an_item_that_is_deleted_meanwhile() -> None:
    """An item that an editor deletes before it could be changed is made anew."""
    world = World(rows=[{"invoice": "in_1", "total": 4, "state": None}])
    steps = iter([None] * 4 + ["delete"])

    async def step() -> None:
        if next(steps, None) == "delete":
            world.rows.clear()

    world.between = step

    await world.deliver(WRITING)

    assert world.rows == [{"invoice": "in_1", "total": 5, "state": None}]


async def test_an_object_that_changes_all_the_time() -> None:
    """An object that is another at each look fails the event after some rounds."""
    world = World()
    numbers = iter(range(100))

    async def grow() -> None:
        world.invoice["total"] = next(numbers)

    world.between = grow

    with pytest.raises(EventFailed, match="changes all the time"):
        await world.deliver(WRITING)


async def test_stripe_does_not_answer() -> None:
    """Without Stripe's word nothing is written or told."""
    world = World()

    async def late() -> None:
        raise StripeTimeout("late")

    world.between = late

    with pytest.raises(StripeTimeout):
        await world.deliver(BOTH)
    assert (world.rows, world.told) == ([], [])


@given(st.integers(0, 2**32), st.booleans())
def test_any_order_ends_in_the_truth(seed: int, there: bool) -> None:  # noqa: FBT001 - hypothesis's way to give parameters
    """However the events of changes mingle at several replicas, there is one item, and it says what Stripe says."""
    world = World(rows=[{"invoice": "in_1", "total": 0, "state": None}] if there else [])
    random, left, events = Random(seed), [1, 2, 3], list[asyncio.Task[None]]()  # noqa: S311 - an order of steps

    async def event() -> None:
        """Deliver one, and again for as long as it fails, as Stripe does."""
        while True:
            with suppress(EventFailed):
                await world.deliver(WRITING)
                return

    async def step() -> None:
        if left and random.random() < 0.2:
            world.invoice["total"] = left.pop()
            events.append(asyncio.create_task(event()))
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)

    async def run() -> None:
        world.between = step
        await event()
        for each in events:  # it grows meanwhile
            await each

    asyncio.run(run())

    assert world.rows == [{"invoice": "in_1", "total": world.invoice["total"], "state": None}]
