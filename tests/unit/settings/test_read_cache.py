"""STRIPE_READ_CACHE: only where this process hears of changes at Stripe, and for no longer than a minute."""

import pytest

from sidecar.settings import Settings, SettingsFault, load
from tests.unit.settings.variables import set_only

HEARING = {
    "DIRECTUS_URL": "http://directus:8055",
    "STRIPE_CUSTOMERS_COLLECTION": "customers",
    "STRIPE_LIVE_SECRET_KEY": "sk_test_hush",
    "SIDECAR_SECRET": "hush-hush-hush-hush-hush-hush-32",
    "DIRECTUS_SERVICE_TOKEN": "a-token",
    "STRIPE_WEBHOOK_SECRET": "whsec_hush_hush_hush_hush",
}


def faults() -> list[str]:
    with pytest.raises(SettingsFault) as fault:
        load(Settings)
    return fault.value.faults


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("1", 1), ("2.5", 2.5), ("60", 60)])
def test_seconds(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float | None) -> None:
    """It is off unless it is set, from one second to a minute."""
    set_only(monkeypatch, {**HEARING, "STRIPE_READ_CACHE": text})

    assert load(Settings).stripe_read_cache == seconds


@pytest.mark.parametrize("text", ["0", "0.9", "61", "-5", "inf", "nan", "on"])
def test_no_other_times(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Anything else is a fault that names the setting."""
    set_only(monkeypatch, {**HEARING, "STRIPE_READ_CACHE": text})

    assert [fault.partition(":")[0] for fault in faults()] == ["STRIPE_READ_CACHE"]


def test_it_needs_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without webhooks it is refused, since nobody would tell of what changes at Stripe."""
    set_only(monkeypatch, {**HEARING, "STRIPE_WEBHOOK_SECRET": "", "STRIPE_READ_CACHE": "5"})

    assert faults() == ["STRIPE_READ_CACHE: needs STRIPE_WEBHOOK_SECRET, or it would show what has changed at Stripe"]


def test_replicas_need_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several replicas without Redis are refused, since each event comes to one of them."""
    variables = {**HEARING, "STRIPE_READ_CACHE": "5", "SIDECAR_REPLICAS": "2"}
    set_only(monkeypatch, variables)
    assert faults() == [
        "STRIPE_READ_CACHE: needs REDIS where SIDECAR_REPLICAS is more than one, so that each hears of changes"
    ]

    set_only(monkeypatch, {**variables, "REDIS": "redis://redis:6379/0"})

    assert load(Settings).stripe_read_cache == 5
