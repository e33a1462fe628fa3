"""What people get wrong in settings, and what they are told: the exact sentence, as the command line prints it."""

import tomllib
from pathlib import Path

import pytest

from sidecar.__main__ import main
from sidecar.settings import Settings, load, unread
from tests.unit.settings.variables import set_only

GOOD = {
    "DIRECTUS_URL": "http://directus:8055",
    "STRIPE_CUSTOMERS_COLLECTION": "customers",
    "STRIPE_LIVE_SECRET_KEY": "sk_test_hush",
}
MISTAKES = tomllib.loads(Path(__file__).with_name("mistakes.toml").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str]) -> str:
    """Give what the command line says of these settings, which must end the start."""
    set_only(monkeypatch, {**GOOD, **variables})

    assert main([]) == 2

    printed = capsys.readouterr()
    assert (printed.out, "hush" in printed.err) == ("", False)
    return printed.err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_value(
    mistake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """L5, S1: a mistake is told in sentences that name the setting and what is right, and show nothing of a secret."""
    row = MISTAKES[mistake]
    (tmp_path / "operations.toml").write_text(row.get("file", ""))

    told = said(monkeypatch, capsys, row["given"])

    assert told.splitlines() == ["The settings cannot be used:", *(f"  {sentence}" for sentence in row["said"])]


UNREAD = {
    "a word that is written apart": ("STRIPE_WRITEBACK", "STRIPE_WRITE_BACK"),
    "an origin in the singular": ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
    "another name of the token": ("DIRECTUS_TOKEN", "DIRECTUS_SERVICE_TOKEN"),
    "Redis's usual variable": ("REDIS_URL", "REDIS"),
    "a file of a misspelt setting": ("STRIPE_WEBHOOK_SECRETS_FILE", "STRIPE_WEBHOOK_SECRET_FILE"),
    "letters that changed places": ("SIDECAR_PROT", "SIDECAR_PORT"),
}


@pytest.mark.parametrize("mistake", UNREAD)
def test_a_name(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that looks like a setting is named, with the one that may be meant."""
    given, meant = UNREAD[mistake]
    set_only(monkeypatch, {**GOOD, given: "hush"})

    assert unread() == [f"{given} is no setting of this service and is not read; did you mean {meant}?"]


def test_names_that_belong_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publishable key, the token of `provision` and a name of nobody's are named without a question."""
    others = ("STRIPE_PUBLISHABLE_KEY", "DIRECTUS_ADMIN_TOKEN", "STRIPE_PRICE_OF_TEA")
    set_only(monkeypatch, {**GOOD, **dict.fromkeys(others, "hush")})

    assert unread() == [
        "DIRECTUS_ADMIN_TOKEN is only for `provision`: the service does not read it and should not be given it",
        "STRIPE_PRICE_OF_TEA is no setting of this service and is not read",
        "STRIPE_PUBLISHABLE_KEY is not read: a publishable key (pk_) belongs in the front end",
    ]


# Names of Directus's and of Kubernetes that are near to ours, or begin as ours do.
NOT_OURS = """
    SECRET KEY PORT HOST PUBLIC_URL LOG_STYLE LOGGER_LEVELS REDIS_HOST REDIS_PORT REDIS_PASSWORD REDIS_ENABLED
    SESSION_COOKIE_TTL SESSION_COOKIE_SECURE SESSION_COOKIE_SAME_SITE REFRESH_TOKEN_COOKIE_NAME CORS_ORIGIN
    WEBSOCKETS_ENABLED WEBSOCKETS_REST_AUTH WEBSOCKETS_GRAPHQL_PATH IP_TRUST_PROXY CACHE_TTL RATE_LIMITER_POINTS
    SIDECAR_SERVICE_HOST SIDECAR_SERVICE_PORT SIDECAR_SERVICE_PORT_HTTP SIDECAR_PORT_80_TCP SIDECAR_PORT_80_TCP_ADDR
    DIRECTUS_SERVICE_HOST DIRECTUS_PORT DIRECTUS_PORT_8055_TCP_PROTO STRIPE_SERVICE_HOST ALLOWED_HOSTS PATH HOME
"""


def test_names_of_others_are_no_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Directus reads, and what Kubernetes puts into a pod, is not named in an environment that is shared."""
    set_only(monkeypatch, {**GOOD, **dict.fromkeys(NOT_OURS.split(), "1")})

    assert unread() == []


def test_a_setting_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not begin as ours do is not named where the setting that it resembles is there."""
    set_only(monkeypatch, {**GOOD, "REDIS": "redis://r", "REDIS_URL": "redis://r"})

    assert unread() == []


@pytest.mark.parametrize(
    ("text", "level"),
    [("warn", "WARNING"), ("Info", "INFO"), ("DEBUG", "DEBUG"), ("trace", "DEBUG"), ("fatal", "ERROR")],
)
def test_levels(text: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A level may be in any case, and one of Directus's words."""
    set_only(monkeypatch, {**GOOD, "LOG_LEVEL": text})

    assert load(Settings).log_level == level
