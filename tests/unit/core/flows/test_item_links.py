"""O3: what another Directus, or another application of the Stripe account, wrote into metadata is never believed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.derived_keys import derived_key
from sidecar.core.flows.item_links import ItemLinks, NamedItem
from tests.unit.core.flows.creations import LINKS, SECRET

OTHER_SECRET = "of-another-directus-and-32-bytes-long"
OTHERS = replace(LINKS, secrets=(OTHER_SECRET,))
BEFORE = {"directus_project": "directus", "directus_collection": "customers", "directus_item": "7"}

names = st.text(max_size=8) | st.sampled_from(["a", "a:", "1:a", "2:aa", "aa", "1"])


def test_what_we_sign_we_believe() -> None:
    """A customer whose metadata is ours names its item, whatever else stands in the metadata."""
    assert LINKS.item_of(LINKS.metadata(7)) == "7"
    assert LINKS.item_of({**LINKS.metadata(7), "more": "of others"}) == "7"


@pytest.mark.parametrize(
    "changed",
    [
        {"directus_project": "other"},
        {"directus_collection": "other"},
        {"directus_item": "8"},
        {"directus_item": 7},
        {"directus_item": None},
        {"directus_signature": ""},
        {"directus_signature": None},
        {"directus_signature": "é"},
        {"directus_signature": LINKS.metadata(8)["directus_signature"]},
        {"directus_signature": LINKS.metadata(7)["directus_signature"][:-1]},
        {"directus_signature": LINKS.metadata(7)["directus_signature"].upper()},
    ],
)
def test_a_signature_covers_every_name(changed: dict[str, object]) -> None:
    """O3: metadata of which any part was written by somebody else names no item."""
    assert LINKS.item_of({**LINKS.metadata(7), **changed}) is None


@pytest.mark.parametrize("metadata", [None, {}, [], "7", {"directus_item": "7"}, BEFORE])
def test_metadata_without_a_signature_name_none(metadata: object) -> None:
    """O3: the names alone, which anybody can write, name no item."""
    assert LINKS.item_of(metadata) is None


def test_another_directus_with_the_same_name() -> None:
    """O3: two Directus with the same project and collection neither believe each other nor share a key."""
    assert OTHERS.item_of(LINKS.metadata(1)) is None
    assert LINKS.item_of(OTHERS.metadata(1)) is None
    assert OTHERS.idempotency_key(1) != LINKS.idempotency_key(1)


def test_another_directus_with_the_same_secret() -> None:
    """O3: two Directus whose operator gave both one secret still differ by their project."""
    copied = replace(LINKS, project="other")

    assert copied.item_of(LINKS.metadata(1)) is None
    assert copied.idempotency_key(1) != LINKS.idempotency_key(1)


@pytest.mark.parametrize("secrets", [(OTHER_SECRET, SECRET), (SECRET, OTHER_SECRET)])
def test_both_secrets_are_believed_while_one_is_replaced(secrets: tuple[str, ...]) -> None:
    """The first secret signs and makes keys; whatever either of them signed is believed."""
    links = replace(LINKS, secrets=secrets)
    first = replace(LINKS, secrets=secrets[:1])

    assert {links.item_of(each.metadata(7)) for each in (LINKS, OTHERS)} == {"7"}
    assert (links.metadata(7), links.idempotency_key(7)) == (first.metadata(7), first.idempotency_key(7))
    assert (links.replacing, first.replacing) == (True, False)


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        (BEFORE, NamedItem("directus", "7", signed=False, with_signature=False)),
        ({**BEFORE, "directus_project": "other"}, NamedItem("other", "7", signed=False, with_signature=False)),
        (LINKS.metadata(7), NamedItem("directus", "7", signed=True, with_signature=True)),
        (OTHERS.metadata(7), NamedItem("directus", "7", signed=False, with_signature=True)),
        ({**BEFORE, "directus_collection": "other"}, None),
        (None, None),
    ],
)
def test_what_the_metadata_claims(metadata: object, named: NamedItem | None) -> None:
    """`check` and `reconcile --adopt` see what was claimed, and by whom it was signed."""
    assert LINKS.named(metadata) == named


@given(st.tuples(names, names, names), st.tuples(names, names, names))
def test_a_signature_is_one_to_an_item(first: tuple[str, str, str], second: tuple[str, str, str]) -> None:
    """O3: no delimiter moved from one name to the next keeps a signature."""
    signatures = [ItemLinks(p, c, (SECRET,)).metadata(item)["directus_signature"] for p, c, item in (first, second)]

    assert (signatures[0] == signatures[1]) is (first == second)


def test_metadata_fit_stripe() -> None:
    """Names have at most 40 characters and values at most 500 (docs.stripe.com/api/metadata)."""
    metadata = ItemLinks("p" * 64, "c" * 64, (SECRET,)).metadata("i" * 255)

    assert max(map(len, metadata)) <= 40
    assert max(map(len, metadata.values())) <= 500


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("metadata", "79e154803990f8f8c9329ccf74b0837043855afed460f88e7a1cfb1bf9019375"),
        ("idempotency keys", "0de28ee1882c605e8ae531d65c2c8a11e7a901a0b093aa24fa64627956b27e9d"),
    ],
)
def test_each_use_has_a_key_of_its_own(use: str, expected: str) -> None:
    """HKDF as OpenSSL computes it: kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:… -kdfopt info:… HKDF."""
    assert derived_key(SECRET, use).hex() == expected


def test_a_signature_survives_a_release() -> None:
    """A later release must believe what this one signed."""
    expected = "28019fce44c32e08c4a1dcf8e39cd0cf0a229a3a9a6b5fb064879b0f9b3dc853"

    assert LINKS.metadata(7)["directus_signature"] == expected
