"""The signing secrets of Stripe's webhooks: one or several, never shown, and useless without the service token."""

from pathlib import Path

import pytest

from sidecar.commands.provision import ProvisionSettings
from sidecar.settings import Settings, SettingsFault, load
from tests.unit.settings.variables import set_only

FIRST, SECOND = "whsec_hushhushhushhush1", "whsec_hushhushhushhush2+/="
REQUIRED = {
    "DIRECTUS_URL": "http://directus:8055",
    "STRIPE_CUSTOMERS_COLLECTION": "customers",
    "STRIPE_LIVE_SECRET_KEY": "sk_test_hush",
    "DIRECTUS_SERVICE_TOKEN": "a-token",
    "DIRECTUS_ADMIN_TOKEN": "an-admin",
}
QUOTED = "has quotes around it, which are a part of it here, as `docker run --env-file` passes them on: remove them"
KEY = "is a key of Stripe: the signing secret of the webhook is needed, which begins with whsec_"
ENDPOINT = "is the ID of a webhook endpoint (we_): its signing secret is needed, which begins with whsec_"
MALFORMED = "must be signing secrets (whsec_) of Stripe's webhooks, comma-separated, without quotes"

LENGTH = (
    "each secret must have 16 to 250 characters after whsec_; copy it whole from Stripe's dashboard, or from `stripe "
    "listen`"
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment contains only required settings and what a test sets."""
    set_only(monkeypatch, REQUIRED)


def secrets() -> list[str]:
    return [secret.get_secret_value() for secret in load(Settings).stripe_webhook_secret or ()]


@pytest.mark.parametrize("empty", [None, ""])
def test_off(empty: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or empty secret turns nothing on."""
    if empty is not None:
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", empty)

    assert load(Settings).stripe_webhook_secret is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (FIRST, [FIRST]),
        (f"{FIRST},{SECOND}", [FIRST, SECOND]),
        (f" {SECOND} ,, {FIRST} ", [SECOND, FIRST]),
    ],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_read(text: str, named: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, from_file: bool) -> None:
    """One secret or several are read, from the environment or from a file, for the service and for `provision`."""
    if from_file:
        (tmp_path / "secret").write_text(f"{text}\n")
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    else:
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", text)

    assert secrets() == named
    assert len(load(ProvisionSettings).stripe_webhook_secret or ()) == len(named)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("hush", MALFORMED),
        ("whsec_hush", LENGTH),
        ("whsec_", LENGTH),
        ("whsec_hushhushhushhus", LENGTH),
        (f"{FIRST},whsec_hush", LENGTH),
        ("whsec_" + "hush" * 63, LENGTH),
        (f'"{FIRST}"', QUOTED),
        (f"{FIRST};{SECOND}", MALFORMED),
        (f"{FIRST},hush", MALFORMED),
        (f"{FIRST} {SECOND}", MALFORMED),
        ("sk_test_hushhushhushhush", KEY),
        ("we_hushhushhushhush", ENDPOINT),
        (",", "must name a signing secret (whsec_), or not be set"),
        (" , ", "must name a signing secret (whsec_), or not be set"),
    ],
)
@pytest.mark.parametrize("settings", [Settings, ProvisionSettings])
def test_unusable(
    settings: type[Settings | ProvisionSettings], text: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1: A text that cannot be a secret ends the start; the message says what it must be, and does not show it."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", text)

    with pytest.raises(SettingsFault) as found:
        load(settings)

    assert found.value.faults == [f"STRIPE_WEBHOOK_SECRET: {fault}"]


def test_of_no_use_without_the_service_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event has no caller, so without the service token nothing could be written."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", FIRST)
    monkeypatch.delenv("DIRECTUS_SERVICE_TOKEN")

    with pytest.raises(SettingsFault) as found:
        load(Settings)

    assert found.value.faults == ["STRIPE_WEBHOOK_SECRET: needs DIRECTUS_SERVICE_TOKEN"]


def test_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """S1: Printing the settings shows no secret."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", f"{FIRST},{SECOND}")
    settings = load(Settings)

    assert "hush" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
