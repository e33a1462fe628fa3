"""The fields of an item that copy its customer, and that they end equal to Stripe's whatever happens meanwhile."""

import asyncio
import logging
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.permissions import AllowedFields
from sidecar.core.flows.follow_customer import Change
from sidecar.core.flows.mirror import Mirror
from sidecar.core.interfaces import PrimaryKey
from sidecar.core.operations.resources import StripeObject
from sidecar.errors import EventFailed, ItemRefused, StripeUnavailable
from tests.doubles.collections import CUSTOMERS
from tests.unit.core.flows.follower_world import ADA, ALL, FIELD_MAP, GONE, TRUE, World, item


async def test_an_update_reaches_the_item() -> None:
    """Only fields that differ are written."""
    world = World(rows={7: item(name="Eva", mail="old@example.com")})

    changes = await world.follow()

    assert changes == [Change(7, ("mail", "name"))]
    assert world.written == [(7, {"mail": "ada@example.com", "name": "Ada"})]
    assert (world.asked, world.listed) == (2, 1)
    assert world.rows == {7: item()}


async def test_equal_values_are_not_written() -> None:
    """An item that matches is not changed, and Stripe is asked once."""
    world = World(rows={7: item()})

    assert await world.follow() == []
    assert (world.written, world.asked) == ([], 1)


async def test_a_deletion_clears_the_id() -> None:
    """The ID of a deleted customer is cleared; the other fields of the item are left to the editors."""
    world = World(customer=GONE, rows={7: item()})

    assert await world.follow() == [Change(7, ("cus",))]
    assert world.rows == {7: item(cus=None)}


@pytest.mark.parametrize("customer", [ADA, GONE])
async def test_a_customer_without_item(customer: StripeObject) -> None:
    """If no item is linked to the customer, nothing is written and Stripe is not asked."""
    world = World(customer=customer, rows={7: item(cus="cus_2", name="Eva"), 8: item(cus=None, name="Eva")})

    assert await world.follow() == []
    assert (world.written, world.asked) == ([], 0)


async def test_several_items() -> None:
    """If the ID field is not unique, every item linked to the customer is updated."""
    world = World(customer=GONE, rows={7: item(), 8: item()})

    assert await world.follow() == [Change(7, ("cus",)), Change(8, ("cus",))]
    assert world.truth


async def test_fields_that_the_collection_does_not_have(caplog: pytest.LogCaptureFixture) -> None:
    """A field of the default map that Directus does not show may not exist: it is left alone, and nothing is wrong."""
    world = World(rows={7: item(name="Eva", mail="old")}, fields=AllowedFields(frozenset({"name"})))

    await world.follow()

    assert world.written == [(7, {"name": "Ada"})]
    assert caplog.records == []


async def test_fields_that_the_operator_named(caplog: pytest.LogCaptureFixture) -> None:
    """A field of the operator's own map that Directus does not show is an error; the others are written."""
    world = World(rows={7: item(name="Eva", mail="old")}, fields=AllowedFields(frozenset({"name"})))
    world.mirror = Mirror.of(FIELD_MAP, CUSTOMERS, named=True)

    with caplog.at_level(logging.ERROR), pytest.raises(EventFailed):
        await world.follow()

    assert world.written == [(7, {"name": "Ada"})]
    [record] = caplog.records
    assert "run `provision`" in record.message
    assert (vars(record)["item"], vars(record)["fields"]) == (7, ["mail", "where"])


async def test_fields_that_may_only_be_read(caplog: pytest.LogCaptureFixture) -> None:
    """A field that the service sees differ and may not change is an error that names it; the others are written."""
    world = World(rows={7: item(name="Eva", mail="old"), 8: item(name="Eva")})
    world.update = AllowedFields(frozenset({"name", "where"}))

    with caplog.at_level(logging.ERROR), pytest.raises(EventFailed, match="Send the event again") as failed:
        await world.follow()

    assert world.written == [(7, {"name": "Ada"}), (8, {"name": "Ada"})]
    assert failed.value.detail == "1 values of 1 items were not written"
    [record] = caplog.records
    assert "run `provision`" in record.message
    assert (vars(record)["item"], vars(record)["customer"], vars(record)["fields"]) == (7, "cus_1", ["mail"])


async def test_an_id_that_may_not_be_cleared(caplog: pytest.LogCaptureFixture) -> None:
    """A service that may not update the ID field is told so for each item, and nothing is sent."""
    world = World(customer=GONE, rows={7: item()}, update=ALL)

    with caplog.at_level(logging.ERROR), pytest.raises(EventFailed):
        await world.follow()

    assert world.written == []
    assert [vars(record)["fields"] for record in caplog.records] == [["cus"]]


async def test_a_refusal_names_the_item_and_the_fields(caplog: pytest.LogCaptureFixture) -> None:
    """If Directus refuses all values, the operator is told without the values, and the event does not count as done."""
    world = World(rows={7: item(name="Eva", mail="old")}, refused=frozenset({"name", "mail"}))

    with caplog.at_level(logging.ERROR), pytest.raises(EventFailed):
        await world.follow()

    [record] = caplog.records
    assert record.message == "Directus refuses what Stripe says of a customer"
    facts = {name: vars(record)[name] for name in ("item", "customer", "fields", "code")}
    assert facts == {"item": 7, "customer": "cus_1", "fields": ["mail", "name"], "code": "FAILED_VALIDATION"}
    assert "Ada" not in str(vars(record))


async def test_one_refused_value(caplog: pytest.LogCaptureFixture) -> None:
    """One refused value holds up neither the item's other fields nor other items, and is named."""
    world = World(rows={key: item(name="Eva", mail="old", where="x") for key in (7, 8)}, refused=frozenset({"mail"}))

    changes: list[Change] = []
    with caplog.at_level(logging.ERROR), pytest.raises(EventFailed) as failed:
        changes += await world.follow()

    assert world.rows == {key: item(mail="old") for key in (7, 8)}
    assert failed.value.detail == "2 values of 2 items were not written"
    assert [(vars(record)["item"], vars(record)["fields"]) for record in caplog.records] == [
        (7, ["mail"]),
        (8, ["mail"]),
    ]
    assert world.asked == 2


async def test_a_refused_value_that_changes_meanwhile() -> None:
    """A value that Stripe corrects while others are written is tried again, and then the event is done."""
    world = World(rows={7: item(name="Eva", mail="old")}, refused=frozenset({"mail"}))

    def correct() -> None:
        world.customer["email"], world.refused = "new@example.com", frozenset()

    world.at_step(5, correct)
    await world.follow()

    assert world.rows == {7: item(mail="new@example.com")}


async def test_the_log_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Of many items that are refused the first twenty are named."""
    world = World(rows={key: item(name="Eva") for key in range(150)}, refused=frozenset({"name"}))

    with caplog.at_level(logging.ERROR), pytest.raises(EventFailed) as failed:
        await world.follow()

    assert len(caplog.records) == 20
    assert failed.value.detail == "150 values of 150 items were not written"


async def test_one_item_that_cannot_be_cleared() -> None:
    """A deleted customer's ID leaves all items but the one whose clearing Directus refuses."""
    world = World(customer=GONE, rows={7: item(), 8: item(), 9: item()})
    change = world.change

    async def refuse_seven(key: PrimaryKey, customer_id: str, values: Mapping[str, object]) -> bool:
        if key == 7:
            raise ItemRefused("no", status=403, code="FORBIDDEN")
        return await change(key, customer_id, values)

    world.change = refuse_seven  # type: ignore[method-assign,assignment]  # this world's own rule
    with pytest.raises(EventFailed):
        await world.follow()

    assert [row["cus"] for row in world.rows.values()] == ["cus_1", None, None]


async def test_stripe_down() -> None:
    """If Stripe cannot be asked, nothing is written, whatever the event said."""
    world = World(rows={7: item(name="Eva")})

    async def down() -> None:
        raise StripeUnavailable("down")

    world.between = down
    with pytest.raises(StripeUnavailable):
        await world.follow()

    assert world.rows == {7: item(name="Eva")}


async def test_a_customer_that_changes_all_the_time() -> None:
    """The number of attempts is bounded; Stripe sends the event again."""
    world, numbers = World(rows={7: item(name="Eva")}), iter(range(10_000))

    async def change() -> None:
        world.customer["name"] = f"Ada {next(numbers)}"

    world.between = change
    with pytest.raises(EventFailed, match="changes all the time") as failed:
        await world.follow()

    assert failed.value.detail == "cus_1"
    assert world.asked < 10


@pytest.mark.parametrize("step", range(1, 8))
@pytest.mark.parametrize(
    "change",
    [{"name": "Ada Byron"}, {"email": None}, {"deleted": True}, {"name": "Eva", "email": "old@example.com"}],
    ids=str,
)
async def test_a_change_in_between(step: int, change: dict[str, object]) -> None:
    """However often Stripe changes before the last read, the item ends with Stripe's values."""
    world = World(rows={7: item(name="Eva", mail="old@example.com")})
    world.at_step(step, lambda: world.customer.update(change))

    await world.follow()

    assert change.items() <= world.customer.items()
    assert world.truth


@pytest.mark.parametrize("step", range(1, 6))
async def test_an_editor_in_between(step: int) -> None:
    """An ID that an editor writes meanwhile stays, at any step; so do the editor's own fields."""
    world = World(customer=GONE, rows={7: item()})
    world.at_step(step, lambda: world.rows[7].update(cus="cus_2", note="new"))

    await world.follow()

    assert (world.rows[7]["cus"], world.rows[7]["note"]) == ("cus_2", "new")


@pytest.mark.parametrize("step", range(1, 6))
async def test_an_id_that_is_moved_meanwhile(step: int) -> None:
    """A deleted customer's ID that an editor moves to another item is found there."""
    world = World(customer=GONE, rows={7: item(), 8: item(cus=None)})

    def move() -> None:
        world.rows[7]["cus"], world.rows[8]["cus"] = None, world.rows[7]["cus"]

    world.at_step(step, move)

    await world.follow()

    assert world.truth


@pytest.mark.parametrize("step", range(1, 6))
async def test_an_item_that_is_deleted_meanwhile(step: int) -> None:
    """An item that is deleted meanwhile is no failure."""
    world = World(rows={7: item(name="Eva")})
    world.at_step(step, world.rows.clear)

    await world.follow()

    assert world.rows == {}


_change = st.sampled_from(
    [{"name": "Ada"}, {"name": "Eva"}, {"name": "Ida", "email": "i@example.com"}, {"deleted": True}]
)


@given(st.lists(_change, min_size=1, max_size=4), st.integers(0, 2**32), st.booleans())
async def test_replicas_end_in_the_truth(changes: list[dict[str, object]], seed: int, late: bool) -> None:  # noqa: FBT001 - hypothesis's way
    """With one event per change, in any order, by several replicas at once, the item ends with Stripe's values."""
    random = Random(seed)  # noqa: S311 - a pace, no secret
    world = World(rows={7: item(name="Eva", mail="old@example.com")})

    async def at_any_pace() -> None:
        for _ in range(random.randint(0, 5)):
            await asyncio.sleep(0)

    world.between = at_any_pace
    events: list[asyncio.Task[list[Change]]] = []
    for change in changes:
        world.customer.update(change)
        if not late:
            events.append(asyncio.create_task(world.follow()))
            await at_any_pace()
    if late:
        events = [asyncio.create_task(world.follow()) for _ in changes]
    await asyncio.gather(*events)

    assert world.truth


@pytest.mark.parametrize("code", ["FAILED_VALIDATION", "NOT_NULL_VIOLATION", "CONTAINS_NULL_VALUES"])
async def test_a_column_that_cannot_be_null_is_emptied(code: str, caplog: pytest.LogCaptureFixture) -> None:
    """The ID of a deleted customer leaves such a column as an empty text, and nothing is logged as an error."""
    world = World(customer=GONE, rows={1: dict(TRUE)}, never_null=True, code=code)

    assert await world.follow() == [Change(1, ("cus",))]

    assert world.rows[1]["cus"] == ""
    assert caplog.records == []


async def test_another_refusal_is_not_answered_with_an_empty_text() -> None:
    """A refusal of the change itself ends the event, whatever the value."""
    world = World(customer=GONE, rows={1: dict(TRUE)}, never_null=True, code="FORBIDDEN")

    with pytest.raises(EventFailed):
        await world.follow()

    assert world.rows[1]["cus"] == "cus_1"
