"""Judges what a caller got: the status, the form, the headers, and whose data it shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.core.operations.table import OPERATIONS
from tests.doubles.running_app import spellings
from tests.doubles.wire import Answer
from tests.fuzz import people
from tests.fuzz.answers import Unreadable, answers
from tests.fuzz.client import Received
from tests.fuzz.generator import Sent
from tests.fuzz.world import ORIGIN, SECRETS, UNMAPPED, UNMAPPED_IN_SHOP, mark

_FORMS = tuple(form for secret in sorted(SECRETS) for form in sorted(spellings(secret)))
_NEVER = ("Set-Cookie", "Location", "X-Powered-By", "Stripe-Version", "Idempotent-Replayed", "X-Injected")
_MUST = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "directus-stripe-sidecar"}
# The tables of errors in sidecar/README.md; the codes of a credential are Directus's own.
_CODES = {
    *("NO_CREDENTIALS", "INVALID_CREDENTIALS", "TOKEN_EXPIRED", "INVALID_TOKEN", "INVALID_PAYLOAD", "INVALID_QUERY"),
    *("FORBIDDEN", "ROUTE_NOT_FOUND", "METHOD_NOT_ALLOWED", "REQUEST_TIMEOUT", "CONTENT_TOO_LARGE", "CONFLICT"),
    *("UNSUPPORTED_MEDIA_TYPE", "REQUEST_HEADER_FIELDS_TOO_LARGE", "EXPECTATION_FAILED", "TOO_MANY_CUSTOMERS"),
    *("STRIPE_REJECTED", "REQUESTS_EXCEEDED", "OPERATION_OFF", "FOREIGN_ORIGIN", "NO_CUSTOMER_YET"),
}
# sidecar/README.md, "Who is down, and what the caller sees": nothing else of the service is a 5xx.
OUTAGES = {(503, "SERVICE_UNAVAILABLE"), (502, "STRIPE_UNAVAILABLE"), (504, "STRIPE_TIMEOUT")}
# Refusals before any request to Stripe. A foreign object may be looked at; a cursor is compared with an own list.
_BEFORE_STRIPE = {
    *("NO_CREDENTIALS", "INVALID_CREDENTIALS", "TOKEN_EXPIRED", "INVALID_TOKEN", "ROUTE_NOT_FOUND"),
    *("METHOD_NOT_ALLOWED", "CONTENT_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "REQUEST_HEADER_FIELDS_TOO_LARGE"),
    *("OPERATION_OFF", "FOREIGN_ORIGIN", "NO_CUSTOMER_YET"),
}
_BY_SHOP = {row.name for row in OPERATIONS if not row.on_customers}  # whose fields decide on what they answer
_WORDS = (*people.WORDS, people.FOREIGN, people.HIDDEN)
_AT_ONCE = 5.0  # seconds: below every deadline by which the service ends a connection whose request does not come
Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Got:
    """What a request got. `asked` and `changed` count the requests to Stripe, and those that change something there."""

    sent: Sent
    received: Received
    asked: int = 0
    changed: int = 0

    @property
    def raw(self) -> bytes:
        return self.received.raw

    @property
    def read(self) -> list[Answer]:
        """Raises Unreadable."""
        return list(answers(self.raw, to_head=self.sent.draft.method == "HEAD", seconds=self.received.seconds))


def faults(got: Got, *, trouble: bool) -> Iterator[Fault]:
    """Name what does not hold; `trouble`: the upstreams fail now and then, so outages are answers too."""
    seconds = got.received.seconds
    if not got.received.ended and not got.received.left:
        yield "no hang", f"nothing ended the connection in {seconds:.0f} s"
    yield from (("no secret", f"{form} is in {got.raw[:300]!r}") for form in shown(got.raw))
    yield from _foreign(got)
    yield from _without_consent(got)
    try:
        read = got.read
    except Unreadable as error:
        yield "HTTP", f"{error} in {got.raw[:300]!r}"
        return
    for answer in read:
        yield from _of_answer(got, answer, trouble=trouble)
    if not read and _should_be_answered(got):
        yield "HTTP", f"closed without an answer after {seconds:.2f} s"
    # A Directus in trouble may refuse a token at its second question, once an object was read to find its owner.
    calls = got.changed if trouble else got.asked
    if calls and read and all(_code(answer) in _BEFORE_STRIPE for answer in read):
        yield "no call without a verdict", f"{calls} requests to Stripe for {[_code(answer) for answer in read]}"


def shown(raw: bytes) -> list[str]:
    """Name the secrets, in any spelling, that a text contains."""
    text = raw.decode("latin-1")
    return [form for form in _FORMS if form in text]


def _of_answer(got: Got, answer: Answer, *, trouble: bool) -> Iterator[Fault]:
    code = _code(answer)
    if not answer.whole and not (trouble and answer.status == 200) and not got.received.left:
        yield "HTTP", f"{answer.status} broke off after {len(answer.body)} bytes"
    if answer.status >= 500 and not _may_fail(got, answer, code, trouble=trouble):
        yield "no 5xx", f"{answer.status} {code}"
    if answer.status >= 400 and answer.body and code not in _CODES and (answer.status, code) not in OUTAGES:
        yield "documented errors", f"{answer.status} {code}: {answer.body[:200]!r}"
    yield from _of_headers(answer)


def _of_headers(answer: Answer) -> Iterator[Fault]:
    names = [name.lower() for name, _ in answer.headers]
    for name, value in _MUST.items():
        if [given for header, given in answer.headers if header.lower() == name.lower()] != [value]:
            yield "headers", f"{name} is missing or another one"
    yield from (("headers", f"{name} is there") for name in _NEVER if name.lower() in names)
    origins = [value for name, value in answer.headers if name.lower() == "access-control-allow-origin"]
    if origins not in ([], [ORIGIN]):
        yield "headers", f"Access-Control-Allow-Origin: {origins}"


def _may_fail(got: Got, answer: Answer, code: str | None, *, trouble: bool) -> bool:
    """Without trouble only an event is refused like that, so that Stripe sends it again, and a line that is full."""
    if answer.status == 503 and got.sent.draft.method == "HEAD":
        return trouble
    return (answer.status, code) in OUTAGES and (
        trouble or (answer.status == 503 and got.sent.draft.seed == "webhooks")
    )


def _foreign(got: Got) -> Iterator[Fault]:
    """Look for what none of the people in this request may see."""
    holders = {person.name: person for person, _ in got.sent.holders if person.known}.values()
    seen = got.raw.decode("latin-1")
    by_shop = got.sent.draft.seed in _BY_SHOP
    if UNMAPPED in seen and not any(person.everything or (by_shop and _sees_shop(person)) for person in holders):
        yield "fields", "an attribute that no field maps to"
    if UNMAPPED_IN_SHOP in seen and not any(person.everything or _sees_shop(person) for person in holders):
        yield "fields", "an attribute of the shop's that no field maps to"
    for word in _WORDS:
        if any(person.sees(word) for person in holders):
            continue
        if mark(word) in seen:
            yield "no foreign datum", f"contents of {word}"
        elif f"_{word}" in seen and (word == people.HIDDEN or f"_{word}".encode() not in got.sent.data):
            yield "no foreign datum", f"an ID of {word}"


def _sees_shop(person: people.Person) -> bool:
    return "*" in people.fields_of(person.grant(people.SHOP, "read"))


def _without_consent(got: Got) -> Iterator[Fault]:
    """X1, X2: a change with a cookie alone came from this origin or a listed one, and no form can have sent it."""
    draft = got.sent.draft
    if not got.changed or draft.raw or draft.tail or draft.values("Authorization") or "access_token" in draft.target:
        return
    allowed = {"https://sidecar.test", "http://sidecar.test", ORIGIN}
    if foreign := set(draft.values("Origin")) - allowed:
        yield "browsers", f"a change from {foreign}"
    if draft.values("Content-Type")[:1] == ["text/plain"]:
        yield "browsers", "a change that any page's form can send"


def _should_be_answered(got: Got) -> bool:
    """A client that stays, and has sent a whole head, gets an answer, unless its body does not come."""
    return not got.received.left and got.received.seconds < _AT_ONCE and b"\r\n\r\n" in got.sent.data


def _code(answer: Answer) -> str | None:
    try:
        return answer.code if answer.status >= 400 else None
    except (ValueError, KeyError, TypeError, IndexError):
        return "no code"
