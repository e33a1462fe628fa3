"""Where traces go, by OpenTelemetry's variables."""

import pytest

from sidecar.settings.tracing import TracingSettings

REQUIRED = {"directus_url": "http://directus:8055", "stripe_customers_collection": "customers"}
BASE, WHOLE = "http://collector:4318", "https://other.example/otlp"


def settings(**given: str) -> TracingSettings:
    return TracingSettings.model_validate({**REQUIRED, **given})


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ({}, None),
        ({"otel_exporter_otlp_endpoint": BASE}, f"{BASE}/v1/traces"),
        ({"otel_exporter_otlp_endpoint": f"{BASE}/base/"}, f"{BASE}/base/v1/traces"),
        ({"otel_exporter_otlp_endpoint": BASE, "otel_exporter_otlp_traces_endpoint": WHOLE}, WHOLE),
        ({"otel_exporter_otlp_endpoint": BASE, "otel_traces_exporter": "none"}, None),
        ({"otel_exporter_otlp_traces_endpoint": WHOLE, "otel_sdk_disabled": "true"}, None),
    ],
)
def test_endpoint(given: dict[str, str], endpoint: str | None) -> None:
    """A collector's address turns tracing on, the one for traces goes first, and two variables turn it off."""
    assert settings(**given).traces_endpoint == endpoint


def test_headers() -> None:
    """Headers are names and values, with what a value cannot contain decoded."""
    assert settings(otel_exporter_otlp_headers="api-key=a%2Cb, X-Of=c=d ,e=").traces_headers == {
        "api-key": "a,b",
        "X-Of": "c=d",
        "e": "",
    }
    assert settings().traces_headers == {}
