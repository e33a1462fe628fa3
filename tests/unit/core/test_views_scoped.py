"""What a caller with row-level access sees, and what every caller sees deep within an object."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.operations.resources import RESOURCES, Resource
from sidecar.core.views import CallerView, View, ViewByCustomer, shows_everything

MAP = FieldMap({"cus": ("id",), "name": ("name",), "more": ("details", "items", "data")})
INTENT: dict[str, object] = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 1,
    "customer": "cus_1",
    "client_secret": "s",
    "description": "private",
}
SUBSCRIPTION: dict[str, object] = {
    "id": "sub_1",
    "object": "subscription",
    "customer": "cus_1",
    "items": {
        "object": "list",
        "has_more": False,
        "url": "/v1/subscription_items",
        "data": [
            {
                "id": "si_1",
                "object": "subscription_item",
                "metadata": {"a": "b"},
                "price": {"id": "price_1", "object": "price", "unit_amount": 5, "tax_behavior": "x"},
                "quantity": 2,
            }
        ],
    },
    "latest_invoice": {
        "id": "in_1",
        "object": "invoice",
        "status": "open",
        "confirmation_secret": {"client_secret": "s", "type": "payment_intent", "other": "o"},
        "customer_email": "a@b.co",
    },
    "pending_setup_intent": {"id": "seti_1", "object": "setup_intent", "client_secret": "s", "mandate": "m"},
}
names = st.sampled_from(["client_secret", "customer", "id", "object", "details", "items", "data", "name", "balance"])
values = st.recursive(
    st.sampled_from(["cus_SECRET", "x", None, 1]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names, inner, max_size=4)
        | st.dictionaries(names, inner, max_size=4).map(lambda each: {**each, "object": "payment_intent"})
        | st.just({"object": "customer", "id": "cus_SECRET"})
    ),
)


def view(*allowed: str, secrets: bool = False, own: bool = False) -> View:
    """Give the view of a caller that may read these fields of the customers collection."""
    fields = AllowedFields(frozenset(allowed))
    return View.of(fields, MAP, customer_ids=fields.allow("cus"), secrets=secrets, own=own)


def members(value: object) -> list[tuple[str, object]]:
    """Give every name at every depth with its value."""
    if isinstance(value, dict):
        return [(name, member) for name, member in value.items()] + [
            pair for member in value.values() for pair in members(member)
        ]
    return [pair for entry in value for pair in members(entry)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("seeing", "shown"),
    [
        (view("cus", secrets=True, own=True), True),
        (view("*", secrets=True, own=True), True),
        (view("*", secrets=True), True),
        (view("cus", "name", secrets=True), False),
        (view("cus", own=True), False),
        (view("*", own=True), False),
        (View(), False),
        (ViewByCustomer({"cus_1": view("cus", secrets=True, own=True)}), True),
        (ViewByCustomer({"cus_1": view("cus", own=True)}), False),
        (ViewByCustomer({"cus_2": view("*", secrets=True, own=True)}), False),
        (ViewByCustomer({}), False),
    ],
)
def test_who_sees_a_secret(seeing: CallerView, *, shown: bool) -> None:
    """With the operator's consent a caller with all fields sees it, and a scoped caller in its own objects."""
    assert ("client_secret" in seeing.project(INTENT)) is shown


def test_a_secret_alone_is_added() -> None:
    """With the operator's consent to secrets a caller sees no other attribute that is not mapped."""
    own, without = view("cus", secrets=True, own=True).project(INTENT), view("cus").project(INTENT)

    assert {**without, "client_secret": "s"} == own
    assert "description" not in own


def test_an_object_of_another_customer_shows_least() -> None:
    """If an object of another customer ever gets this far, it shows its base alone, without the customer."""
    seeing = ViewByCustomer({"cus_1": view("*", secrets=True, own=True)})

    assert seeing.project(INTENT) == INTENT
    assert seeing.project({**INTENT, "customer": "cus_2"}) == {"id": "pi_1", "object": "payment_intent", "amount": 1}
    assert seeing.project({"object": "customer", "id": "cus_2", "name": "x"}) == {"object": "customer"}


def test_each_customer_is_seen_as_its_row_says() -> None:
    """For each of two customers the caller sees what that customer's row shows."""
    seeing = ViewByCustomer({"cus_1": view("cus"), "cus_2": view("cus", "name")})
    one, two = (dict[str, object](object="customer", id=each, name="x") for each in ("cus_1", "cus_2"))

    assert [{"object": "customer", "id": "cus_1"}, two] == [seeing.project(one), seeing.project(two)]


@pytest.mark.parametrize(
    ("views", "shown"),
    [
        ([], False),
        ([view("name")], False),
        ([view("cus"), view("name")], False),
        ([view("cus"), view("*")], True),
    ],
)
def test_who_sees_every_customers_id(views: list[View], *, shown: bool) -> None:
    """A caller sees the IDs of customers in general only if it sees the ID of each one of its own."""
    assert ViewByCustomer({f"cus_{number}": each for number, each in enumerate(views)}).customer_ids is shown


def test_only_one_view_for_all_shows_everything() -> None:
    """A caller that sees all of each of its customers still gets no page without a look at each object."""
    whole = view("*", secrets=True, own=True)

    assert shows_everything(whole)
    assert not shows_everything(view("cus", "name"))
    assert not shows_everything(ViewByCustomer({"cus_1": whole, "cus_2": whole}))


def test_lists_within_an_object_are_reduced() -> None:
    """A subscription's items show their base, and the prices in them show theirs."""
    assert view("name").project(SUBSCRIPTION) == {
        "id": "sub_1",
        "object": "subscription",
        "items": {
            "object": "list",
            "has_more": False,
            "data": [
                {
                    "id": "si_1",
                    "object": "subscription_item",
                    "price": {"id": "price_1", "object": "price", "unit_amount": 5},
                    "quantity": 2,
                }
            ],
        },
        "latest_invoice": {"id": "in_1", "object": "invoice", "status": "open"},
        "pending_setup_intent": {"id": "seti_1", "object": "setup_intent"},
    }


def test_the_owner_sees_the_secrets_of_each_kind() -> None:
    """With the operator's consent the owner sees what each object within its own declares as secret, and no more."""
    seen = view("name", secrets=True, own=True).project(SUBSCRIPTION)

    secret = {"client_secret": "s", "type": "payment_intent"}
    assert seen["latest_invoice"] == {
        "id": "in_1",
        "object": "invoice",
        "status": "open",
        "confirmation_secret": secret,
    }
    assert seen["pending_setup_intent"] == {"id": "seti_1", "object": "setup_intent", "client_secret": "s"}


def test_what_is_next_is_the_owners() -> None:
    """With the operator's consent the owner of a payment sees what its page does next, with the secret in it."""
    action = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"stripe_js": "https://x.example/?client_secret=pi_1_secret_x"},
    }
    waiting: dict[str, object] = {**INTENT, "next_action": action}

    assert view("cus", secrets=True, own=True).project(waiting)["next_action"] == action
    for other in (view("cus", own=True), view("cus", secrets=True), View(made=True, secrets=True)):
        assert "next_action" not in other.project(waiting)
    assert view("*").project(waiting)["next_action"] == {"type": "use_stripe_sdk"}


KEY: dict[str, object] = {
    "id": "ephkey_1",
    "object": "ephemeral_key",
    "associated_objects": [{"type": "customer", "id": "cus_1"}],
    "secret": "ek_test_abc",
}


@pytest.mark.parametrize("owner", [View(own=True), View(everything=True, customer_ids=True)])
def test_a_key_is_for_who_asked_for_one(owner: View) -> None:
    """An ephemeral key's secret is shown where the operation makes one, and the operator exposes secrets."""
    shown = replace(owner, secrets=True, key_of="ephemeral_key")

    assert shown.project(KEY)["secret"] == "ek_test_abc"
    assert ViewByCustomer({"cus_1": shown}).project(KEY)["secret"] == "ek_test_abc"
    for other in (
        replace(shown, secrets=False),
        replace(shown, key_of=None),
        replace(shown, key_of="customer_session"),
        replace(shown, own=False, everything=False, made=True),
    ):
        assert "ek_test_abc" not in str(other.project(KEY))
    assert "ek_test_abc" not in str(shown.project({"object": "list", "data": [KEY], "metadata": KEY}))
    assert "ek_test_abc" not in str(shown.project({"object": "customer", "id": "cus_1", "secret": "ek_test_abc"}))


def test_an_object_within_a_plain_value_is_reduced() -> None:
    """A mapped attribute is shown whole, but the same fields apply to an object of Stripe within it."""
    charge = {"id": "ch_1", "object": "charge", "amount": 1, "receipt_email": "a@b.co", "customer": "cus_1"}
    value: dict[str, object] = {
        "object": "x",
        "details": {"note": "n", "charges": [charge], "customer": "cus_1", "client_secret": "s"},
    }

    assert view("more").project(value)["details"] == {
        "note": "n",
        "charges": [{"id": "ch_1", "object": "charge", "amount": 1}],
    }


@given(value=st.dictionaries(names, values), allowed=st.sets(st.sampled_from(["name", "more"])), secrets=st.booleans())
def test_no_customers_id_at_any_depth(value: dict[str, object], allowed: set[str], *, secrets: bool) -> None:
    """Without the ID field nothing shows the customer of an object, whatever the object's shape and the fields."""
    seen = members(view(*allowed, secrets=secrets).project(value))

    assert "customer" not in {name for name, _ in seen}
    assert "client_secret" not in {name for name, _ in seen}
    customers = [each for _, each in seen if isinstance(each, dict) and each.get("object") == "customer"]
    assert not any("id" in each for each in customers)


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_the_base_of_every_kind(resource: Resource) -> None:
    """With a field list that maps to nothing a caller sees the base of each kind without the customer."""
    whole: dict[str, object] = dict.fromkeys(resource.base, 1) | {"object": resource.kind, "email": "a@b.co"}
    hidden = {"id"} if resource.kind == "customer" else {"customer"}

    assert resource.base - hidden == set(view("unmapped").project(whole))
    assert resource.base == set(view("cus").project(whole))


def test_another_collections_star_is_not_the_customers() -> None:
    """A caller that may read all of another collection sees no customer's ID without permission for that field."""
    everything = AllowedFields(frozenset({"*"}))
    seeing = View.of(everything, FieldMap({}), customer_ids=False, secrets=True)

    assert {"id", "object", "amount"} == set(seeing.project(INTENT))
