"""Settings: every fault reported at once, no value shown, each setting also from a file."""

import os
from ipaddress import ip_network
from pathlib import Path

import pytest
import stripe
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from sidecar.__main__ import main
from sidecar.settings import DirectusSettings, Settings, SettingsFault, load
from tests.unit.settings.variables import set_only

REQUIRED = {
    "DIRECTUS_URL": "http://directus:8055",
    "STRIPE_CUSTOMERS_COLLECTION": "customers",
    "STRIPE_LIVE_SECRET_KEY": "sk_test_hush",
}
SECRET = "hush-hush-hush-hush-hush-hush-32"
SAMPLES: dict[str, tuple[str, object]] = {
    "DIRECTUS_URL": ("https://cms.example.com/base/", "https://cms.example.com/base"),
    "STRIPE_CUSTOMERS_COLLECTION": ("directus_users", "directus_users"),
    "STRIPE_CUSTOMERS_PRIMARY_KEY": ("uuid", "uuid"),
    "STRIPE_CUSTOMER_ID_FIELD": ("cus", "cus"),
    "STRIPE_LIVE_SECRET_KEY": ("rk_live_1_a", SecretStr("rk_live_1_a")),
    "DIRECTUS_SERVICE_TOKEN": ("a-token", SecretStr("a-token")),
    "STRIPE_WRITE_BACK": ("true", True),
    "STRIPE_ACCOUNT": ("acct_1Q2w3E", "acct_1Q2w3E"),
    "STRIPE_EXPOSE_CLIENT_SECRET": ("1", True),
    "WEBSOCKETS_REST_PATH": ("/cms/realtime", "/cms/realtime"),
    "STRIPE_FIELD_MAP": ('{"mail": ["email", "x"], "n": "name"}', {"mail": ("email", "x"), "n": ("name",)}),
    "STRIPE_API_BASE": ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    "STRIPE_API_VERSION": ("2024-06-20", "2024-06-20"),
    "SIDECAR_HOST": ("0.0.0.0", "0.0.0.0"),  # noqa: S104 - a value, not a listener
    "SIDECAR_PORT": ("9999", 9999),
    "SIDECAR_PREFIX": ("/api/stripe", "/api/stripe"),
    "PERMISSIONS_CACHE_TTL": ("7.5", 7.5),
    "PERMISSIONS_DENIED_TTL": ("0.5", 0.5),
    "PERMISSIONS_CACHE_SIZE": ("1", 1),
    "TRUSTED_PROXIES": ("10.1.0.0/16, ,::1", (ip_network("10.1.0.0/16"), ip_network("::1"))),
    "SESSION_COOKIE_NAME": ("sid", "sid"),
    "IP_CUSTOM_HEADER": ("X-Client", "X-Client"),
    "DENIED_STATUS": ("403", 403),
    "ALLOW_SHARES": ("read", "read"),
    "DIRECTUS_TIMEOUT": ("1", 1.0),
    "DIRECTUS_MAX_CONCURRENT": ("5", 5),
    "DIRECTUS_CONNECT_TIMEOUT": ("0.1", 0.1),
    "STRIPE_TIMEOUT": ("10", 10.0),
    "STRIPE_CONNECT_TIMEOUT": ("1", 1.0),
    "SHUTDOWN_TIMEOUT": ("10", 10.0),
    "KEEPALIVE_TIMEOUT": ("620", 620.0),
    "ALLOWED_ORIGINS": ("https://*.a.example.com, app://x", ("https://*.a.example.com", "app://x")),
    "LOG_LEVEL": ("DEBUG", "DEBUG"),
    "LOG_CLIENT_ADDRESS": ("full", "full"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("http://collector:4318/", "http://collector:4318"),
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ("https://c.example/v1/traces", "https://c.example/v1/traces"),
    "OTEL_EXPORTER_OTLP_HEADERS": ("api-key=a%2Cb, x=y", SecretStr("api-key=a%2Cb, x=y")),
    "OTEL_TRACES_EXPORTER": ("none", "none"),
    "OTEL_SDK_DISABLED": ("true", True),
}  # fmt: skip
DEFAULTS = {
    "STRIPE_CUSTOMERS_PRIMARY_KEY": "id",
    "STRIPE_CUSTOMER_ID_FIELD": "stripe_customer_id",
    "DIRECTUS_SERVICE_TOKEN": None,
    "STRIPE_WRITE_BACK": False,
    "STRIPE_EXPOSE_CLIENT_SECRET": False,
    "STRIPE_API_BASE": "https://api.stripe.com",
    "STRIPE_ACCOUNT": None,
    "WEBSOCKETS_REST_PATH": "/websocket",
    "SIDECAR_HOST": "127.0.0.1",
    "SIDECAR_PORT": 8080,
    "SIDECAR_PREFIX": "/stripe",
    "PERMISSIONS_CACHE_TTL": 30,
    "PERMISSIONS_DENIED_TTL": 5,
    "PERMISSIONS_CACHE_SIZE": 10_000,
    "TRUSTED_PROXIES": (),
    "SESSION_COOKIE_NAME": "directus_session_token",
    "IP_CUSTOM_HEADER": None,
    "DENIED_STATUS": 401,
    "ALLOW_SHARES": "none",
    "KEEPALIVE_TIMEOUT": 130,
    "LOG_LEVEL": "INFO",
    "LOG_CLIENT_ADDRESS": "anonymous",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment contains only required settings, the secret that write-back needs, and what a test sets."""
    set_only(monkeypatch, {**REQUIRED, "SIDECAR_SECRET": SECRET})


def faults() -> list[str]:
    with pytest.raises(SettingsFault) as fault:
        load(Settings)
    return fault.value.faults


def value_of(name: str) -> object:
    return getattr(load(Settings), name.lower())


def test_three_settings_are_enough() -> None:
    """The address of Directus, the customers collection and the key are the only required settings."""
    assert {name for name, field in Settings.model_fields.items() if field.is_required()} == set(
        map(str.lower, REQUIRED)
    )
    assert load(Settings).directus_url == "http://directus:8055"


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items(), ids=DEFAULTS)
def test_defaults(name: str, value: object) -> None:
    """A missing setting has its documented default."""
    assert value_of(name) == value


@pytest.mark.parametrize(("name", "text", "value"), [(name, *pair) for name, pair in SAMPLES.items()], ids=SAMPLES)
def test_from_the_environment(name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is read from the variable of its name."""
    monkeypatch.setenv(name, text)

    assert value_of(name) == value


@pytest.mark.parametrize(("name", "text", "value"), [(name, *pair) for name, pair in SAMPLES.items()], ids=SAMPLES)
def test_from_a_file(name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every setting is read from the file that NAME_FILE names, without one newline at its end."""
    monkeypatch.delenv(name, raising=False)
    (tmp_path / "value").write_text(f"{text}\n")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "value"))

    assert value_of(name) == value


@pytest.mark.parametrize("name", SAMPLES)
def test_given_twice(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable together with its file is a fault, not a choice."""
    text, _ = SAMPLES[name]
    (tmp_path / "value").write_text(text)
    monkeypatch.setenv(name, text)
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "value"))

    assert faults() == [f"{name}: given twice; remove {name} or {name}_FILE"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "not text"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_that_cannot_be_read(
    name: str, content: bytes | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that is missing or is not text is a fault of its setting, and its path is not shown."""
    path = tmp_path / "hush"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{name}_FILE", str(path))

    (fault,) = faults()

    assert fault.startswith(f"{name}: {name}_FILE cannot be read")
    assert "hush" not in fault


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - REQUIRED.keys()))
def test_empty_is_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable, or an empty NAME_FILE, counts as missing."""
    unset = value_of(name)
    monkeypatch.setenv(name, "")
    monkeypatch.setenv(f"{name}_FILE", "")

    assert value_of(name) == unset


def test_required_and_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty required variable is reported as missing."""
    for name in REQUIRED:
        monkeypatch.setenv(name, "")

    assert sorted(faults()) == sorted(f"{name}: is not set" for name in REQUIRED)


UNUSABLE = [
    ("DIRECTUS_URL", "directus:8055"),
    ("DIRECTUS_URL", "ftp://directus"),
    ("DIRECTUS_URL", "http://"),
    ("DIRECTUS_URL", "http://user:pw@directus"),
    ("DIRECTUS_URL", "http://directus?x=1"),
    ("DIRECTUS_URL", "http://directus/#x"),
    ("DIRECTUS_URL", "http://[::1"),
    ("WEBSOCKETS_REST_PATH", "websocket"),
    ("WEBSOCKETS_REST_PATH", "ws://directus/websocket"),
    ("WEBSOCKETS_REST_PATH", "/websocket?access_token=x"),
    ("WEBSOCKETS_REST_PATH", "/web socket"),
    ("STRIPE_CUSTOMERS_COLLECTION", "a/b"),
    ("STRIPE_CUSTOMERS_COLLECTION", "a b"),
    ("STRIPE_CUSTOMER_ID_FIELD", "a,b"),
    ("STRIPE_CUSTOMER_ID_FIELD", "a\n"),
    ("STRIPE_LIVE_SECRET_KEY", "pk_live_x"),
    ("STRIPE_LIVE_SECRET_KEY", '"sk_live_x"'),
    ("STRIPE_LIVE_SECRET_KEY", "sk_live_x\n"),
    ("STRIPE_LIVE_SECRET_KEY", "sk_live_"),
    ("DIRECTUS_SERVICE_TOKEN", "a b"),
    ("DIRECTUS_SERVICE_TOKEN", "tök"),
    ("STRIPE_WRITE_BACK", "perhaps"),
    ("SIDECAR_SECRET", SECRET[1:]),
    ("SIDECAR_SECRET", f"{SECRET[1:]} "),
    ("SIDECAR_SECRET", f"{SECRET[:9]} {SECRET[9:]}"),
    ("SIDECAR_SECRET", f"{SECRET}é"),
    ("SIDECAR_SECRET", f"{SECRET},short"),
    ("SIDECAR_SECRET", f"{SECRET},{SECRET}"),
    ("SIDECAR_SECRET", ","),
    ("DIRECTUS_PROJECT", "a project"),
    ("DIRECTUS_PROJECT", "p" * 65),
    ("STRIPE_FIELD_MAP", "{"),
    ("STRIPE_FIELD_MAP", "[]"),
    ("STRIPE_FIELD_MAP", '{"name": 7}'),
    ("STRIPE_FIELD_MAP", '{"a,b": "name"}'),
    ("STRIPE_FIELD_MAP", '{"name": "a[b]"}'),
    ("STRIPE_API_BASE", "stripe.com"),
    ("STRIPE_ACCOUNT", "cus_1"),
    ("STRIPE_ACCOUNT", "acct_"),
    ("STRIPE_ACCOUNT", "acct_1\n"),
    ("STRIPE_ACCOUNT", "acct_1, acct_2"),
    ("STRIPE_ACCOUNT", f"acct_{'1' * 251}"),
    ("STRIPE_API_VERSION", "latest"),
    ("STRIPE_API_VERSION", "2026-13-01.endive"),
    ("STRIPE_API_VERSION", "2026-10-28"),
    ("STRIPE_API_VERSION", "2024-06-20.endive"),
    ("STRIPE_API_VERSION", "2026-10-28.Endive"),
    ("STRIPE_API_VERSION", "2026-10-28.endive\n"),
    ("STRIPE_API_VERSION", "20261028.endive"),
    ("SIDECAR_PORT", "65536"),
    ("SIDECAR_PORT", "http"),
    ("SIDECAR_PREFIX", "stripe"),
    ("SIDECAR_PREFIX", "/"),
    ("SIDECAR_PREFIX", "/stripe/"),
    ("SIDECAR_PREFIX", "/{x}"),
    ("SIDECAR_PREFIX", "/../x"),
    ("PERMISSIONS_CACHE_TTL", "0"),
    ("PERMISSIONS_CACHE_TTL", "-1"),
    ("PERMISSIONS_CACHE_TTL", "nan"),
    ("PERMISSIONS_CACHE_TTL", "inf"),
    ("PERMISSIONS_CACHE_SIZE", "0"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ("TRUSTED_PROXIES", "nginx"),
    ("SESSION_COOKIE_NAME", "a=b"),
    ("IP_CUSTOM_HEADER", "X: y"),
    ("KEEPALIVE_TIMEOUT", "0"),
    ("KEEPALIVE_TIMEOUT", "3601"),
    ("ALLOWED_ORIGINS", "*"),
    ("ALLOWED_ORIGINS", "null"),
    ("ALLOWED_ORIGINS", "https://*.com"),
    ("ALLOWED_ORIGINS", "https://*.vercel.app"),
    ("ALLOWED_ORIGINS", "https://app.example.com,https://a.*.example.com"),
    ("ALLOWED_ORIGINS", "https://app.example.com/"),
    ("ALLOWED_ORIGINS", "file://localhost"),
    ("DENIED_STATUS", "404"),
    ("DENIED_STATUS", "four"),
    ("ALLOW_SHARES", "true"),
    ("ALLOW_SHARES", "write"),
    ("ALLOW_SHARES", "read,write"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_CLIENT_ADDRESS", "some"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "MARKED without a name"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "name=MARKED%0Aother: header"),
]


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_an_unusable_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: One unusable value is one fault, which begins with the variable's name."""
    monkeypatch.setenv(name, value)

    (fault,) = faults()

    assert fault.startswith(f"{name}: ")
    assert len(fault) > len(f"{name}: must")


@pytest.mark.parametrize("value", ["tcp://10.96.0.7:80", "udp://[fd00::1]:80", "sctp://10.96.0.7:80"])
def test_a_port_that_kubernetes_sets(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: The variable of a Service called `sidecar` is told apart, and the fault says how not to get it."""
    monkeypatch.setenv("SIDECAR_PORT", value)

    (fault,) = faults()

    assert fault.startswith("SIDECAR_PORT: ")
    assert "enableServiceLinks: false" in fault
    assert value not in fault


@pytest.mark.parametrize("name", ["DIRECTUS_URL", "STRIPE_API_BASE"])
@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:http",
        " http://127.0.0.1",
        "http://127.0.0.1\n",
        "http://127.0.\t0.1",
        "http://a b",
    ],
)
def test_an_address_that_no_request_could_use(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: An address on which every request would fail ends the start instead."""
    monkeypatch.setenv(name, value)

    assert [fault for fault in faults() if fault.startswith(f"{name}: ")]


@pytest.mark.parametrize("form", ["variable", "file"])
def test_secrets_of_the_service(form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Several secrets are comma-separated, and keep their order."""
    text = f"{SECRET}, {SECRET[::-1]}"
    if form == "file":
        (tmp_path / "value").write_text(f"{text}\n")
        monkeypatch.delenv("SIDECAR_SECRET")
        monkeypatch.setenv("SIDECAR_SECRET_FILE", str(tmp_path / "value"))
    else:
        monkeypatch.setenv("SIDECAR_SECRET", text)

    assert load(Settings).sidecar_secret == (SecretStr(SECRET), SecretStr(SECRET[::-1]))
    assert "hush" not in repr(load(Settings))


@pytest.mark.parametrize("value", [SECRET[1:], f"{SECRET},short"])
def test_a_short_secret_is_told_its_length(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S1: the fault says how long a secret must be, and shows nothing of this one."""
    monkeypatch.setenv("SIDECAR_SECRET", value)

    (fault,) = faults()

    assert "at least 32" in fault
    assert "hush" not in fault


def test_write_back_needs_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """O3: without a secret nothing could be signed; what needs no signature works without it."""
    monkeypatch.delenv("SIDECAR_SECRET")
    assert load(Settings).sidecar_secret is None

    monkeypatch.setenv("STRIPE_WRITE_BACK", "true")

    assert faults() == ["STRIPE_WRITE_BACK: needs SIDECAR_SECRET, which `provision --secret-file` makes"]


def test_every_fault_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: All faults are reported at once, including those of files."""
    wrong = {name: value for name, value in UNUSABLE if name != "TRUSTED_PROXIES"}
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRUSTED_PROXIES_FILE", "/nowhere")

    assert {fault.partition(":")[0] for fault in faults()} == {*wrong, "TRUSTED_PROXIES"}


CONSISTENT = {
    "PERMISSIONS_DENIED_TTL": {"PERMISSIONS_DENIED_TTL": "31"},
    "STRIPE_API_BASE": {"STRIPE_API_BASE": "http://stripe.test", "STRIPE_LIVE_SECRET_KEY": "rk_live_x"},
}


@pytest.mark.parametrize("name", CONSISTENT)
def test_settings_that_contradict_each_other(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: A contradiction between two settings is a fault as well."""
    for variable, value in CONSISTENT[name].items():
        monkeypatch.setenv(variable, value)

    (fault,) = faults()

    assert fault.startswith(name)


def test_every_contradiction_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: Two contradictions are two faults."""
    for variables in CONSISTENT.values():
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)

    assert {fault.partition(":")[0] for fault in faults()} == set(CONSISTENT)


@pytest.mark.parametrize("key", ["sk_test_x", "rk_test_x", "sk_live_x", "rk_live_test_x"])
@pytest.mark.parametrize(
    ("base", "for_live"),
    [
        ("http://stripe.test", False),
        ("http://127.0.0.1.evil.test", False),
        ("http://localhost:1", True),
        ("http://127.0.0.1:1", True),
        ("http://[::1]:1", True),
        ("https://stripe.test", True),
    ],
)
def test_a_live_key_is_not_sent_in_the_clear(
    key: str, base: str, *, for_live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1: A live key is sent only over https or within this machine; a test key may be sent anywhere."""
    monkeypatch.setenv("STRIPE_LIVE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_API_BASE", base)

    if for_live or key.partition("_")[2].startswith("test"):
        assert load(Settings).livemode is ("_live_" in key)
    else:
        assert faults() == ["STRIPE_API_BASE: must be https:// for a live key"]


@pytest.mark.parametrize(
    ("changed", "account", "caller"),
    [
        ({"STRIPE_LIVE_SECRET_KEY": "sk_live_hush"}, 80, 40),
        ({}, 20, 20),
        ({"STRIPE_MAX_RPS": "5"}, 20, 10),
        ({"STRIPE_ACCOUNT_RPS": "8"}, 8, 8),
        ({"STRIPE_LIVE_SECRET_KEY": "rk_live_hush", "STRIPE_MAX_RPS": "60"}, 80, 60),
        ({"STRIPE_ACCOUNT_RPS": "50", "STRIPE_CALLER_RPS": "3"}, 50, 3),
    ],
)
def test_rates(changed: dict[str, str], account: float, caller: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """F3: without a setting the account's rate follows the key's mode, and a caller's that of account and endpoint."""
    for name, value in changed.items():
        monkeypatch.setenv(name, value)

    settings = load(Settings)

    assert (settings.account_rps, settings.caller_rps) == (account, caller)


HUSH = "h0sh %&=[] Hush."


@pytest.mark.parametrize(
    "name",
    [name for name in SAMPLES if name != "SIDECAR_HOST"],
)
def test_no_fault_shows_a_value(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """L5, S1: An unusable value, perhaps a secret in the wrong variable, is not printed."""
    monkeypatch.setenv(name, HUSH)

    assert main([]) == 2

    printed = capsys.readouterr()
    assert name in printed.err
    assert "h0sh" not in printed.err + printed.out


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=20))
def test_no_key_is_shown_whatever_is_wrong_with_it(key: str) -> None:
    """S1: A malformed key is reported without any piece of it."""
    before = os.environ["STRIPE_LIVE_SECRET_KEY"]
    os.environ["STRIPE_LIVE_SECRET_KEY"] = f"sk_live_ {key}"
    try:
        (fault,) = faults()
    finally:
        os.environ["STRIPE_LIVE_SECRET_KEY"] = before

    assert key not in fault


def test_unusable_settings_end_the_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """L5: The command line prints every fault on standard error and exits with 2."""
    monkeypatch.delenv("DIRECTUS_URL")
    monkeypatch.setenv("SIDECAR_PORT", "0x50")

    assert main(["serve"]) == 2

    printed = capsys.readouterr()
    assert "DIRECTUS_URL: is not set" in printed.err
    assert "SIDECAR_PORT: " in printed.err
    assert "sk_test_hush" not in printed.err
    assert printed.out == ""


def test_settings_stay_as_they_are() -> None:
    """Settings cannot be changed once they are read."""
    with pytest.raises(ValidationError):
        load(Settings).sidecar_port = 1  # type: ignore[misc]  # mypy knows it too


def test_secrets_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """S1: The printed settings contain neither the key nor the service token."""
    monkeypatch.setenv("DIRECTUS_SERVICE_TOKEN", "hush-token")
    settings = load(Settings)

    printed = f"{settings!r}{settings}{settings.model_dump()}{settings.model_dump_json()}"

    assert "hush" not in printed


def test_provision_asks_for_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preparing a Directus needs only the settings of the Directus and its collection, and no key."""
    monkeypatch.delenv("STRIPE_LIVE_SECRET_KEY")

    assert load(DirectusSettings).stripe_customers_collection == "customers"


def test_every_setting_explains_itself() -> None:
    """Every setting has a description."""
    assert {name for name, field in Settings.model_fields.items() if not field.description} == set()


def test_the_pinned_version_is_the_librarys() -> None:
    """Stripe 7: The default version is the one that the installed library was made for."""
    assert Settings.model_fields["stripe_api_version"].default == stripe.api_version
