"""The fields that repeat what belongs to a customer: they end equal to Stripe's, and a deleted customer has nothing."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.permissions import AllowedFields
from sidecar.core.flows.follow_customer import Change
from sidecar.core.flows.mirror import Mirror
from sidecar.core.operations.resources import StripeObject
from sidecar.core.status.sources import SOURCES
from sidecar.errors import EventFailed
from tests.doubles.collections import CUSTOMERS
from tests.unit.core.flows.follower_world import FIELD_MAP, GONE, World

NAMED = {"state": "subscription.status", "until": "subscription.current_period_end", "rights": "entitlements"}
MIRROR = Mirror.of(FIELD_MAP, CUSTOMERS, {name: SOURCES[source] for name, source in NAMED.items()}, named=True)
TYPES = {"state": "string", "until": "timestamp", "rights": "json"}
ALL = AllowedFields(frozenset({"cus", "mail", "name", "where", *NAMED}))
NAME = {"cus": "cus_1", "mail": "ada@example.com", "name": "Ada", "where": None}
NOTHING: dict[str, object] = {"state": None, "until": None, "rights": []}
SUBSCRIBED = {"state": "active", "until": "2027-01-01T00:00:00Z", "rights": ["pro"]}


def subscription(status: str = "active", until: int = 1798761600) -> StripeObject:
    return {"object": "subscription", "status": status, "items": {"data": [{"current_period_end": until}]}}


def world_of(**row: object) -> World:
    """One item, of a customer with a subscription and a right."""
    world = World(rows={7: {**NAME, **NOTHING, **row}}, mirror=MIRROR, fields=ALL, types_of_fields=TYPES)
    world.subscription, world.entitlements = subscription(), ("pro",)
    return world


async def test_a_subscription_reaches_the_item() -> None:
    """All fields are written at once, times as the type of their field has them."""
    world = world_of()

    assert await world.follow() == [Change(7, ("state", "until", "rights"))]
    assert world.rows == {7: NAME | SUBSCRIBED}


@pytest.mark.parametrize("shown", ["2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00Z"])
async def test_what_directus_shows_of_a_time(shown: str) -> None:
    """A time that Directus writes in another way is the same, and the item is not changed."""
    world = world_of(**(SUBSCRIBED | {"until": shown}))

    assert await world.follow() == []


async def test_a_deleted_customer_has_nothing() -> None:
    """What belonged to a deleted customer goes, then its ID; what is known of its name stays."""
    world = world_of(**SUBSCRIBED)
    world.customer = dict(GONE)

    assert await world.follow() == [
        Change(7, ("state", "until", "rights")),
        Change(7, ("state", "until", "rights", "cus")),
    ]
    assert world.rows == {7: NAME | dict.fromkeys(NOTHING) | {"cus": None}}


@pytest.mark.parametrize("fault", ["refused", "barred", "unseen"])
async def test_the_id_stays_until_all_else_is_gone(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """An ID is not cleared while a field still says that its owner subscribes: nobody would find the item again."""
    world = world_of(**SUBSCRIBED)
    world.customer = dict(GONE)
    match fault:
        case "refused":
            world.refused = frozenset({"state"})
        case "barred":
            world.update = AllowedFields(ALL.names - {"state"})
        case "unseen":
            world.fields = AllowedFields(ALL.names - {"state"})
            world.update = ALL

    with caplog.at_level(logging.ERROR), pytest.raises(EventFailed):
        await world.follow()
    stopped = dict(world.rows[7])
    world.refused, world.update, world.fields = frozenset(), None, ALL
    await world.follow()

    assert (stopped["cus"], stopped["state"], stopped["until"]) == ("cus_1", "active", None)
    assert [vars(record)["fields"] for record in caplog.records] == [["state"]]
    assert world.rows == {7: NAME | dict.fromkeys(NOTHING) | {"cus": None}}


async def test_a_crash_between_the_two_writes() -> None:
    """Whoever dies before it clears the ID has taken the rest away, and the next event finishes the work."""
    world, change = world_of(**SUBSCRIBED), World.change

    async def die(_: object, item: int, customer: str, values: Mapping[str, object]) -> bool:
        if "cus" in values:
            raise asyncio.CancelledError
        return await change(world, item, customer, values)

    world.customer, world.change = dict(GONE), die.__get__(world)  # type: ignore[method-assign]  # this world's own rule
    with pytest.raises(asyncio.CancelledError):
        await world.follow()

    assert world.rows == {7: NAME | dict.fromkeys(NOTHING)}


async def test_a_write_that_was_under_way_when_the_id_went() -> None:
    """What one replica writes just after another has cleared the ID is taken back, though nobody is linked any more."""
    world, looked, cleared = world_of(), asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        if not looked.is_set():
            looked.set()
            await cleared.wait()

    world.within = slowly
    first = asyncio.create_task(world.follow())
    await looked.wait()
    world.customer = dict(GONE)
    await world.follow()
    after_the_second = dict(world.rows[7])
    cleared.set()
    await first

    assert after_the_second == world.rows[7] == NAME | dict.fromkeys(NOTHING) | {"cus": None}


async def test_a_field_of_a_type_that_does_not_fit(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is written into such a field, the others are, and the operator is told; yet it can be emptied."""
    world = world_of()
    world.types_of_fields = TYPES | {"rights": "csv", "until": "boolean"}

    with caplog.at_level(logging.ERROR), pytest.raises(EventFailed):
        await world.follow()
    written = dict(world.rows[7])
    world.customer = dict(GONE)
    await world.follow()

    assert written == NAME | NOTHING | {"state": "active"}
    [record] = caplog.records
    assert (vars(record)["fields"], "`check`" in record.message) == (["rights", "until"], True)
    assert world.rows[7]["cus"] is None


async def test_only_what_belongs() -> None:
    """Without the attributes, as `reconcile` repairs fields, names stay as editors wrote them, and so does the ID."""
    world = world_of(name="written by an editor", **SUBSCRIBED)
    world.mirror = MIRROR.of_belongings
    world.customer = dict(GONE)

    await world.follow()

    assert world.rows == {7: NAME | {"name": "written by an editor"} | dict.fromkeys(NOTHING)}


@dataclass(frozen=True, slots=True)
class _Changed:
    """What a change leaves at Stripe."""

    subscription: StripeObject | None
    entitlements: tuple[str, ...]
    deleted: bool = False

    def make(self, world: World) -> None:
        """Change the customer, which stays deleted once it is."""
        if not world.customer.get("deleted"):
            world.subscription, world.entitlements = self.subscription, self.entitlements
            world.customer = dict(GONE if self.deleted else world.customer)


_changes = st.builds(
    _Changed,
    st.one_of(
        st.none(),
        st.builds(
            subscription, st.sampled_from(["active", "past_due", "canceled"]), st.sampled_from([1798761600, 1801440000])
        ),
    ),
    st.sampled_from([(), ("pro",), ("pro", "basic")]),
    st.sampled_from([False, False, False, True]),
)


@dataclass(slots=True)
class _Replicas:
    """Replicas that each get an event at its own time, and work at any pace."""

    world: World
    random: Random
    events: list[asyncio.Task[list[Change]]] = field(default_factory=list)

    async def pause(self) -> None:
        for _ in range(self.random.randint(0, 4)):
            await asyncio.sleep(0)

    def deliver(self, delay: int) -> None:
        self.events.append(asyncio.create_task(self._arrive(delay)))

    async def _arrive(self, delay: int) -> list[Change]:
        for _ in range(delay * 7):
            await asyncio.sleep(0)
        return await self.world.follow()


@given(st.lists(_changes, min_size=1, max_size=4), st.integers(0, 2**32), st.permutations(range(4)), st.booleans())
async def test_any_order_ends_in_the_truth(
    changes: list[_Changed],
    seed: int,
    delays: list[int],
    late: bool,  # noqa: FBT001 - hypothesis's way
) -> None:
    """Whatever changes, and whenever its events arrive at several replicas, the fields end equal to Stripe's."""
    world = world_of()
    replicas = _Replicas(world, Random(seed))  # noqa: S311 - a pace, no secret
    world.between = world.within = replicas.pause
    for change, delay in zip(changes, delays, strict=False):
        change.make(world)
        if not late:
            replicas.deliver(delay)
            await replicas.pause()
    if late:
        for delay in delays[: len(changes)]:
            replicas.deliver(delay)
    await asyncio.gather(*replicas.events)

    [row] = world.rows.values()
    gone = NAME | dict.fromkeys(NOTHING) | {"cus": None}
    assert row == gone if world.customer.get("deleted") else world.repeats(row)
