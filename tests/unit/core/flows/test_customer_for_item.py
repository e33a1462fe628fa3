"""O3, W4: whose customer an item gets on a shared account, while a secret is replaced, and after a deletion."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from sidecar.core.flows.create_customer import NewCustomer, Outcome
from sidecar.core.flows.customer_for_item import create_customer_for_item
from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.operations.resources import StripeObject
from sidecar.errors import DirectusUnavailable, ItemConflict, StripeUnavailable
from tests.unit.core.flows.creations import ADA, CREATOR, DOWN, SECRET, Items, Named, Stripe, write_back

NEW = "that-replaces-the-other-one-and-32-bytes"
BOTH = (NEW, SECRET)
DAVE = {"email": "dave@example.com"}


async def create(items: Items, stripe: Stripe, *secrets: str, attributes: dict[str, str] = ADA) -> Outcome:
    back = write_back(items, secrets=secrets, stripe=stripe)
    return await create_customer_for_item(NewCustomer(attributes, 7), CREATOR, stripe, back)


async def test_two_directus_on_one_account_share_no_customer() -> None:
    """O3: item 7 of another Directus with the same name and values gets a customer of its own."""
    ours, theirs, stripe = Items({7: None}), Items({7: None}), Stripe()

    first = await create(ours, stripe, SECRET)
    second = await create(theirs, stripe, NEW)

    assert (first.created, second.created) == (True, True)
    assert (ours.rows, theirs.rows) == ({7: "cus_1"}, {7: "cus_2"})


@pytest.mark.parametrize("attributes", [ADA, DAVE], ids=["same values", "others"])
@pytest.mark.parametrize(("before", "after"), [((SECRET,), BOTH), ((SECRET, NEW), BOTH), (BOTH, (SECRET, NEW))])
async def test_a_retry_after_the_secret_was_replaced(
    before: tuple[str, ...], after: tuple[str, ...], attributes: dict[str, str]
) -> None:
    """W3: a try whose ID could not be written is completed, with no second customer, whatever secret signs by now."""
    items, stripe = Items({7: None}, failing={"claim": DOWN}), Stripe()
    first = await create(items, stripe, *before)
    items.failing.clear()

    outcome = await create(items, stripe, *after, attributes=attributes)

    assert (first.pending, outcome.pending, outcome.created, outcome.found) == (True, False, False, True)
    assert (stripe.ids, items.rows) == (["cus_1"], {7: "cus_1"})


async def test_a_retry_of_the_caller_s_own() -> None:
    """W3: without a service token the caller writes the ID of an earlier try, as it writes that of a new customer."""
    items, stripe = Items({7: None}, failing={"claim": DOWN}), Stripe()
    await create(items, stripe, SECRET)
    items.failing.clear()
    back = write_back(items, service=None, secrets=BOTH, stripe=stripe)

    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, back)

    assert items.rows == {7: "cus_1"}
    assert items.calls[-2:] == [("claim", "caller"), ("customer_id", "caller")]


async def test_a_retry_that_fails_again_stays_pending() -> None:
    """W3: while Directus does not take the ID, the caller learns it again, and no second customer is created."""
    items, stripe = Items({7: None}, failing={"claim": DOWN}), Stripe()
    await create(items, stripe, SECRET)

    items.failing["claim"] = DOWN
    silent = SilentAfterAClaim(items.rows, failing=items.failing)
    outcome = await create(silent, stripe, *BOTH)

    assert (outcome.pending, outcome.customer["id"], stripe.ids) == (True, "cus_1", ["cus_1"])


@dataclass
class SilentAfterAClaim(Items):
    """Directus fails between the first question and the last."""

    async def claim(self, *_: object) -> bool:
        self.failing["customer_id"] = DOWN
        raise DOWN


async def test_a_customer_that_another_signed_is_not_the_items() -> None:
    """O3: while a secret is replaced, too, only what one of ours signed counts."""
    items, stripe = Items({7: None}), Stripe()
    forged = {**ItemLinks("directus", "customers", ("of-somebody-else-entirely-32-bytes",)).metadata(7)}
    stripe.by_key["theirs"] = {"id": "cus_1", **ADA, "metadata": forged}

    outcome = await create(items, stripe, *BOTH)

    assert (outcome.created, items.rows) == (True, {7: "cus_2"})


async def test_several_customers_of_today_are_for_a_person_to_decide() -> None:
    """W4: where two of ours name the item, neither is chosen and no third one is created."""
    items, stripe = Items({7: None}), Stripe()
    for secret in BOTH:
        await create(Items({7: None}), stripe, secret)

    with pytest.raises(ItemConflict, match="reconcile") as conflict:
        await create(items, stripe, *BOTH)

    assert (conflict.value.extensions, conflict.value.detail) == ({"item": 7}, "cus_2, cus_1")
    assert (items.rows, len(stripe.ids)) == ({7: None}, 2)


async def test_an_item_that_is_new_has_no_earlier_try() -> None:
    """The customers of the day are not looked through for an item that this very request creates."""
    stripe = Stripe()
    back = replace(write_back(Items(), secrets=BOTH), created_lately=unlistable)

    outcome = await create_customer_for_item(NewCustomer(ADA), CREATOR, stripe, back)

    assert outcome.created


async def test_a_day_that_cannot_be_looked_through_creates_nothing() -> None:
    """W2: when unsure whether the item has a customer, none is created."""
    items, stripe = Items({7: None}), Stripe()
    back = replace(write_back(items, secrets=BOTH), created_lately=unlistable)

    with pytest.raises(StripeUnavailable):
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, back)

    assert (stripe.ids, items.rows) == ([], {7: None})


async def unlistable() -> AsyncIterator[StripeObject]:
    yield {"id": "cus_1"}
    raise StripeUnavailable("u")


@pytest.mark.parametrize(("end", "why"), [("deleted", "was deleted at Stripe"), ("wiped", "is not in this service's")])
async def test_an_item_with_a_dead_customer(end: str, why: str) -> None:
    """W4: an item whose ID is a dead customer's is a conflict that says what mends it, and nothing is created."""
    items, stripe = Items({7: "cus_old"}), Stripe()
    getattr(stripe, end).add("cus_old")

    with pytest.raises(ItemConflict, match=f"cus_old {why}.*Empty the field") as conflict:
        await create(items, stripe, SECRET)

    assert conflict.value.extensions == {"item": 7}
    assert (stripe.ids, items.rows) == ([], {7: "cus_old"})


async def test_without_a_project_nothing_is_created() -> None:
    """0 Stripe: where Directus does not say who it is, neither an item nor a customer is created."""
    items, stripe = Items({7: None}), Stripe()
    back = write_back(items, project=Named(error=DOWN))

    for item in (None, 7):
        with pytest.raises(DirectusUnavailable):
            await create_customer_for_item(NewCustomer(ADA, item), CREATOR, stripe, back)

    assert (items.created, stripe.ids) == ([], [])


@pytest.mark.parametrize(("service", "asked"), [(True, "service"), (False, "caller")])
async def test_who_asks_for_the_project(*, service: bool, asked: str) -> None:
    """The service's token asks where there is one, and the caller's otherwise."""
    project = Named("shop")
    back = write_back(Items({7: None}), project=project)
    back = back if service else replace(back, service=None)

    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe := Stripe(), back)

    assert project.asked == [asked]
    assert stripe.metadata[0]["directus_project"] == "shop"
