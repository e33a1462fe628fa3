"""Creating a customer when one of the upstreams answers unexpectedly."""

import logging
from dataclasses import dataclass, field, replace

import pytest

from sidecar.core.access.credentials import Credential
from sidecar.core.flows.create_customer import NewCustomer, Outcome, create_customer
from sidecar.core.flows.customer_for_item import create_customer_for_item
from sidecar.core.interfaces import ChangeRequest, PrimaryKey, Sent
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency
from sidecar.errors import ItemConflict, ItemRefused, StripeRejected, StripeUnavailable
from tests.unit.core.flows.creations import ADA, CREATOR, DOWN, LINKS, SERVICE, Items, Stripe, write_back

TAKEN = ItemRefused("taken", status=400, code="RECORD_NOT_UNIQUE")


@pytest.mark.parametrize("stored", ["../balance", "cus_1/../../balance", "cus_1?expand[]=x", "pi_1", "cus_"])
async def test_an_invalid_customer_id_is_not_sent_to_stripe(stored: str) -> None:
    """A caller that writes an item's ID field cannot choose by it the URL that is called with the account's key."""
    stripe = Stripe()

    with pytest.raises(ItemConflict, match="Correct it") as conflict:
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(Items({7: stored})))

    assert (conflict.value.status, conflict.value.extensions) == (409, {"item": 7})
    assert (stripe.retrieved, stripe.by_key) == ([], {})


async def test_an_id_that_another_item_has_is_a_conflict(caplog: pytest.LogCaptureFixture) -> None:
    """If the ID field is unique and another item has the ID, the caller gets a 409 that names its own item."""
    items = Items({7: None}, failing={"claim": TAKEN})

    with caplog.at_level(logging.WARNING), pytest.raises(ItemConflict, match="Another item") as conflict:
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Stripe(), write_back(items))

    assert (conflict.value.status, conflict.value.extensions) == (409, {"item": 7})
    assert conflict.value.__cause__ is TAKEN
    assert [vars(record)["code"] for record in caplog.records] == ["RECORD_NOT_UNIQUE"]


async def test_a_stripe_that_may_not_be_read_is_not_a_deleted_customer() -> None:
    """Any answer but "no such customer" is a failure that names the item, and causes no second customer."""
    items, stripe = Items({7: None}, failing={"claim": DOWN}), Forbidding()
    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    with pytest.raises(StripeRejected) as failure:
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert (failure.value.status, failure.value.extensions) == (403, {"item": 7})
    assert stripe.ids == ["cus_1"]


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": 7}, {"id": ""}, {"id": "pi_1"}], ids=str)
async def test_an_answer_without_an_id_is_no_customer(answer: StripeObject) -> None:
    """If Stripe's answer to a creation has no customer ID, that is a 502 and nothing is written."""
    items = Items({7: None})

    with pytest.raises(StripeUnavailable, match="without a customer") as alone:
        await create_customer(NewCustomer(ADA), CREATOR, Answering(answer=answer))
    with pytest.raises(StripeUnavailable) as failure:
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Answering(answer=answer), write_back(items))

    assert (alone.value.status, alone.value.detail) == (502, "no id")
    assert failure.value.extensions == {"item": 7}
    assert ("claim", SERVICE.token) not in items.calls


async def test_an_item_that_was_taken_meanwhile_names_itself() -> None:
    """The second caller gets a conflict that names the item if it may not read the first one's customer."""
    items, creator = Items({7: None}, raced="cus_other"), replace(CREATOR, may_read=False)

    with pytest.raises(ItemConflict) as conflict:
        await create_customer_for_item(NewCustomer(ADA, 7), creator, Stripe(), write_back(items))

    assert conflict.value.extensions == {"item": 7}


async def test_the_caller_writes_into_its_new_item() -> None:
    """Without a service token the caller also writes the ID into an item that was made for it."""
    items = Items()

    await create_customer_for_item(NewCustomer(ADA), CREATOR, Stripe(), write_back(items, service=None))

    assert items.calls == [
        ("create", "caller"),
        ("may_update", "caller"),
        ("claim", "caller"),
        ("customer_id", "caller"),
    ]


async def test_a_claim_whose_answer_is_lost() -> None:
    """An item with the ID is done, and the call created its customer, whoever wrote the ID."""
    outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Stripe(), write_back(Losing({7: None})))

    assert outcome == Outcome({"id": "cus_1", **ADA, "metadata": LINKS.metadata(7)}, 7, created=True, linked=True)


@pytest.mark.parametrize("claimed", [False, True])
async def test_directus_away_after_the_creation(*, claimed: bool, caplog: pytest.LogCaptureFixture) -> None:
    """An ID that was certainly written is not pending; an ID of which nobody can tell is."""
    items = Leaving({7: None}, claimed=claimed)

    with caplog.at_level(logging.ERROR):
        outcome = await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, Stripe(), write_back(items))

    assert outcome == Outcome(
        {"id": "cus_1", **ADA, "metadata": LINKS.metadata(7)}, 7, created=True, pending=not claimed, linked=claimed
    )
    assert len(caplog.records) == (0 if claimed else 1)


class Forbidding(Stripe):
    async def retrieve(self, path: str, object_id: str, **_: Urgency) -> StripeObject:
        raise StripeRejected(f"{path}/{object_id}", status=403, extensions={})


@dataclass
class Answering(Stripe):
    answer: StripeObject = field(default_factory=dict)

    async def send(self, request: ChangeRequest) -> Sent:  # noqa: ARG002 - the protocol's name
        return Sent(self.answer)


class Losing(Items):
    async def claim(self, credential: Credential, item: PrimaryKey, customer_id: str) -> bool:
        await super().claim(credential, item, customer_id)
        raise DOWN


@dataclass
class Leaving(Items):
    """Make Directus unreachable from the claim on; the claim itself is applied if `claimed`."""

    claimed: bool = False

    async def claim(self, credential: Credential, item: PrimaryKey, customer_id: str) -> bool:
        made = self.claimed and await super().claim(credential, item, customer_id)
        self.failing = {"customer_id": DOWN}
        if not made:
            raise DOWN
        return True
