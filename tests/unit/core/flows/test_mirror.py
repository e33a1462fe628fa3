"""Which fields repeat what of a customer, when they need no writing, and which events can change that."""

import pytest

from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.events import FOLLOWED
from sidecar.core.flows.mirror import Mirror, Wanted
from sidecar.core.operations.event_types import EVENT_TYPES
from sidecar.core.status.snapshot import Snapshot
from sidecar.core.status.sources import SOURCES, Origin
from tests.doubles.collections import CUSTOMERS, named
from tests.unit.core.flows.follower_world import MIRROR


@pytest.mark.parametrize(
    ("stored", "said", "same"),
    [
        ("Ada", "Ada", True),
        ("Ada", "ada", False),
        (None, None, True),
        ("", None, False),
        ({"city": "x", "line2": None}, {"city": "x", "state": None}, True),
        ({"a": {"b": None, "c": 1}}, {"a": {"c": 1}}, True),
        ({"city": "x"}, {"city": "y"}, False),
        ({"city": "x", "line1": "l"}, {"city": "x"}, False),
        ('{"city": "x", "line2": null}', {"city": "x"}, True),
        ('{"city": "x"}', {"city": "y"}, False),
        ("x street", {"city": "x"}, False),
        ('["en", "de"]', ["en", "de"], True),
        (["en"], ["de"], False),
        (None, {"city": "x"}, False),
        ({"city": "x"}, None, False),
    ],
)
def test_when_values_are_the_same(stored: object, said: object, *, same: bool) -> None:
    """An address is equal however Directus stores it, so it is not written again and again."""
    assert (MIRROR.lacking(Wanted({"where": said}), {"where": stored}, {}) == {}) is same


def test_text_nested_too_deeply_is_no_address() -> None:
    """A text field whose JSON no parser can follow is a value that differs, and no fault of ours."""
    assert MIRROR.lacking(Wanted({"where": {"city": "X"}}), {"where": "[" * 1_000_000}, {}) == {"where": {"city": "X"}}


def test_which_fields_repeat_what() -> None:
    """Each attribute goes to the first field mapped to it, and each field takes the first attribute that exists."""
    field_map = FieldMap(
        {"cus": ("id",), "a": ("phone", "email"), "b": ("email",), "c": ("name", "id"), "d": ("name",)}
    )
    mirror = Mirror.of(field_map, CUSTOMERS)

    assert mirror.fields == {"a": ("phone", "email"), "c": ("name",)}
    assert mirror.wanted(Snapshot({"email": "e", "name": "n"}), {}) == Wanted({"a": "e", "c": "n"})
    assert mirror.wanted(Snapshot({"phone": None, "email": "e"}), {}) == Wanted({"a": None})
    assert mirror.wanted(Snapshot({"deleted": True, "email": "e"}), {}) == Wanted({}, linked=False)


@pytest.mark.parametrize("attribute", ["id", "object", "metadata", "client_secret"])
def test_attributes_that_are_never_copied(attribute: str) -> None:
    """R2: No ID, no metadata and no secret is written into an item, whatever the map says."""
    field_map = FieldMap({"cus": (attribute,), "copy": (attribute,)})

    assert Mirror.of(field_map, CUSTOMERS).fields == {}


@pytest.mark.parametrize("text", ["pi_1_secret_x", "see pi_1%5Fsecret%5Fx", "sk_live_x", "a=b&client_secret=x"])
def test_values_with_a_secret_are_not_copied(text: str) -> None:
    """O4: a value in which a secret stands is not written into an item; the field stays as it is."""
    mirror = Mirror.of(FieldMap({"cus": ("id",), "note": ("description",), "place": ("address",)}), CUSTOMERS)

    said = Snapshot({"description": text, "address": {"line1": text, "city": "Rome"}})
    assert mirror.wanted(said, {}).values == {"place": {"city": "Rome"}}


def test_key_and_id_field_are_not_repeated() -> None:
    """Neither the primary key nor the ID field can be mapped to a name or an address."""
    field_map = FieldMap({"cus": ("name",), "id": ("email",)})

    assert Mirror.of(field_map, CUSTOMERS).fields == {}


def test_stripe_does_not_decide_who_may_sign_in() -> None:
    """A change of a customer's e-mail address at Stripe does not change the owner of a user's login."""
    login = [
        "email",
        "password",
        "role",
        "status",
        "token",
        "policies",
        "provider",
        "external_identifier",
        "tfa_secret",
    ]
    field_map = FieldMap({**{name: (f"{name}_at_stripe",) for name in login}, "first_name": ("name",)})

    assert Mirror.of(field_map, named("directus_users")).fields == {"first_name": ("name",)}
    assert set(Mirror.of(field_map, named("people")).fields) == {*login, "first_name"}


def sourced(**named: str) -> Mirror:
    return Mirror.of(FieldMap({"name": ("name",)}), CUSTOMERS, {name: SOURCES[path] for name, path in named.items()})


@pytest.mark.parametrize(
    ("path", "some"),
    [
        ("subscription.status", {"customer.subscription.deleted", "customer.subscription.paused"}),
        ("entitlements", {"entitlements.active_entitlement_summary.updated"}),
        ("default_payment_method.card.last4", {"payment_method.detached", "customer.subscription.updated"}),
    ],
)
def test_what_is_followed(path: str, some: set[str]) -> None:
    """Every event that can change what is repeated is a reason to look, and no other; all are types of Stripe's."""
    mirror = sourced(state=path)

    assert mirror.follows >= FOLLOWED | some
    assert mirror.follows <= EVENT_TYPES
    assert "customer.subscription.trial_will_end" not in mirror.follows
    assert sourced().follows == FOLLOWED


def test_what_belongs_alone() -> None:
    """`reconcile` repairs what belongs to customers, and neither their names nor the link of a deleted one."""
    mirror = sourced(state="subscription.status").of_belongings

    assert (mirror.names, mirror.origins) == (("state",), frozenset({Origin.SUBSCRIPTION}))
    assert mirror.wanted(Snapshot({"deleted": True}), {}) == Wanted({"state": None})
    assert mirror.wanted(Snapshot({"name": "Ada"}), {}) == Wanted({"state": None})


@pytest.mark.parametrize("field", ["id", "cus", "status", "password"])
def test_fields_that_never_repeat_anything(field: str) -> None:
    """No status goes into a key, a link or, on users, into what decides who may sign in."""
    people = named("directus_users")

    assert Mirror.of(FieldMap({}), people, {field: SOURCES["subscription.status"]}).sources == {}
