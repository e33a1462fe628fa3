"""Pages that go on from a cursor: the same as from the top, for fewer objects and no more calls than one."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.customers import CustomerLists
from sidecar.clients.lists.starts import Starts
from sidecar.core.interfaces import Choice
from sidecar.core.operations.list_query import ListQuery, Span
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import InvalidQuery, StripeUnavailable
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.customers_at_stripe import Payments, Stripe, Unknown, own_list, payments_of

PATH = "/v1/payment_intents"
OWNED = st.dictionaries(
    st.sampled_from(["cus_a", "cus_b", "cus_c", "cus_d"]), st.lists(st.integers(0, 6), max_size=12), min_size=1
)


def lists(stripe: Stripe, starts: Starts, *own: str, attribute: str = "customer") -> CustomerLists:
    return CustomerLists(stripe, Choice(attribute, own), Unknown(), starts=starts)


def names(page: Page) -> list[str]:
    return [str(entry.id) for entry in page.listed]


@settings(max_examples=150, deadline=None)
@given(OWNED, st.integers(1, 5), st.booleans(), st.data())
def test_page_after_page(owned: dict[str, list[int]], limit: int, known: bool, data: st.DataObject) -> None:  # noqa: FBT001 - whether the cursor is remembered
    """R3: Each page begins exactly where the one before ended, whatever is added, deleted or equally old meanwhile."""

    @in_virtual_time
    async def test() -> None:
        payments = payments_of(owned)
        stripe = Stripe(payments)
        starts = Starts(stripe)
        page = await lists(stripe, starts, *owned).page(PATH, {}, ListQuery(limit=limit))
        assert names(page) == own_list(payments)[:limit]
        for number in range(20):
            if not page.more:
                break
            cursor = names(page)[-1]
            _change(payments, number, data)
            now, present = own_list(payments), starts if known else Starts(stripe)
            query = ListQuery(limit=limit, starting_after=cursor)
            if cursor not in now:
                with pytest.raises(InvalidQuery):
                    await lists(stripe, present, *owned).page(PATH, {}, query)
                break
            stripe.asked.clear()
            page = await lists(stripe, present, *owned).page(PATH, {}, query)
            start = now.index(cursor) + 1
            assert (names(page), page.more) == (now[start : start + limit], len(now) > start + limit)
            assert len(stripe.asked) == len(owned) + (not known)

    test()


def _change(payments: Payments, number: int, data: st.DataObject) -> None:
    """Delete one object, and add one of any age."""
    customer = data.draw(st.sampled_from(sorted(payments)))
    entries = payments[customer]
    deletes, adds = data.draw(st.tuples(st.booleans(), st.booleans()))
    if entries and deletes:
        del entries[data.draw(st.integers(0, len(entries) - 1))]
    if adds:
        moment = data.draw(st.integers(0, 6))
        place = sum(int(str(entry["created"])) > moment for entry in entries)
        entries.insert(place, {"id": f"pi_new_{number}", "created": moment, "customer": customer})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.integers(1, 5), st.data())
def test_page_before_page(moments: list[int], limit: int, data: st.DataObject) -> None:
    """A page before a cursor of one customer's list costs one call, and one more where the cursor is not known."""
    payments = payments_of({"cus_a": moments})
    known = own_list(payments)
    place = data.draw(st.integers(0, len(known) - 1))

    @in_virtual_time
    async def test() -> None:
        stripe = Stripe(payments)

        page = await lists(stripe, Starts(stripe), "cus_a").page(PATH, {}, ListQuery(limit, ending_before=known[place]))

        assert (names(page), page.more) == (known[max(0, place - limit) : place], place > limit)
        assert stripe.asked == [known[place], "cus_a"]

    test()


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
@pytest.mark.parametrize("own", [("cus_a",), ("cus_a", "cus_b")])
@in_virtual_time
async def test_a_foreign_cursor_tells_nothing(name: str, own: tuple[str, ...]) -> None:
    """R3: A foreign cursor and one that does not exist have the same answer after the same calls, remembered or not."""
    stripe = Stripe(payments_of({"cus_a": [1], "cus_b": [2], "cus_x": [3, 2, 1]}))
    starts = Starts(stripe)
    await lists(stripe, starts, "cus_x").page(PATH, {}, ListQuery(limit=2))  # its owner's page ended at the second
    found = []

    for cursor in ("pi_cus_x_1", "pi_cus_x_2", "pi_absent"):
        stripe.asked.clear()
        query = ListQuery(5, cursor if name == "starting_after" else None, cursor if name == "ending_before" else None)
        with pytest.raises(InvalidQuery) as refused:
            await lists(stripe, starts, *own).page(PATH, {}, query)
        found.append((str(refused.value), [cursor if one.startswith("pi_") else one for one in stripe.asked]))

    assert {message for message, _ in found} == {str(refused.value)}
    assert len({len(asked) for _, asked in found}) == 1


@in_virtual_time
async def test_a_cursor_outside_the_span() -> None:
    """A cursor that is not in the span that is asked for is no object of the list, also where it is remembered."""
    stripe = Stripe(payments_of({"cus_a": [5, 4, 3], "cus_b": [4]}))
    scoped = lists(stripe, Starts(stripe), "cus_a", "cus_b")
    await scoped.page(PATH, {}, ListQuery(limit=1))

    with pytest.raises(InvalidQuery):
        await scoped.page(PATH, {}, ListQuery(limit=1, starting_after="pi_cus_a_0", span=Span(None, 5)))


@in_virtual_time
async def test_an_object_that_got_another_customer() -> None:
    """R2: What is remembered of a cursor does not count against Stripe: the list of its former owner refuses it."""
    payments = payments_of({"cus_a": [5, 4], "cus_b": [3]})
    stripe = Stripe(payments)
    starts = Starts(stripe)
    await lists(stripe, starts, "cus_a").page(PATH, {}, ListQuery(limit=1))
    moved: StripeObject = {**payments["cus_a"].pop(0), "customer": "cus_b"}
    payments["cus_b"].insert(0, moved)
    query = ListQuery(limit=1, starting_after="pi_cus_a_0")

    with pytest.raises(InvalidQuery):
        await lists(stripe, starts, "cus_a").page(PATH, {}, query)
    page = await lists(stripe, starts, "cus_b").page(PATH, {}, query)

    assert names(page) == ["pi_cus_b_0"]


@in_virtual_time
async def test_a_list_that_gives_the_cursor_again() -> None:
    """U4: A list that does not go on after the cursor is an error, and no page."""
    payments = payments_of({"cus_a": [5, 4, 3], "cus_b": [1]})
    stripe = Stripe(payments, tamper=lambda *_: Page([*payments["cus_a"][:2]], more=True))

    with pytest.raises(StripeUnavailable):
        await lists(stripe, Starts(stripe), "cus_a").page(PATH, {}, ListQuery(limit=2, starting_after="pi_cus_a_0"))


@pytest.mark.parametrize(
    ("path", "choice"),
    [
        ("/v1/payment_intents", Choice("customer", ("cus_a",), told=False)),
        ("/v1/customers/cus_a/tax_ids", Choice("customer", ("cus_a",), in_path=True)),
        ("/v1/payment_methods", Choice("customer", ("cus_a", "cus_b"))),
    ],
    ids=["untold", "in path", "without dates"],
)
@in_virtual_time
async def test_lists_that_are_read_from_the_top(path: str, choice: Choice) -> None:
    """Where an object does not tell its list, or lists have no times to begin at, no object is retrieved."""
    stripe = InPath(payments_of({"cus_a": [5, 4, 3], "cus_b": []}))
    scoped = CustomerLists(stripe, choice, Unknown())

    page = await scoped.page(path, {}, ListQuery(limit=1, starting_after="pi_cus_a_0"))

    assert (names(page), page.more) == (["pi_cus_a_1"], True)
    assert sorted(set(stripe.asked)) == sorted(choice.values)


class InPath(Stripe):
    """Finds the customer in the path where no parameter names it."""

    async def page(self, path: str, parameters: Mapping[str, str], **urgency: Urgency) -> Page:
        return await super().page(path, {"customer": "cus_a", **parameters}, **urgency)


@in_virtual_time
async def test_objects_of_one_payment() -> None:
    """A list that another attribute chooses goes on from an object that refers to the same."""
    payments = payments_of({"cus_a": [5, 4, 3]}, payment_intent="pi_1")

    class Refunds(Stripe):
        async def page(self, path: str, parameters: Mapping[str, str], **urgency: Urgency) -> Page:
            return await super().page(path, {**parameters, "customer": "cus_a"}, **urgency)

    stripe = Refunds(payments)
    scoped = lists(stripe, Starts(stripe), "pi_1", attribute="payment_intent")

    page = await scoped.page("/v1/refunds", {}, ListQuery(limit=1, starting_after="pi_cus_a_0"))

    assert names(page) == ["pi_cus_a_1"]
    assert stripe.asked == ["pi_cus_a_0", "cus_a"]
