"""Sends encoded spans by OTLP over HTTP (opentelemetry.io/docs/specs/otlp), in the thread of the SDK's queue.

OpenTelemetry's own sender brings another HTTP client, which would stand beside the live key and take proxies from the
environment. What cannot be sent is dropped: the queue is bounded, and no request waits for a collector.
"""

import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

_TIMEOUT = 10.0  # seconds for each step of an exchange, as OTLP's exporters have by default
_SILENCE = 60.0  # seconds between two lines about a collector that takes nothing
_log = logging.getLogger(__name__)


class HttpExporter(SpanExporter):
    """`endpoint` is the whole address; `headers` are sent to it alone."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], timer: Callable[[], float] = time.monotonic) -> None:
        self._address = urlsplit(endpoint)
        self._headers = {"Content-Type": "application/x-protobuf", "User-Agent": "directus-stripe-sidecar", **headers}
        self._timer, self._silent_until = timer, float("-inf")
        self._tls = ssl.create_default_context() if self._address.scheme == "https" else None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            status = self._post(encode_spans(spans).SerializeToString())
        except (OSError, HTTPException) as error:
            return self._dropped(spans, type(error).__name__)
        return SpanExportResult.SUCCESS if status < HTTPStatus.MULTIPLE_CHOICES else self._dropped(spans, str(status))

    def _post(self, body: bytes) -> int:
        """Use a connection once: batches are seconds apart, and a kept one might be closed by then."""
        host, port = self._address.hostname or "", self._address.port
        connection = (
            HTTPConnection(host, port, timeout=_TIMEOUT)
            if self._tls is None
            else HTTPSConnection(host, port, timeout=_TIMEOUT, context=self._tls)
        )
        try:
            connection.request("POST", self._address.path or "/", body, self._headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def _dropped(self, spans: Sequence[ReadableSpan], why: str) -> SpanExportResult:
        if self._timer() >= self._silent_until:
            self._silent_until = self._timer() + _SILENCE
            facts = {"reason": why, "spans": len(spans), "collector": self._address.netloc}
            _log.warning("the collector takes no spans; they are dropped", extra=facts)
        return SpanExportResult.FAILURE
