"""The secrets by which the proxy tells of logouts: one or several, never shown."""

from pathlib import Path

import pytest

from sidecar.settings import Settings, SettingsFault, load
from tests.unit.settings.variables import set_only

FIRST, SECOND = "hush" * 8, "Hush-._~+/=" * 3
REQUIRED = {
    "DIRECTUS_URL": "http://directus:8055",
    "STRIPE_CUSTOMERS_COLLECTION": "customers",
    "STRIPE_LIVE_SECRET_KEY": "sk_test_hush",
}
MALFORMED = (
    "must be 32 to 1000 visible ASCII characters without quotes, backslash and dollar; several are comma-separated"
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment contains only required settings and what a test sets."""
    set_only(monkeypatch, REQUIRED)


@pytest.mark.parametrize("empty", [None, ""])
def test_off(empty: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or empty secret turns nothing on."""
    if empty is not None:
        monkeypatch.setenv("LOGOUT_SECRET", empty)

    assert load(Settings).logout_secret is None


@pytest.mark.parametrize(
    ("text", "named"),
    [(FIRST, [FIRST]), (f"{FIRST},{SECOND}", [FIRST, SECOND]), (f" {SECOND} ,, {FIRST} ", [SECOND, FIRST])],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_read(text: str, named: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, from_file: bool) -> None:
    """One secret or several are read, from the environment or from a file."""
    if from_file:
        (tmp_path / "secret").write_text(f"{text}\n")
        monkeypatch.setenv("LOGOUT_SECRET_FILE", str(tmp_path / "secret"))
    else:
        monkeypatch.setenv("LOGOUT_SECRET", text)

    assert [secret.get_secret_value() for secret in load(Settings).logout_secret or ()] == named


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        *((text, MALFORMED) for text in (FIRST[1:], f"{FIRST},short", f'"{FIRST}"', f"{FIRST} {SECOND}", f"ü{FIRST}")),
        *((f"{FIRST}{special}", MALFORMED) for special in "\"'\\$"),
        (FIRST * 32, MALFORMED),
        (",", "must contain a secret, or not be set"),
    ],
)
def test_unusable(text: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S1: A secret that is too short, or that nginx would read otherwise, ends the start and is not shown."""
    monkeypatch.setenv("LOGOUT_SECRET", text)

    with pytest.raises(SettingsFault) as found:
        load(Settings)

    assert found.value.faults == [f"LOGOUT_SECRET: {fault}"]


def test_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """S1: Printing the settings shows no secret."""
    monkeypatch.setenv("LOGOUT_SECRET", f"{FIRST},{SECOND}")
    settings = load(Settings)

    assert "hush" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}".lower()
