"""Traces requests where the settings name a collector. Only then is OpenTelemetry loaded."""

from collections.abc import AsyncIterator

from aiohttp import web

from sidecar.settings import Settings, SettingsFault, Variables
from sidecar.web.keys import TRACER
from sidecar.web.server.middlewares import envelope
from sidecar.web.server.traced import traced

_NO_EXTRA = (
    "OTEL_EXPORTER_OTLP_ENDPOINT: tracing needs {}, which is not installed: install the extra with "
    "`pip install 'directus-stripe-sidecar[tracing]'`, or do not set the variable"
)


def trace(app: web.Application, settings: Settings) -> None:
    """Raises SettingsFault where tracing is wanted and its extra is missing."""
    endpoint = settings.traces_endpoint
    if endpoint is None:
        return
    try:
        from sidecar.clients.otlp.spans import open_tracer  # noqa: PLC0415 - most do without it, and it takes memory
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("sidecar"):
            raise
        raise SettingsFault([_NO_EXTRA.format(missing.name)]) from None

    async def sending(app: web.Application) -> AsyncIterator[None]:
        async with open_tracer(endpoint, settings.traces_headers) as app[TRACER]:
            yield

    Variables.read().pass_on("OTEL_")  # the SDK's own, such as its sampler
    app.middlewares.insert(app.middlewares.index(envelope), traced)  # so that it sees every answer
    app.cleanup_ctx.append(sending)
