"""Judges each request to an upstream when it arrives: whose it is, what it says, and whether it may be made.

A request belongs to the caller's request with its X-Request-Id. Where that is not known, the token in a question to
Directus tells, since no two such requests share a token.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web

from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import KEY, SERVICE_TOKEN
from tests.doubles.server import Recorded
from tests.doubles.stripe import StripeDouble, is_probe
from tests.fuzz import truth
from tests.fuzz.findings import Findings
from tests.fuzz.generator import Sent

_TO_STRIPE = {
    *("accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host"),
    *("idempotency-key", "stripe-version", "user-agent", "x-request-id", "x-stripe-client-user-agent"),
    "x-stripe-client-telemetry",  # Stripe's library: the ID and the duration of its last request
}
_TO_DIRECTUS = {
    *("accept", "accept-encoding", "authorization", "cache-control", "connection", "content-length", "content-type"),
    *("host", "user-agent", "x-forwarded-for", "x-request-id"),
}
_DIRECTUS = re.compile(
    r"GET /permissions/me(/customers/[^/]+)?|GET /(users|roles)/me|(SEARCH|POST|PATCH) /items/customers"
    r"|GET /items/customers(/[^/]+)?|(SEARCH|GET) /(access|permissions|policies|roles)|GET /server/(info|ping)"
)
_OPEN = ("webhooks",)  # no caller of these is asked who it is


@dataclass(slots=True)
class Upstreams:
    """`asked` counts the requests to Stripe by request number. A request is known from `begin` to `end`."""

    directus: DirectusDouble
    stripe: StripeDouble
    findings: Findings
    asked: Counter[int] = field(default_factory=Counter)
    changed: Counter[int] = field(default_factory=Counter)
    total: int = 0
    _live: dict[int, Sent] = field(default_factory=dict)
    _by_identity: dict[str, Sent] = field(default_factory=dict)
    _by_token: dict[str, Sent] = field(default_factory=dict)
    _given: set[tuple[int, str]] = field(default_factory=set)
    _accepted: set[str] = field(default_factory=set)

    def begin(self, sent: Sent) -> None:
        self._live[sent.number] = sent
        if sent.draft.identity is not None:
            self._by_identity[sent.draft.identity] = sent
        for person, token in sent.holders:
            self.directus.users[token] = person.known_by(token)
            self._by_token[token] = sent

    def forget(self, numbers: set[int]) -> None:
        """Forget what was known of requests that have ended."""
        for known in (self._by_identity, self._by_token):
            for name in [name for name, sent in known.items() if sent.number in numbers]:
                del known[name]
                self.directus.users.pop(name, None)
        for number in numbers:
            self._live.pop(number, None)
            self.asked.pop(number, None)
            self.changed.pop(number, None)

    def directus_asked(self, request: Recorded) -> None:
        """Judge a question to Directus: a known one, with this caller's token or the service's, and nothing else."""
        given = request.values("Authorization")
        token = given[0].removeprefix("Bearer ") if given else ""
        sent = self._owner(request)
        if sent is None and token != SERVICE_TOKEN and (sent := self._with_token(token)) is not None:
            self._by_identity[_identity(request)] = sent
        if len(given) != 1 or not given[0].startswith("Bearer "):
            self._fault("one credential", f"Directus got {len(given)} credentials", sent)
        elif token != SERVICE_TOKEN and (sent is None or not _contains(sent, token)):
            self._fault("one credential", "Directus got a token that the request does not contain", sent)
        if not _DIRECTUS.fullmatch(f"{request.method} {request.path}") or "access_token" in request.target:
            self._fault("known upstream requests", f"{request.method} {request.target} at Directus", sent)
        if others := {name.lower() for name, _ in request.headers} - _TO_DIRECTUS:
            self._fault("no forwarded headers", f"Directus got {sorted(others)}", sent)
        if token != SERVICE_TOKEN and request.values("X-Forwarded-For") != ["127.0.0.1"]:
            self._fault("no forwarded headers", f"the address is {request.values('X-Forwarded-For')}", sent)

    def directus_answered(self, request: Recorded, answer: web.StreamResponse) -> None:
        """Note that Directus told a caller's permissions."""
        if request.path == "/permissions/me" and answer.status == 200:
            self._accepted.update(value.removeprefix("Bearer ") for value in request.values("Authorization"))

    def stripe_asked(self, request: Recorded) -> None:
        """Judge a request to Stripe: Directus allowed it to this caller before, and it is about its own customers."""
        sent = self._owner(request)
        self.total += 1
        self._judge_form(request, sent)
        sent = sent or self._event_about(request.path.rpartition("/")[2])
        if sent is None:
            if not is_probe(request):
                self._fault("no call without a verdict", f"{request.method} {request.target} for nobody", None)
            return
        self.asked[sent.number] += 1
        self.changed[sent.number] += request.method != "GET"
        if sent.draft.seed not in _OPEN or not sent.draft.signed:
            self._judge_caller(request, sent)
        elif request.method != "GET":
            self._fault("no call without a verdict", f"an event causes {request.method} {request.target}", sent)

    def stripe_answered(self, request: Recorded, answer: web.StreamResponse) -> None:
        """Note the customer that Stripe gives to who creates one; a repeated answer may name an earlier one."""
        sent = self._owner(request)
        if sent is not None and (request.method, request.path) == ("POST", "/v1/customers") and answer.status == 200:
            assert isinstance(answer, web.Response)
            self._given.add((sent.number, f"/v1/customers/{json.loads(answer.text or '')['id']}"))

    def _judge_caller(self, request: Recorded, sent: Sent) -> None:
        asking = [person for person, token in sent.holders if token in self._accepted]
        allowed = [person for person in asking if truth.may_cause(person, request)]
        what = f"{request.method} {request.target}"
        if not allowed:
            self._fault("no call without a verdict", what, sent)
            return
        if request.method == "GET" and (sent.number, request.path) in self._given:
            return
        strangers = [truth.foreign(person, request, self.directus, self.stripe) for person in allowed]
        if all(strangers):
            self._fault("own customers only", f"{what} {request.body!r} has to do with {strangers}", sent)

    def _judge_form(self, request: Recorded, sent: Sent | None) -> None:
        if request.values("Authorization") != [f"Bearer {KEY}"]:
            self._fault("one credential", "Stripe got another key, or several", sent)
        if others := {name.lower() for name, _ in request.headers} - _TO_STRIPE:
            self._fault("no forwarded headers", f"Stripe got {sorted(others)}", sent)
        if not truth.is_look(request) and not truth.operations(request):
            self._fault("known upstream requests", f"{request.method} {request.target} at Stripe", sent)
        if unknown := truth.unknown_parameters(request):
            self._fault("known upstream requests", f"{request.target} with {unknown} at Stripe", sent)

    def _owner(self, request: Recorded) -> Sent | None:
        return self._by_identity.get(_identity(request))

    def _with_token(self, token: str) -> Sent | None:
        """Find the request of a token, which a mutation may have changed."""
        return self._by_token.get(token) or next((sent for sent in self._live.values() if _contains(sent, token)), None)

    def _event_about(self, customer: str) -> Sent | None:
        """Find an event that names a customer, for one whose X-Request-Id is not known."""
        events = (sent for sent in self._live.values() if sent.draft.signed)
        return next((sent for sent in events if f'"{customer}"'.encode() in sent.data), None)

    def _fault(self, rule: str, what: str, sent: Sent | None) -> None:
        self.findings.add(rule, what, sent)


def _identity(request: Recorded) -> str:
    return "".join(request.values("X-Request-Id"))


def _contains(sent: Sent, token: str) -> bool:
    """Say whether a request contains a token, plain or as in a URL; mutations may have changed it."""
    data = sent.data.decode("latin-1")
    return token in data or token in unquote(data)
