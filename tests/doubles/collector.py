"""A collector of traces on loopback: takes OTLP over HTTP and keeps every span it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.doubles.server import Double


@dataclass(frozen=True, slots=True)
class Span:
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: Mapping[str, object]
    failed: bool


class CollectorDouble(Double):
    def __init__(self) -> None:
        super().__init__()
        self.spans: list[Span] = []
        self.resource: Mapping[str, object] = {}
        self.bodies: list[bytes] = []

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.post("/v1/traces", self._take)]

    def named(self, name: str) -> Span:
        """Give the one span of this name."""
        [found] = [span for span in self.spans if span.name == name]
        return found

    async def _take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        self.bodies.append(body)
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource = {each.key: _value(each.value) for each in of_resource.resource.attributes}
            self.spans += [_span(sent) for scope in of_resource.scope_spans for sent in scope.spans]
        return web.Response(body=b"", content_type="application/x-protobuf")


def _span(sent: Sent) -> Span:
    assert not sent.events  # an exception's text would stand there
    assert not sent.status.message
    return Span(
        sent.name,
        Sent.SpanKind.Name(sent.kind).removeprefix("SPAN_KIND_").lower(),
        sent.trace_id.hex(),
        sent.span_id.hex(),
        sent.parent_span_id.hex(),
        {each.key: _value(each.value) for each in sent.attributes},
        sent.status.code == Status.STATUS_CODE_ERROR,
    )


def _value(value: AnyValue) -> object:
    return getattr(value, str(value.WhichOneof("value")))
