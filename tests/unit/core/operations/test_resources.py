"""The shape of IDs, and the owner of an object."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.operations.resource import PREFIXES
from sidecar.core.operations.resources import (
    CHECKOUT_SESSION,
    CUSTOMER,
    PAYMENT_INTENT,
    RESOURCES,
    Resource,
    address,
    customer_of,
    identity_of,
    is_customer_id,
    reference,
)

every_kind = pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
PREFIXED = {kind: resource for kind, resource in RESOURCES.items() if resource.prefixes}
prefixed_kinds = pytest.mark.parametrize("resource", PREFIXED.values(), ids=PREFIXED)


@every_kind
def test_ids_of_a_kind(resource: Resource) -> None:
    """A prefix of the kind followed by letters and digits is an ID; a prefix of another kind is not.

    Objects without an ID have none that would be accepted.
    """
    assert all(resource.is_id(f"{prefix}_a1B2") for prefix in resource.prefixes)
    assert resource.is_id(resource.example) == (resource.identity == "id")
    foreign = [prefix for other in RESOURCES.values() if other is not resource for prefix in other.prefixes]
    assert not any(resource.is_id(f"{prefix}_a1B2") for prefix in foreign)


@every_kind
@pytest.mark.parametrize(
    "chosen",
    [
        *("plan_a1B2", "gold-monthly", "pro.monthly", "meet_in_person", "card_gold_2", "T_Shirt", "1"),
        *("Pro plan $699", "Professional+", "735*$", "gold:2024,eu", "a@b", "1" * 250),
    ],
)
def test_ids_of_the_accounts_own(resource: Resource, chosen: str) -> None:
    """Only products, coupons, and prices that were plans, may have IDs that the account chose."""
    assert resource.is_id(chosen) == (resource.kind in {"product", "coupon", "price"})
    assert not resource.is_id("search")
    assert not any(
        map(resource.is_id, [".", "..", ".pro", "pro/month", "pro\\month", "5%", "pro?", "#1", "pro ", " pro"])
    )


@prefixed_kinds
@pytest.mark.parametrize(
    "suffix", ["", "1\n", "1/..", "1?x", "1#x", "1%2e", "1;x", "é", "\uff11", "1 ", "1_secret_2", "1" * 251, "\x00"]
)
def test_texts_that_are_no_id(resource: Resource, suffix: str) -> None:
    """Only letters and digits after the prefix, at least one and at most 250, make an ID."""
    if not (resource.free and suffix in {"", "1_secret_2"}):
        assert not resource.is_id(f"{resource.prefixes[0]}_{suffix}")
    assert not resource.is_id(f" {resource.example}")


@given(
    st.text()
    | st.text("aZ09 _.-/\\%?#+$")
    | st.from_regex(r"[a-z]{2,5}_[A-Za-z0-9]+")
    | st.integers()
    | st.none()
    | st.lists(st.just("cus_1"))
)
def test_an_id_is_one_segment_of_an_address(value: object) -> None:
    """An accepted ID cannot change the structure of a URL, even where it was decoded on the way."""
    for resource in RESOURCES.values():
        if resource.is_id(value):
            written = address(resource.path, str(value))
            assert unquote(written) == f"{resource.path}/{value}"
            assert not set(str(value)) & set("/\\%?#&=;")
            assert not str(value).startswith(".")
            assert resource.free or unquote(written) == written


def test_variables_fit_a_path() -> None:
    """A kind's variable is a valid name in a route, and no two kinds share one."""
    variables = [resource.variable for resource in RESOURCES.values()]

    assert CHECKOUT_SESSION.variable == "checkout_session_id"
    assert len(set(variables)) == len(variables)
    assert all(variable.isidentifier() for variable in variables)


def test_prefixes_are_one_kinds() -> None:
    """No prefix belongs to two kinds, so an ID tells its kind."""
    prefixes = [prefix for resource in RESOURCES.values() for prefix in resource.prefixes]

    assert len(set(prefixes)) == len(prefixes)
    assert set(prefixes) == PREFIXES


@every_kind
def test_no_secret_is_visible_by_default(resource: Resource) -> None:
    """The base of a kind has its ID and kind, and nothing that only the customer may know."""
    personal = {
        "client_secret",
        "secret",
        "next_action",
        "confirmation_secret",
        "email",
        "customer_email",
        "customer_details",
        "billing_details",
        "phone",
        "name",
    }
    named = {"name"} if resource.kind in {"product", "coupon"} else set()  # chosen by the shop, not by a customer

    assert {resource.identity or "object", "object"} <= resource.base
    assert personal & resource.base == named


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        ({"object": "customer", "id": "cus_1"}, "cus_1"),
        ({"object": "customer", "id": "cus_1", "deleted": True}, "cus_1"),
        ({"object": "customer", "id": "cus_1", "customer": "cus_2"}, "cus_1"),
        ({"object": "charge", "customer": "cus_1"}, "cus_1"),
        ({"object": "billing.meter_event", "payload": {"stripe_customer_id": "cus_1"}}, "cus_1"),
        ({"object": "billing.meter_event", "customer": "cus_1", "payload": {}}, None),
        ({"object": "billing.meter_event", "payload": "cus_1"}, None),
        ({"object": "entitlements.active_entitlement", "id": "ent_1", "customer": "cus_1"}, None),
        ({"object": "charge", "customer": {"id": "cus_1", "object": "customer"}}, "cus_1"),
        ({"object": "charge", "customer": {"object": "customer"}}, None),
        ({"object": "charge", "customer": {"id": ["cus_1"]}}, None),
        ({"object": "charge", "customer": ["cus_1"]}, None),
        ({"object": "charge", "customer": None}, None),
        ({"object": "charge", "id": "cus_1"}, None),
        ({"object": {"object": "customer"}, "id": "cus_1"}, None),
        ({"object": "customer", "id": 1}, None),
        ({"object": "ephemeral_key", "associated_objects": [{"type": "customer", "id": "cus_1"}]}, "cus_1"),
        ({"object": "ephemeral_key", "associated_objects": [{"type": "issuing.card", "id": "ic_1"}]}, None),
        ({"object": "ephemeral_key", "associated_objects": ["cus_1"]}, None),
        ({"object": "ephemeral_key", "associated_objects": {"customer": {"id": "cus_1"}}}, None),
        ({"object": "ephemeral_key"}, None),
        ({"object": "charge", "associated_objects": [{"type": "customer", "id": "cus_1"}]}, None),
        ({}, None),
    ],
)
def test_the_owner_of_an_object(value: dict[str, object], owner: str | None) -> None:
    """A customer belongs to itself; any other object to the customer in its place, an ID or an object, or to none."""
    assert owner == customer_of(value)


@pytest.mark.parametrize(
    ("found", "expected"),
    [("pi_1", "pi_1"), ({"id": "pi_1"}, "pi_1"), ({}, None), (None, None), (1, None), ([], None), ({"id": {}}, None)],
)
def test_references_of_an_object(found: object, expected: str | None) -> None:
    """A reference is an ID or the object itself; any other value is no reference."""
    assert expected == reference({"payment_intent": found}, "payment_intent")
    assert reference({}, "payment_intent") is None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"object": "charge", "id": "ch_1"}, "ch_1"),
        ({"object": "billing.meter_event", "identifier": "call-1"}, "call-1"),
        ({"object": "billing.meter_event", "id": "ch_1"}, None),
        ({"object": "unheard_of", "id": "x_1"}, "x_1"),
        ({"object": "charge", "id": 1}, None),
        ({}, None),
    ],
)
def test_what_names_an_object(value: dict[str, object], name: str | None) -> None:
    """An object has its ID as its name; a meter event, which has none, has its identifier."""
    assert name == identity_of(value)


def test_a_customers_id() -> None:
    """A value in a row of Directus is sent to Stripe only if it has the shape of a customer's ID."""
    assert is_customer_id("cus_NffrFeUfNV2Hib")
    assert not any(map(is_customer_id, [None, "", "cus_", 7, PAYMENT_INTENT.example, "cus_1/../2", CUSTOMER]))
