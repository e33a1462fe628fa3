"""The metrics, in one registry for each application (prometheus.io, "Metric and label naming").

Labels come from fixed sets: no IDs, no tokens, no paths as they were sent.
"""

import platform
from collections.abc import Callable
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from sidecar import __version__
from sidecar.outcome import Outcome

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_FAILURES = (  # counted by themselves too, from 0 on, so that an alert sees the first one
    *(Outcome.BROKEN, Outcome.CAPACITY, Outcome.DIRECTUS, Outcome.EVENT, Outcome.FAULT),
    *(Outcome.STRIPE, Outcome.STRIPE_KEY, Outcome.STRIPE_RATE),
)
# These label values exist with 0 from the start: Prometheus does not see an increase from nothing.
_KNOWN = {
    "answer": ("remembered", "asked"),
    "reload": ("done", "unchanged", "failed"),
    "result": ("hit", "shared", "found", "asked"),
    "cause": ("change", "settled", "connected", "lost", "told", "gap"),
    "upstream": ("directus", "stripe"),
    "about": ("account", "endpoint", "object"),
    "urgency": ("list", "page", "call"),
    "state": ("waiting", "asked", "overdue"),
    "part": ("permissions", "budgets", "changes", "shapes", "news", "replicas"),
    "outcome": _FAILURES,
    "place": ("used", "waiting", "most"),
    "queue": ("place", "directus"),
}
_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)  # seconds; a batch has 0.05


class Reloads:
    """How often new settings were asked for, by what came of it. It lasts as long as the process."""

    def __init__(self) -> None:
        self.counter = Counter("sidecar_reloads", "Times settings were read again", ["result"], registry=None)
        for result in _KNOWN["reload"]:
            self.counter.labels(result)

    def count(self, result: str) -> None:
        """`result` is "done", "unchanged" or "failed"."""
        self.counter.labels(result).inc()


class Metrics:
    """All but `reloads` begin with the application, so they begin again when new settings take effect.

    `feed` is NaN where Directus's changes are not followed; the gauges about Redis are NaN without one.

    `took` is called with the upstream and the seconds of each call.
    """

    def __init__(self, took: Callable[[str, float], None] | None = None, reloads: Reloads | None = None) -> None:
        self._took = took
        self._counters: dict[tuple[Counter, tuple[str, ...]], Counter] = {}
        self._histograms: dict[tuple[str, Outcome], Histogram] = {}
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register((reloads or Reloads()).counter)
        Info("sidecar_build", "What runs", registry=registry).info(
            {"version": __version__, "python": platform.python_version()}
        )
        self._make_requests(registry)
        self.cache = Counter(
            "sidecar_permissions", "Questions for permissions, by how they were answered", ["result"], registry=registry
        )
        self.purges = Counter("sidecar_purges", "Times all permissions were forgotten", ["cause"], registry=registry)
        self.users_forgotten = Counter(
            "sidecar_users_forgotten", "Times one user's permissions were forgotten", registry=registry
        )
        self.questions = Gauge(
            "sidecar_directus_questions", "Questions to Directus now, by how far they are", ["state"], registry=registry
        )
        self.upstream = Histogram(
            "sidecar_upstream_seconds", "Time an upstream took", ["upstream"], buckets=_SECONDS, registry=registry
        )
        self._make_stripe(registry)
        self.held = Gauge(
            "sidecar_held_bytes", "Bytes of lists that wait in memory for their readers", registry=registry
        )
        self.feed = Gauge("sidecar_feed_connected", "Whether Directus's changes are being heard", registry=registry)
        self.feed.set(float("nan"))
        self._make_shared(registry)
        self._begin_with_all_labels()
        self._upstreams = {upstream: self.upstream.labels(upstream) for upstream in _KNOWN["upstream"]}

    def _make_requests(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "sidecar_requests", "Requests answered", ["operation", "status", "verdict"], registry=registry
        )
        self.failures = Counter("sidecar_failures", "Requests that failed, by why", ["outcome"], registry=registry)
        self.seconds = Histogram(
            "sidecar_request_seconds",
            "Time from a request's head to the end of its answer",
            ["operation", "outcome"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_flight = 0
        in_flight = Gauge("sidecar_requests_in_flight", "Requests without a whole answer now", registry=registry)
        in_flight.set_function(lambda: self.in_flight)
        self.places = Gauge("sidecar_places", "Places for requests that are worked on", ["place"], registry=registry)
        self.waits = Histogram(
            "sidecar_wait_seconds",
            "Time that requests waited for a place, and questions for Directus, of those that had to wait",
            ["queue"],
            buckets=_SECONDS,
            registry=registry,
        )

    def _make_stripe(self, registry: CollectorRegistry) -> None:
        self.rate_limited = Counter(
            "sidecar_stripe_rate_limited", "Answers 429 of Stripe, by what they are about", ["about"], registry=registry
        )
        self.turns = Histogram(
            "sidecar_stripe_turn_seconds",
            "Time that calls to Stripe waited for their turn",
            ["urgency"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.key_rejected = Gauge(
            "sidecar_stripe_key_rejected", "Whether Stripe rejected the key at its last use", registry=registry
        )
        self.refused = Counter(
            "sidecar_stripe_refused", "Calls to Stripe that could not have had their turn in time", registry=registry
        )
        self.reads = Counter(
            "sidecar_stripe_reads",
            "Pages and objects of Stripe to be shown, where STRIPE_READ_CACHE is set, by whether it was asked",
            ["answer"],
            registry=registry,
        )
        self.remembered = Gauge(
            "sidecar_remembered_bytes", "Bytes of Stripe's answers that are remembered", registry=registry
        )
        self.pending = Counter(
            "sidecar_write_backs_pending", "Customers whose ID could not be written back", registry=registry
        )
        self.webhooks = Counter("sidecar_webhooks", "Stripe's events received", ["type", "result"], registry=registry)

    def _make_shared(self, registry: CollectorRegistry) -> None:
        self.shared_up = Gauge("sidecar_shared_up", "Whether Redis answers; NaN without REDIS", registry=registry)
        self.replicas = Gauge("sidecar_replicas", "Replicas that live, as Redis counts them", registry=registry)
        for gauge in (self.shared_up, self.replicas):
            gauge.set(float("nan"))
        self.shared_seconds = Histogram(
            "sidecar_shared_seconds", "Time of a command to Redis", ["part"], buckets=_QUICK, registry=registry
        )
        self.shared_errors = Counter(
            "sidecar_shared_errors", "Commands to Redis without a usable answer", ["part"], registry=registry
        )

    def _begin_with_all_labels(self) -> None:
        for metric, label in (
            (self.failures, "outcome"),
            (self.places, "place"),
            (self.waits, "queue"),
            (self.cache, "result"),
            (self.reads, "answer"),
            (self.purges, "cause"),
            (self.upstream, "upstream"),
            (self.rate_limited, "about"),
            (self.turns, "urgency"),
            (self.questions, "state"),
            (self.shared_seconds, "part"),
            (self.shared_errors, "part"),
        ):
            for value in _KNOWN[label]:
                metric.labels(value)

    def answered(self, operation: str, status: str, verdict: str, outcome: Outcome, seconds: float) -> None:
        """Count a request and its time."""
        self._children(self.requests, (operation, status, verdict)).inc()
        if outcome in _FAILURES:
            self._children(self.failures, (outcome,)).inc()
        histogram = self._histograms.get((operation, outcome))
        if histogram is None:
            histogram = self._histograms[operation, outcome] = self.seconds.labels(operation, outcome)
        histogram.observe(seconds)

    def found(self, result: str) -> None:
        """Count a question for permissions by how it was answered."""
        self._children(self.cache, (result,)).inc()

    def timed(self, upstream: str) -> "_Timed":
        """Count how long the block takes, however it ends."""
        return _Timed(self, upstream)

    def took(self, upstream: str, seconds: float) -> None:
        """Count a call to an upstream."""
        self._upstreams[upstream].observe(seconds)
        if self._took is not None:
            self._took(upstream, seconds)

    def _children(self, counter: Counter, labels: tuple[str, ...]) -> Counter:
        """Give the counter of these labels. Finding it takes longer than counting, and labels come from fixed sets."""
        found = self._counters.get((counter, labels))
        if found is None:
            found = self._counters[counter, labels] = counter.labels(*labels)
        return found

    def exposition(self) -> bytes:
        """Give everything in Prometheus's text format."""
        return generate_latest(self._registry)


class _Timed:
    __slots__ = ("_began", "_metrics", "_upstream")

    def __init__(self, metrics: Metrics, upstream: str) -> None:
        self._metrics, self._upstream = metrics, upstream

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_ended: object) -> None:
        self._metrics.took(self._upstream, perf_counter() - self._began)
