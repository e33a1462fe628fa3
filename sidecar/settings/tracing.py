"""Where traces go, in the variables of OpenTelemetry (opentelemetry.io, "OTLP exporter configuration")."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, Field, SecretStr

from sidecar.settings.limits import LimitSettings
from sidecar.settings.types import Origin

_HEADER = re.compile(r"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*([\x21-\x7e]*)\s*")


def _headers(value: SecretStr) -> SecretStr:
    parts = value.get_secret_value().split(",")
    if not all(_HEADER.fullmatch(part) and re.fullmatch(r"[\x20-\x7e]*", unquote(part)) for part in parts):
        raise ValueError("must be name=value, comma-separated, with %2C and the like for what a value cannot contain")
    return value


class TracingSettings(LimitSettings):
    """Without an address there is no tracing, and OpenTelemetry is not even loaded."""

    otel_exporter_otlp_endpoint: Origin | None = Field(
        None,
        description="A collector that takes traces by OTLP over HTTP, such as `http://collector:4318`: turns tracing "
        "on, for which the extra `tracing` is needed; `/v1/traces` is put behind it",
    )
    otel_exporter_otlp_traces_endpoint: Origin | None = Field(
        None, description="The same as a whole address, to which nothing is added"
    )
    otel_exporter_otlp_headers: Annotated[SecretStr, AfterValidator(_headers)] | None = Field(
        None, description="Headers for that collector, such as `api-key=…`, comma-separated"
    )
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = Field(
        "http/protobuf", description="The one way in which traces are sent; gRPC is none"
    )
    otel_traces_exporter: Literal["otlp", "none"] = Field("otlp", description="`none` turns tracing off")
    otel_sdk_disabled: bool = Field(default=False, description="The same, in another of OpenTelemetry's variables")

    @property
    def traces_endpoint(self) -> str | None:
        """The whole address to which spans are sent, None where there is no tracing."""
        if self.otel_sdk_disabled or self.otel_traces_exporter == "none":
            return None
        base = self.otel_exporter_otlp_endpoint
        return self.otel_exporter_otlp_traces_endpoint or (None if base is None else f"{base}/v1/traces")

    @property
    def traces_headers(self) -> Mapping[str, str]:
        given = self.otel_exporter_otlp_headers
        parts = [] if given is None else given.get_secret_value().split(",")
        named = (part.partition("=") for part in parts)
        return {name.strip(): unquote(value.strip()) for name, _, value in named}
