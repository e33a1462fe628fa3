"""The line at the start, and the warnings about variables that are no settings."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

import sidecar
from sidecar.announcing import start_line
from sidecar.clients.directus.server_info import ServerInfo
from sidecar.settings import Settings
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import Sidecar, serving
from tests.doubles.running_app import KEY, SERVICE_TOKEN, environment
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually


def settings(**changes: object) -> Settings:
    required = {
        "directus_url": "http://directus:8055",
        "stripe_customers_collection": "customers",
        "stripe_live_secret_key": SecretStr("rk_live_hush"),
    }
    return Settings.model_validate(required | changes)


def test_the_line() -> None:
    """It says what the service is, where it is, what is on, and what is off with the setting that turns it on."""
    line = start_line(settings(), "0.0.0.0", 8080, ServerInfo.from_directus({"version": "11.17.4"}))  # noqa: S104 - a value

    assert line == {
        "version": sidecar.__version__,
        "address": "http://0.0.0.0:8080/stripe",
        "directus": "http://directus:8055",
        "directus_reachable": True,
        "directus_version": "11.17.4",
        "collection": "customers",
        "key": "restricted key, live mode, real money",
        "account": "the key's own",
        "operations": ["customers.create", "customers.list", "payments.list", "payments.list_for_customer"],
        "off": {
            "service token": "DIRECTUS_SERVICE_TOKEN is not set",
            "write-back": "STRIPE_WRITE_BACK is false",
            "events of Stripe": "STRIPE_WEBHOOK_SECRET is not set",
            "changes of Directus": "DIRECTUS_REALTIME is false",
            "further operations": "STRIPE_OPERATIONS is not set",
            "Redis": "REDIS is not set",
            "read cache": "STRIPE_READ_CACHE is not set",
            "logout": "LOGOUT_SECRET is not set",
            "foreign origins": "ALLOWED_ORIGINS is not set",
            "trusted proxies": "TRUSTED_PROXIES is not set",
            "client secrets": "STRIPE_EXPOSE_CLIENT_SECRET is false",
            "shares": "ALLOW_SHARES is none",
        },
    }


@pytest.mark.parametrize(
    ("told", "version"),
    [
        (None, "unknown, as it does not answer"),
        ({}, "not told without DIRECTUS_SERVICE_TOKEN"),
        ({"license": {"source": "key"}}, "12 or newer"),
    ],
)
def test_a_version_that_is_not_known(told: dict[str, object] | None, version: str) -> None:
    """Where Directus does not tell its version, the line says why."""
    info = None if told is None else ServerInfo.from_directus(told)

    assert start_line(settings(), "::1", 80, info)["directus_version"] == version


def test_what_is_on_is_not_off() -> None:
    """A test key of another account is told as such, and what is set is not among what is off."""
    line = start_line(
        settings(
            stripe_live_secret_key=SecretStr("sk_test_hush"),
            stripe_account="acct_1",
            stripe_write_back=True,
            sidecar_secret=(SecretStr("s" * 32),),
        ),
        "::1",
        80,
        None,
    )

    assert (line["key"], line["account"]) == ("secret key, test mode", "acct_1")
    assert line["address"] == "http://[::1]:80/stripe"
    assert "write-back" not in str(line["off"])


def lines_of(sidecar: Sidecar) -> list[dict[str, object]]:
    return [json.loads(line) for line in sidecar.said().splitlines()]


@pytest.mark.process
@pytest.mark.parametrize("up", [True, False])
async def test_one_line(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path, *, up: bool) -> None:
    """A serving process logs the line once, whether Directus answers or not, and neither key nor token is in it."""
    variables = environment(directus.url, stripe.url, DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN, STRIPE_OPERATIONS="")
    if not up:
        await directus.refuse()
    async with serving(tmp_path / "output", **variables) as process:
        await eventually(lambda: any(line["message"] == "started" for line in lines_of(process)))
        [line] = [line for line in lines_of(process) if line["message"] == "started"]

    assert (line["level"], line["directus_reachable"]) == ("info", up)
    assert line["address"] == f"http://127.0.0.1:{process.port}/stripe"
    assert KEY not in process.said()
    assert SERVICE_TOKEN not in process.said()


@pytest.mark.process
async def test_a_silent_directus(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """A Directus that never answers keeps the line back for a few seconds only, whatever DIRECTUS_TIMEOUT says."""
    directus.fail(faults.hang)
    async with serving(tmp_path / "output", **environment(directus.url, stripe.url)) as process:
        await eventually(lambda: any(line["message"] == "started" for line in lines_of(process)))

        assert not lines_of(process)[-1]["directus_reachable"]


@pytest.mark.process
async def test_variables_that_are_no_settings(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """The service warns of each variable that looks like a setting, from `.env` too, and shows no value."""
    (tmp_path / ".env").write_text("STRIPE_WRITEBACK=hush\n")
    variables = environment(directus.url, stripe.url, STRIPE_SECRET_KEY="hush")
    async with serving(tmp_path / "output", **variables) as process:
        warnings = [line["message"] for line in lines_of(process) if line["level"] == "warning"]

    assert warnings == [
        "STRIPE_SECRET_KEY is no setting of this service and is not read; did you mean STRIPE_LIVE_SECRET_KEY?",
        "STRIPE_WRITEBACK is no setting of this service and is not read; did you mean STRIPE_WRITE_BACK?",
    ]
    assert "hush" not in process.said()
