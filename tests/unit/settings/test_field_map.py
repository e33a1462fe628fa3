"""STRIPE_FIELD_MAP: what belongs to a customer is told from its attributes, and mistakes are found at the start."""

import json

import pytest

from sidecar.core.access.permissions import EVERY_FIELD, AllowedFields
from sidecar.core.status.sources import SOURCES
from sidecar.settings import Settings, SettingsFault, load
from tests.unit.settings.test_model import REQUIRED
from tests.unit.settings.variables import set_only

EVENTS = {"STRIPE_WEBHOOK_SECRET": "whsec_of_the_tests_0123456789", "DIRECTUS_SERVICE_TOKEN": "a-token"}
EXAMPLE = {
    "name": "name",
    "status": "subscription.status",
    "plan": "subscription.price.lookup_key",
    "until": "subscription.current_period_end",
    "rights": "entitlements",
    "card": "default_payment_method.card.last4",
}


def loaded(monkeypatch: pytest.MonkeyPatch, field_map: object, **more: str) -> Settings:
    set_only(monkeypatch, {**REQUIRED, **EVENTS, "STRIPE_FIELD_MAP": json.dumps(field_map), **more})
    return load(Settings)


def test_the_two_kinds_are_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs to a customer is no attribute: it shows nothing of Stripe's, and nobody sets it."""
    settings = loaded(monkeypatch, EXAMPLE)

    assert settings.field_map.attributes == {"stripe_customer_id": ("id",), "name": ("name",)}
    assert settings.field_map.visible(EVERY_FIELD) == {"id", "name"}
    assert settings.field_map.visible(AllowedFields(frozenset({"status", "rights", "plan"}))) == frozenset()
    assert settings.field_map.item_values({"name": "Ada", "status": "active", "entitlements": ["x"]}) == {"name": "Ada"}
    assert {rule.field_map.visible(EVERY_FIELD) for rule in settings.rules} == {frozenset({"id", "name"})}
    assert settings.mirror.sources == {name: SOURCES[path] for name, path in EXAMPLE.items() if path in SOURCES}


FAULTS = [
    ({"a": "subscription.statuss"}, "a: subscription has no statuss; did you mean status?"),
    ({"a": "subscription_status"}, "a: there is no subscription_status; did you mean subscription.status?"),
    ({"a": "entitlement"}, "a: there is no entitlement; did you mean entitlements?"),
    ({"a": "default_payment_method.card.last"}, "a: default_payment_method has no card.last; did you mean card.last4?"),
    ({"a": "subscription.metadata.x"}, "a: subscription has no metadata.x; it has id, status, currency, "),
    ({"a": "subscription.price"}, "a: subscription has no price; did you mean price.id?"),
    ({"a": "charge.status"}, "there is no charge.status; beside attributes there are subscription, entitlements, "),
    ({"a": ["name", "subscription.id"]}, "a: subscription.id must be the only one that a field repeats"),
    ({"id": "subscription.id"}, "id: this field of customers never follows Stripe"),
    ({"stripe_customer_id": "subscription.id"}, "stripe_customer_id: this field of customers never follows"),
]


@pytest.mark.parametrize(("field_map", "fault"), FAULTS, ids=[str(row[0]) for row in FAULTS])
def test_mistakes(monkeypatch: pytest.MonkeyPatch, field_map: object, fault: str) -> None:
    """A name that leads nowhere is refused at the start, with the one that may be meant."""
    with pytest.raises(SettingsFault) as refused:
        loaded(monkeypatch, field_map)

    [line] = refused.value.faults
    assert line.startswith("STRIPE_FIELD_MAP: ")
    assert fault in line


def test_who_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """On users a subscription never decides who may sign in: `status` there is another field."""
    with pytest.raises(SettingsFault, match="status: this field of directus_users never follows"):
        loaded(monkeypatch, {"status": "subscription.status"}, STRIPE_CUSTOMERS_COLLECTION="directus_users")


def test_without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would stay true by chance must not decide who reads what."""
    with pytest.raises(SettingsFault, match="STRIPE_FIELD_MAP: needs STRIPE_WEBHOOK_SECRET"):
        loaded(monkeypatch, EXAMPLE, STRIPE_WEBHOOK_SECRET="")


@pytest.mark.parametrize("name", ["subscription", "default_payment_method", "anything_new"])
def test_other_attributes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A name without dots that is no source stays an attribute, as of an invoice."""
    assert loaded(monkeypatch, {"a": name}).field_map.attributes["a"] == (name,)
