"""The seam of tracing: where spans begin and end. Knows no OpenTelemetry; `clients.otlp` sends what is told here.

Unless the request being served is traced, a block costs one look at the context and nothing is kept.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from http import HTTPStatus
from types import TracebackType
from typing import Protocol, Self

Value = str | int | bool
_NO_HEADERS: Mapping[str, str] = {}
_NO_FACTS: Mapping[str, object] = {}


class Span(Protocol):
    """`trace_id` is for log lines, `traceparent` for who is called within the span (w3.org/TR/trace-context)."""

    @property
    def trace_id(self) -> str: ...

    @property
    def traceparent(self) -> str: ...

    def child(self, name: str, *, calls: bool) -> "Span":
        """Begin a span within this one; `calls` says that it covers a request to another service."""

    def set(self, name: str, value: Value) -> None:
        """Add an attribute, which must contain nothing secret and nothing of a person."""

    def end(self, error: BaseException | str | None = None) -> None:
        """End it, with what ended it badly: the name of that, or an exception, of which the class alone is told."""


class Tracer(Protocol):
    def begin(self, name: str, traceparent: Sequence[str]) -> Span:
        """Begin the span of a request that is served; `traceparent` has that header's values, from anybody."""


current: ContextVar[Span | None] = ContextVar("span", default=None)


class _Nothing:
    """A block that is not traced."""

    __slots__ = ()
    headers = _NO_HEADERS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        pass

    def set(self, name: str, value: Value) -> None:
        pass

    def answered(self, status: int) -> None:
        pass


class _Traced:
    """A block in a span, which is the current one meanwhile."""

    __slots__ = ("_before", "_failed", "_span", "headers")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._failed: str | None = None
        self.headers: Mapping[str, str] = {"traceparent": span.traceparent}

    def __enter__(self) -> Self:
        self._before = current.set(self._span)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        current.reset(self._before)
        self._span.end(error or self._failed)

    def set(self, name: str, value: Value) -> None:
        self._span.set(name, value)

    def answered(self, status: int) -> None:
        """Tell what the called service said; for who calls, a 4xx is an error too."""
        self._span.set("http.response.status_code", status)
        if status >= HTTPStatus.BAD_REQUEST:
            self._failed = str(status)


_NOTHING = _Nothing()


Block = _Traced | _Nothing


def span(name: str, *, calls: bool = False) -> Block:
    """Trace the block; its `headers` are for the service that is called in it, unless that is a stranger's."""
    parent = current.get()
    return _NOTHING if parent is None else _Traced(parent.child(name, calls=calls))


def facts() -> Mapping[str, object]:
    """Give what belongs into every log line of a request that is traced."""
    span = current.get()
    return _NO_FACTS if span is None else {"trace_id": span.trace_id}
