"""Which item gets which customer by an e-mail address: one of each, or nobody."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.flows.matching import (
    Ambiguous,
    Claim,
    Left,
    Match,
    Matching,
    Pair,
    Why,
    address_of,
    claim_of,
    hindrance,
)

SECRET = "of-the-unit-tests-and-32-bytes-long"
LINKS = ItemLinks("shop", "clients", (SECRET,))
ADA = "ada@example.com"
Side = Sequence[tuple[str, object]]


def matched(items: Side, customers: Side, linked: Side = (), claims: dict[str, Claim] | None = None) -> list[Match]:
    """Match items and customers, each with its address; the customer of a linked item is `cus_of_` its key."""
    matching = Matching()
    for item, email in items:
        matching.add_item(item, email)
    for customer, email in customers:
        matching.add_customer(customer, email, (claims or {}).get(customer))
    for item, email in linked:
        matching.add_linked(item, email, f"cus_of_{item}")
    return list(matching.matches())


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (" Ada@Example.com\n", ADA),
        ("ADA@EXAMPLE.COM", ADA),
        ("\u212ada@example.com", "\u212ada@example.com"),  # the sign of Kelvin, which is a small k in lower case
        ("STRASSE@example.com", "strasse@example.com"),
        ("stra\u00dfe@example.com", "stra\u00dfe@example.com"),
        ("", None),
        ("  ", None),
        ("n/a", None),
        (None, None),
        (7, None),
        ({"email": ADA}, None),
    ],
)
def test_an_address(value: object, address: str | None) -> None:
    """W7: Spaces around it and the case of ASCII letters do not count; no other letter turns into one of these."""
    assert address_of(value) == address


def test_one_of_each() -> None:
    """An item and a customer that alone have an address are a pair."""
    assert matched([("1", " Ada@example.com ")], [("cus_a", "ada@EXAMPLE.com"), ("cus_b", "b@example.com")]) == [
        Pair("1", "cus_a", ADA)
    ]


@pytest.mark.parametrize(
    ("items", "customers", "linked"),
    [
        ([("1", ADA), ("2", ADA)], [("cus_a", ADA)], []),
        ([("1", ADA)], [("cus_a", ADA), ("cus_b", ADA)], []),
        ([("1", ADA)], [("cus_a", ADA)], [("2", ADA)]),
    ],
    ids=["items", "customers", "an item with a customer"],
)
def test_several_are_ambiguous(items: Side, customers: Side, linked: Side) -> None:
    """Where several items or several customers have an address, a person decides."""
    everybody = tuple(item for item, _ in (*items, *linked))
    assert matched(items, customers, linked) == [Ambiguous(ADA, everybody, tuple(one for one, _ in customers))]


def test_nobody_has_the_address() -> None:
    """An item without an address, or with one that no customer has, is left without anything to decide."""
    found = matched([("1", ADA), ("2", ADA), ("3", None)], [("cus_b", "b@example.com"), ("cus_c", None)])

    assert found == [
        Left("1", Why.NO_CUSTOMER, by=ADA),
        Left("2", Why.NO_CUSTOMER, by=ADA),
        Left("3", Why.NO_ADDRESS),
    ]
    assert all(isinstance(left, Left) and left.harmless for left in found)


def test_a_customer_of_another_item() -> None:
    """A customer that an item has already is not given to a second one, whatever addresses the two have."""
    [left] = matched([("1", ADA)], [("cus_of_2", ADA)], [("2", "other@example.com")])

    assert left == Left("1", Why.TAKEN, "cus_of_2", ADA)
    assert not left.harmless


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        (None, None),
        ({}, None),
        ({"order": "7"}, None),
        (LINKS.metadata("1"), None),
        (LINKS.metadata("2"), Why.OTHER_ITEM),
        (ItemLinks("shop", "clients", ("another-secret-of-thirty-two-bytes",)).metadata("1"), Why.UNSIGNED),
        (ItemLinks("other", "clients", (SECRET,)).metadata("1"), Why.FOREIGN),
        (ItemLinks("shop", "others", (SECRET,)).metadata("1"), Why.FOREIGN),
        ({"directus_item": "1"}, Why.FOREIGN),
    ],
)
def test_what_metadata_claim(metadata: object, why: Why | None) -> None:
    """O3: A customer that names another item, project or collection, or without our signature, is nobody else's."""
    assert hindrance(claim_of(LINKS, metadata), "1") == why


@pytest.mark.parametrize(("owners", "why"), [(["1"], Why.DONE), (["2"], Why.TAKEN), (["1", "2"], Why.TAKEN)])
def test_a_customer_that_got_an_item_meanwhile(owners: list[str], why: Why) -> None:
    """What another run links while this one reads is done; only another item's customer is taken."""
    matching = Matching()
    matching.add_item("1", ADA)
    matching.add_customer("cus_1", ADA, None)
    for owner in owners:
        matching.add_linked(owner, None if owner == "2" else ADA, "cus_1")

    assert list(matching.matches()) == [Left("1", why, "cus_1", ADA)]


def test_an_item_with_a_key_like_a_reason() -> None:
    """A reason is never taken for the key of an item, even of one that is called like it."""
    assert hindrance(Why.FOREIGN, str(Why.FOREIGN)) == Why.FOREIGN


EMAILS = st.sampled_from(["a@x", " A@x", "b@x", "B@X ", "c@x", "\u212a@x", "k@x", "", None, 5])
MANY = st.lists(EMAILS, max_size=8)


def named(prefix: str, emails: Sequence[object]) -> list[tuple[str, object]]:
    return [(f"{prefix}{number}", email) for number, email in enumerate(emails)]


@given(items=MANY, customers=MANY, linked=MANY)
def test_a_pair_is_alone(items: list[object], customers: list[object], linked: list[object]) -> None:
    """W7: Whoever is there, a pair alone has its address on both sides, and no item or customer is in two pairs."""
    there, theirs = named("i", items), named("cus_", customers)

    found = matched(there, theirs, named("l", linked))

    pairs = [match for match in found if isinstance(match, Pair)]
    on_items = Counter(address_of(email) for _, email in (*there, *named("l", linked)))
    on_customers = Counter(address_of(email) for _, email in theirs)
    assert all(on_items[pair.by] == on_customers[pair.by] == 1 for pair in pairs)
    assert all(address_of(dict(there)[pair.item]) == pair.by for pair in pairs)
    assert all(address_of(dict(theirs)[pair.customer]) == pair.by for pair in pairs)
    assert len({pair.item for pair in pairs}) == len({pair.customer for pair in pairs}) == len(pairs)


@given(items=MANY, customers=MANY, linked=MANY, data=st.data())
def test_every_item_is_told_of_once(
    items: list[object], customers: list[object], linked: list[object], data: st.DataObject
) -> None:
    """Each item without a customer is in exactly one line, and the order in which they are read changes no line."""
    there, theirs = named("i", items), named("cus_", customers)

    found = matched(there, theirs, named("l", linked))

    told = [
        item
        for match in found
        for item in (match.items if isinstance(match, Ambiguous) else (match.item,))
        if item.startswith("i")
    ]
    shuffled = matched(data.draw(st.permutations(there)), data.draw(st.permutations(theirs)), named("l", linked))
    assert sorted(told) == sorted(item for item, _ in there)
    assert {match for match in shuffled if isinstance(match, Pair)} == {m for m in found if isinstance(m, Pair)}
