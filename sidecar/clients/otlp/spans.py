"""Spans by OpenTelemetry's SDK, which reads the rest of its own variables: sampler, queue and resource."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sidecar import __version__
from sidecar.clients.otlp.exporter import HttpExporter
from sidecar.core.outcomes import outcome_of
from sidecar.errors import Refused, RequestError, SidecarError
from sidecar.tracing import Span, Value

_NAME = "directus-stripe-sidecar"
_FLUSH = 2.0  # seconds for the last spans at the end of the process
_propagator = TraceContextTextMapPropagator()


class OtelSpan:
    """A span of the SDK, with the seam's face."""

    __slots__ = ("_span", "_tracer", "trace_id", "traceparent")

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer, self._span = tracer, span
        context = span.get_span_context()
        self.trace_id = trace.format_trace_id(context.trace_id)
        self.traceparent = f"00-{self.trace_id}-{trace.format_span_id(context.span_id)}-{context.trace_flags:02x}"

    def child(self, name: str, *, calls: bool) -> Span:
        within = trace.set_span_in_context(self._span, Context())
        kind = SpanKind.CLIENT if calls else SpanKind.INTERNAL
        return OtelSpan(self._tracer, self._tracer.start_span(name, within, kind))

    def set(self, name: str, value: Value) -> None:
        self._span.set_attribute(name, value)

    def end(self, error: BaseException | str | None = None) -> None:
        """A refusal is an answer and no error, and neither is it one that a client left before its answer."""
        if isinstance(error, SidecarError):
            self._span.set_attribute("sidecar.outcome", outcome_of(type(error)))
        if isinstance(error, asyncio.CancelledError):
            self._span.set_attribute("sidecar.canceled", value=True)
        elif error is not None and not isinstance(error, Refused | RequestError):
            self._span.set_attribute("error.type", error if isinstance(error, str) else type(error).__name__)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class OtelTracer:
    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def begin(self, name: str, traceparent: Sequence[str]) -> Span:
        """Continue the trace of a caller that names one properly, and whether it is sampled; otherwise begin one.

        What else a caller says of its trace (`tracestate`, `baggage`) goes nowhere.
        """
        carrier = {"traceparent": traceparent[0]} if len(traceparent) == 1 else {}
        within = _propagator.extract(carrier, Context())
        return OtelSpan(self._tracer, self._tracer.start_span(name, within, SpanKind.SERVER))


@asynccontextmanager
async def open_tracer(endpoint: str, headers: Mapping[str, str]) -> AsyncIterator[OtelTracer]:
    """Send spans while the block runs; at its end the last ones, for which nobody waits long."""
    named = Resource.create({"service.name": _NAME, "service.version": __version__})
    provider = TracerProvider(resource=named.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(HttpExporter(endpoint, headers)))
    try:
        yield OtelTracer(provider.get_tracer(_NAME, __version__))
    finally:
        await _flush(provider)


async def _flush(provider: TracerProvider) -> None:
    """Leave the SDK's own shutdown, which waits up to 30 seconds, to a thread that does not keep the process."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def shut_down() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=shut_down, daemon=True).start()
    with suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), _FLUSH)
