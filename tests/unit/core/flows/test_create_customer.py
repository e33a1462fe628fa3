"""Checks W2-W6 in core: which customer an item gets, and the answer when a step fails."""

import asyncio
import logging
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.credentials import Credential, Source
from sidecar.core.flows.create_customer import Creator, NewCustomer, Outcome, create_customer
from sidecar.core.flows.customer_for_item import create_customer_for_item
from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.interfaces import PrimaryKey
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency
from sidecar.errors import (
    DirectusUnavailable,
    ItemConflict,
    ItemRefused,
    SidecarError,
    StripeFailure,
    StripeKeyRejected,
    StripeRateLimited,
    StripeRejected,
    StripeTimeout,
    StripeUnavailable,
)
from tests.unit.core.flows.creations import (
    ADA,
    CALLER,
    CREATOR,
    DOWN,
    LINKS,
    REFUSED,
    SECRET,
    SERVICE,
    Items,
    Stripe,
    write_back,
)


async def test_without_write_back_every_call_is_a_new_customer() -> None:
    """Without an item and without a client's key two calls create two customers, whose metadata name no item."""
    stripe = Stripe()

    first = await create_customer(NewCustomer(ADA), CREATOR, stripe)
    second = await create_customer(NewCustomer(ADA), CREATOR, stripe)

    assert (first.customer["id"], second.customer["id"]) == ("cus_1", "cus_2")
    assert first.created
    assert stripe.metadata == [{}, {}]


async def test_a_clients_key_makes_a_retry_the_same_customer() -> None:
    """W5: The same caller with the same key gets the same customer, another caller or key does not."""
    stripe = Stripe()
    creators = [
        replace(CREATOR, key="k"),
        replace(CREATOR, key="k"),
        replace(CREATOR, key="j"),
        Creator(Credential("other", Source.HEADER, "192.0.2.7"), may_read=True, key="k"),
    ]

    outcomes = [await create_customer(NewCustomer(ADA), creator, stripe) for creator in creators]

    assert [outcome.customer["id"] for outcome in outcomes] == ["cus_1", "cus_1", "cus_2", "cus_3"]


@pytest.mark.parametrize("end", ["deleted", "wiped"])
async def test_a_clients_key_whose_customer_was_deleted(end: str) -> None:
    """Where Stripe repeats a customer that does not live any more, the answer is a conflict: another key is needed."""
    stripe, creator = Stripe(), replace(CREATOR, key="k")
    await create_customer(NewCustomer(ADA), creator, stripe)
    getattr(stripe, end).add("cus_1")

    with pytest.raises(ItemConflict, match="another key"):
        await create_customer(NewCustomer(ADA), creator, stripe)
    next_one = await create_customer(NewCustomer(ADA), replace(CREATOR, key="j"), stripe)

    assert next_one.customer["id"] == "cus_2"


async def test_a_first_answer_costs_one_call() -> None:
    """A customer that this call created is not looked up again."""
    stripe = Stripe()

    for creator in (CREATOR, replace(CREATOR, key="k")):
        await create_customer(NewCustomer(ADA), creator, stripe)

    assert stripe.retrieved == []


async def test_a_clients_key_never_leaves_as_it_is() -> None:
    """W5, A5: Stripe gets a digest, which reveals neither the caller's token nor its key."""
    stripe = Stripe()

    await create_customer(NewCustomer(ADA), replace(CREATOR, key="my-key"), stripe)

    (key,) = stripe.by_key
    assert len(key) <= 255
    assert "my-key" not in key
    assert CALLER.token not in key


async def test_an_item_is_created_first_where_none_is_named() -> None:
    """The caller creates the item with the mapped values; the service writes the new customer's ID into it."""
    items, stripe = Items(), Stripe()

    outcome = await create_customer_for_item(NewCustomer(ADA), CREATOR, stripe, write_back(items))

    assert items.created == [{"mail": "ada@example.com", "name": "Ada"}]
    assert items.rows == {1: "cus_1"}
    assert items.calls == [
        ("create", "caller"),
        ("customer_id", "service"),
        ("claim", "service"),
        ("customer_id", "service"),
    ]
    assert stripe.metadata == [LINKS.metadata(1)]
    assert (outcome.created, outcome.pending) == (True, False)


async def test_the_caller_writes_where_there_is_no_service() -> None:
    """Without a service token the ID is written with the caller's own rights."""
    items = Items({7: None})

    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Stripe(), write_back(items, service=None))

    assert items.rows == {7: "cus_1"}
    assert {token for _, token in items.calls} == {"caller"}


async def test_an_empty_item_gets_the_customer() -> None:
    """W4: An item is read and checked with the caller's rights, read as the service, and read again at the end."""
    items = Items({7: None})

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Stripe(), write_back(items))

    assert items.rows == {7: "cus_1"}
    assert items.calls == [
        ("customer_id", "caller"),
        ("may_update", "caller"),
        ("customer_id", "service"),
        ("claim", "service"),
        ("customer_id", "service"),
    ]
    assert outcome.created


async def test_an_item_with_a_customer_keeps_it() -> None:
    """W4: An item with an ID is neither overwritten nor given a second customer; the first one is shown."""
    items, stripe = Items({7: "cus_old"}), Stripe()

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert outcome == Outcome({"id": "cus_old"}, 7, created=False, found=True)
    assert items.rows == {7: "cus_old"}
    assert stripe.by_key == {}


async def test_a_customer_the_caller_may_not_read_is_not_shown() -> None:
    """W4, R6: A caller that may create but not read learns that a customer exists, and nothing about it."""
    items, stripe = Items({7: "cus_old"}), Stripe()

    with pytest.raises(ItemConflict, match="may not read") as conflict:
        await create_customer_for_item(NewCustomer(ADA, 7), replace(CREATOR, may_read=False), stripe, write_back(items))

    assert conflict.value.extensions == {"item": 7}
    assert "empty the field of its ID" in conflict.value.message
    assert stripe.retrieved == []


@pytest.mark.parametrize("customer_id", [None, "cus_old"])
async def test_a_caller_that_may_not_update_the_item_gets_nothing(customer_id: str | None) -> None:
    """0 Stripe: Permission to read an item is not enough, with or without a customer in it."""
    items, stripe = Items({7: customer_id}, updatable=False), Stripe()

    with pytest.raises(ItemRefused, match="may not update") as refused:
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert (refused.value.status, refused.value.code) == (403, "FORBIDDEN")
    assert refused.value.extensions == {"item": 7}
    assert stripe.by_key == {}
    assert stripe.retrieved == []


@pytest.mark.parametrize("error", [DOWN, REFUSED])
@pytest.mark.parametrize(("step", "item"), [("create", None), ("customer_id", 7), ("may_update", 7)])
async def test_stripe_is_not_asked_before_directus_agreed(step: str, item: int | None, error: SidecarError) -> None:
    """0 Stripe: Any question to Directus that fails before the call to Stripe ends the request with that failure."""
    items, stripe = Items({7: None}, failing={step: error}), Stripe()

    with pytest.raises(type(error)):
        await create_customer_for_item(NewCustomer(ADA, item), CREATOR, stripe, write_back(items))

    assert stripe.by_key == {}


@pytest.mark.parametrize(
    "error",
    [
        StripeTimeout("t"),
        StripeUnavailable("u"),
        StripeRateLimited("r"),
        StripeKeyRejected("k"),
        StripeRejected("x", status=402, extensions={"stripe": {"code": "c"}}),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("item", [None, 7])
async def test_a_failure_at_stripe_names_the_item(error: StripeFailure, item: int | None) -> None:
    """W3: After a failure no ID was written, and the caller knows the item, so a retry creates no second one."""
    items = Items({7: None})
    error = StripeRejected("x", status=402, extensions=error.extensions) if isinstance(error, StripeRejected) else error

    with pytest.raises(type(error)) as failure:
        await create_customer_for_item(NewCustomer(ADA, item), CREATOR, Stripe(error=error), write_back(items))

    assert failure.value.extensions["item"] == (7 if item == 7 else 2)
    assert "claim" not in dict(items.calls)


@pytest.mark.parametrize("error", [DOWN, REFUSED])
async def test_an_id_that_cannot_be_written_is_pending(error: SidecarError, caplog: pytest.LogCaptureFixture) -> None:
    """W3: The caller gets its customer and learns that the ID is not written yet; the operator learns which one."""
    items = Items({7: None}, failing={"claim": error})

    with caplog.at_level(logging.ERROR):
        outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Stripe(), write_back(items))

    assert outcome.customer["id"] == "cus_1"
    assert outcome.pending
    (record,) = caplog.records
    assert (vars(record)["item"], vars(record)["customer"]) == (7, "cus_1")


async def test_a_retry_writes_a_pending_id() -> None:
    """W3: Once Directus is back, the same request writes the same customer's ID."""
    items, stripe = Items({7: None}, failing={"claim": DOWN}), Stripe()
    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))
    items.failing.clear()

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert (outcome.pending, outcome.customer["id"]) == (False, "cus_1")
    assert items.rows == {7: "cus_1"}
    assert len(stripe.by_key) == 1


async def test_a_lost_answer_to_the_claim_is_no_conflict() -> None:
    """W3: An item that already names exactly this customer is done, whatever wrote the ID."""
    items, stripe = Items({7: None}, raced="cus_1"), Stripe()

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert outcome.customer["id"] == "cus_1"
    assert not outcome.pending


async def test_an_item_that_got_another_customer_meanwhile_keeps_it(caplog: pytest.LogCaptureFixture) -> None:
    """W4: The second caller is shown the first one's customer, and the operator learns of the leftover customer."""
    items = Items({7: None}, raced="cus_other")

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Stripe(), write_back(items))

    assert (outcome.customer["id"], outcome.created) == ("cus_other", False)
    assert items.rows == {7: "cus_other"}
    assert [vars(record)["customer"] for record in caplog.records] == ["cus_1"]


async def test_an_empty_answer_after_a_lost_claim_is_pending() -> None:
    """W3: If the claim changed nothing and the item still shows no ID, no answer says that it was written."""
    items = Unchanging({7: ""})

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Stripe(), write_back(items))

    assert outcome.pending


async def test_one_item_asked_for_twenty_times_at_once_gets_one_customer() -> None:
    """W2: Any number of concurrent callers for one item get the same customer, and the item contains its ID."""
    items, stripe = Items({7: None}), Stripe()
    callers = [Creator(Credential(f"t{number}", Source.HEADER, "::1"), may_read=True) for number in range(20)]

    outcomes = await asyncio.gather(
        *(create_customer_for_item(NewCustomer(ADA, 7), caller, stripe, write_back(items)) for caller in callers)
    )

    assert {outcome.customer["id"] for outcome in outcomes} == {"cus_1"}
    assert [outcome.created for outcome in outcomes].count(True) == 1
    assert items.rows == {7: "cus_1"}


@pytest.mark.parametrize("end", ["deleted", "wiped"])
async def test_an_item_whose_customer_was_deleted_gets_another(end: str) -> None:
    """W4: If Stripe repeats a deleted customer, its ID is not written; the item gets a customer that exists."""
    items, stripe = Items({7: None}), Stripe()
    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))
    getattr(stripe, end).add("cus_1")
    items.rows[7] = None

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert (outcome.customer["id"], outcome.created) == ("cus_2", True)
    assert items.rows == {7: "cus_2"}
    assert stripe.metadata == [LINKS.metadata(7)] * 3


@given(deleted=st.integers(1, 9), callers=st.integers(1, 9))
async def test_after_several_deletions_all_get_one_customer(deleted: int, callers: int) -> None:
    """W2, W4: After any number of deletions of an item's customer, all concurrent callers get the same new one."""
    items, stripe = Items({7: None}), Stripe()
    for number in range(1, deleted + 1):
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))
        stripe.deleted.add(f"cus_{number}")
        items.rows[7] = None

    outcomes = await asyncio.gather(
        *(create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items)) for _ in range(callers))
    )

    assert {outcome.customer["id"] for outcome in outcomes} == {f"cus_{deleted + 1}"}
    assert len(stripe.ids) == deleted + 1


async def test_a_customer_that_lives_is_kept_by_a_retry() -> None:
    """W2: A repeated answer about an existing customer creates no second one."""
    items, stripe = Items({7: None}, failing={"claim": DOWN}), Stripe()
    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert outcome.customer["id"] == "cus_1"
    assert (stripe.ids, stripe.retrieved) == (["cus_1"], ["cus_1"])


async def test_a_new_customer_is_not_looked_at_again() -> None:
    """A first answer from Stripe needs no second question."""
    stripe = Stripe()

    await create_customer_for_item(NewCustomer(ADA), CREATOR, stripe, write_back(Items()))

    assert stripe.retrieved == []


async def test_deletion_without_end() -> None:
    """If every customer of an item is deleted at once, the caller is told so after a few attempts."""
    items, stripe = Items({7: None}), Stripe()
    stripe.deleted = {f"cus_{number}" for number in range(1, 50)}
    for _ in range(10):
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))
        items.rows[7] = None

    with pytest.raises(ItemConflict, match="again and again") as conflict:
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert conflict.value.extensions == {"item": 7}
    assert len(stripe.ids) == 10


async def test_a_failure_while_looking_names_the_item() -> None:
    """W3: If Stripe fails when asked whether the customer exists, the caller still learns the item."""
    items, stripe = Items({7: None}, failing={"claim": DOWN}), Stripe()
    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))
    failing = Unreadable(by_key=stripe.by_key)

    with pytest.raises(StripeTimeout) as failure:
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, failing, write_back(items))

    assert failure.value.extensions == {"item": 7}


class Unchanging(Items):
    async def claim(self, *_: object) -> bool:
        return False


@dataclass
class Racing(Items):
    """Two or more claims at once all find the field empty, as in Directus, and all are told that they filled it."""

    async def claim(self, credential: Credential, item: PrimaryKey, customer_id: str) -> bool:
        empty = not self.rows[item]
        await asyncio.sleep(0)
        await super().claim(credential, item, customer_id)
        return empty


@given(st.integers(2, 20))
async def test_one_of_many_is_told_that_it_created(callers: int) -> None:
    """W2: Of any number of callers at once whose claims all succeed, one created the customer: Stripe tells which."""
    items, stripe = Racing({7: None}), Stripe()

    outcomes = await asyncio.gather(
        *(create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items)) for _ in range(callers))
    )

    assert [outcome.created for outcome in outcomes].count(True) == 1
    assert {outcome.customer["id"] for outcome in outcomes} == {"cus_1"}


@pytest.mark.parametrize(("uncertain", "created"), [(True, True), (False, False)])
async def test_a_repeated_answer_to_its_own_request(*, uncertain: bool, created: bool) -> None:
    """W2: A repeated answer is a creation for the call whose earlier attempt got none, and for no other call."""
    stripe = Stripe()
    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(Items({7: None})))
    stripe.uncertain = uncertain

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(Items({7: None})))

    assert (outcome.created, outcome.found) == (created, False)


async def test_an_id_that_the_caller_may_not_see_counts() -> None:
    """W4: An item whose ID only the service can see keeps its customer, and Stripe is not asked for another."""
    items, stripe = Hiding({7: "cus_old"}), Stripe()

    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert (outcome.customer["id"], outcome.found, stripe.by_key) == ("cus_old", True, {})


class Hiding(Items):
    """Shows the field as null to the caller."""

    async def customer_id(self, credential: Credential, item: PrimaryKey) -> str | None:
        found = await super().customer_id(credential, item)
        return None if credential == CALLER else found


@pytest.mark.parametrize("item", [None, 7])
async def test_a_caller_who_cannot_write_the_id_is_refused_before_stripe(item: int | None) -> None:
    """0 Stripe: Without a service token, a caller who may not write the ID field, or not this item, gets nothing."""
    stripe = Stripe()
    fieldless = replace(CREATOR, may_write_id=False)
    unwritable = Items({7: None}, updatable=False)

    with pytest.raises(ItemRefused, match="field of the customer ID") as refused:
        await create_customer_for_item(NewCustomer(ADA, item), fieldless, stripe, write_back(Items(), service=None))
    assert (refused.value.status, refused.value.code) == (403, "FORBIDDEN")
    with pytest.raises(ItemRefused, match="may not update this item"):
        await create_customer_for_item(NewCustomer(ADA, item), CREATOR, stripe, write_back(unwritable, service=None))

    assert stripe.by_key == {}


async def test_a_service_that_may_not_read_items_ends_before_stripe() -> None:
    """0 Stripe: If the service's own token may not read the item, that is an operator's fault, not the caller's."""
    stripe = Stripe()

    with pytest.raises(DirectusUnavailable) as unavailable:
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(Shut({7: None})))

    assert unavailable.value.detail == "the service token may not read item 7 (FORBIDDEN)"
    assert stripe.by_key == {}


class Shut(Items):
    async def customer_id(self, credential: Credential, item: PrimaryKey) -> str | None:
        if credential == SERVICE:
            raise REFUSED
        return await super().customer_id(credential, item)


class Unreadable(Stripe):
    async def retrieve(self, path: str, object_id: str, **_: Urgency) -> StripeObject:
        raise StripeTimeout(f"{path}/{object_id}")


names = st.text(max_size=12) | st.sampled_from(["a", "a:", "1:a", "2:aa", "aa", "1"])


@given(st.tuples(names, names, names | st.integers(0, 20)), st.tuples(names, names, names | st.integers(0, 20)))
def test_keys_are_one_to_an_item(first: tuple[str, str, PrimaryKey], second: tuple[str, str, PrimaryKey]) -> None:
    """W2: Two items share a key only if project, collection and primary key are the same text."""
    keys = [ItemLinks(p, c, (SECRET,)).idempotency_key(item) for p, c, item in (first, second)]

    assert (keys[0] == keys[1]) is (tuple(map(str, first)) == tuple(map(str, second)))
    assert all(len(key) <= 255 for key in keys)


@given(names, names | st.none(), names, names | st.none())
def test_keys_are_one_to_a_customer_that_went(item: str, after: str | None, other: str, later: str | None) -> None:
    """W2: Two keys of one collection are equal only for the same item after the same customer."""
    keys = [LINKS.idempotency_key(item, after=after), LINKS.idempotency_key(other, after=later)]

    assert (keys[0] == keys[1]) is ((item, after) == (other, later))


def test_a_key_survives_a_release() -> None:
    """W2: The derivation of the key must never change: a new release must not create second customers."""
    assert LINKS.idempotency_key(7) == "6e21e98ca860d2d76fa531d930d598ca718600ece819371b7ab0b233507313e2"
