"""The fuzz run finds what it looks for: bad answers, bad lines in the log, and bad requests to the upstreams."""

import base64
import json
from dataclasses import dataclass, replace

import pytest
from aiohttp import web

from tests.doubles.directus import DirectusDouble
from tests.doubles.events import SECRET
from tests.doubles.running_app import KEY, SERVICE_TOKEN
from tests.doubles.server import Recorded
from tests.doubles.stripe import CLIENT_SECRET, StripeDouble
from tests.fuzz import world
from tests.fuzz.client import Received
from tests.fuzz.drafts import Draft
from tests.fuzz.exchanges import Got, faults
from tests.fuzz.findings import Findings
from tests.fuzz.generator import Sent
from tests.fuzz.people import BY_NAME
from tests.fuzz.service_log import faults_of
from tests.fuzz.upstreams import Upstreams
from tests.fuzz.world import UNMAPPED, UNMAPPED_IN_SHOP, mark

HEADERS = (
    "Content-Type: application/json",
    "Server: directus-stripe-sidecar",
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
)
NEVER = 999.0
MEMBERS = "MARKEDtoken-member-1/+~"


def sent(name: str = "member", *headers: tuple[str, str], **others: str) -> Sent:
    """Make a request by this person, with its token as a bearer token unless `headers` are given."""
    person = BY_NAME[name]
    token = person.token(1)
    draft = Draft(
        others.get("seed", "payments.list"),
        others.get("method", "GET"),
        "/stripe/payments",
        list(headers or (("Authorization", f"Bearer {token}"),)),
        holders=[(person, token)],
        identity="fuzz-1-request",
    )
    return Sent(1, draft, draft.written())


def answer(
    body: str = "[]", status: int = 200, *, headers: tuple[str, ...] = HEADERS, length: int | None = None
) -> bytes:
    lines = (f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body) if length is None else length}", "", "")
    return "\r\n".join(lines).encode() + body.encode()


def error(code: str, status: int) -> bytes:
    return answer(json.dumps({"errors": [{"message": "x", "extensions": {"code": code}}]}), status)


def got(raw: bytes, by: Sent | None = None, *, asked: int = 0, changed: int = 0) -> Got:
    return Got(by or sent(), Received(raw, 0.1, ended=True), asked, changed)


def rules(it: Got, *, trouble: bool = False) -> set[str]:
    return {rule for rule, _ in faults(it, trouble=trouble)}


GOOD = {
    "a list": got(answer()),
    "an own object": got(answer(json.dumps({"id": "pi_OWN", "description": mark("OWN")}))),
    "everything, for an administrator": got(answer(UNMAPPED + mark("HIDDEN") + "cus_HIDDEN"), sent("admin")),
    "a refusal": got(error("FORBIDDEN", 401)),
    "an event that Stripe has to send again": got(error("SERVICE_UNAVAILABLE", 503), sent(seed="webhooks")),
    "a change from a listed origin": got(
        answer(), sent("visitor", ("Cookie", "x"), ("Origin", world.ORIGIN), method="POST"), asked=1, changed=1
    ),
}
BAD = {
    "an error of the service": ("no 5xx", got(error("INTERNAL_SERVER_ERROR", 500))),
    "an outage without a reason": ("no 5xx", got(error("SERVICE_UNAVAILABLE", 503))),
    "a status without a code": ("no 5xx", got(answer("<h1>Bad Gateway</h1>", 502))),
    "an undocumented code": ("documented errors", got(error("TEAPOT", 418))),
    "no shape of an error": ("documented errors", got(answer('{"error": "x"}', 400))),
    "a hang": ("no hang", Got(sent(), Received(answer(), NEVER, ended=False))),
    "nothing at all": ("HTTP", got(b"")),
    "no HTTP": ("HTTP", got(b"Traceback (most recent call last):\r\n\r\n")),
    "half an answer": ("HTTP", got(answer(length=500))),
    "an injected header": ("HTTP", got(answer(headers=(*HEADERS, "X Injected: 1")))),
    "a header of an upstream's": ("headers", got(answer(headers=(*HEADERS, "Set-Cookie: a=b")))),
    "an answer that may be stored": ("headers", got(answer(headers=HEADERS[:2]))),
    "a foreign origin let in": (
        "headers",
        got(answer(headers=(*HEADERS, "Access-Control-Allow-Origin: https://evil.example"))),
    ),
    "contents of another customer": ("no foreign datum", got(answer(mark("HIDDEN")))),
    "an ID of another customer": ("no foreign datum", got(answer('{"id": "pi_HIDDEN"}'))),
    "contents for an unknown token": ("no foreign datum", got(answer(mark("OWN")), sent("suspended"))),
    "contents for who may choose its customer": ("no foreign datum", got(answer(mark("MEDDLED")), sent("meddler"))),
    "an attribute that is not mapped": ("fields", got(answer(UNMAPPED), sent("clerk"))),
    "one of a product": ("fields", got(answer(UNMAPPED_IN_SHOP), sent("clerk"))),
    "the key": ("no secret", got(answer(KEY))),
    "the token": ("no secret", got(answer(MEMBERS))),
    "the token in base64": ("no secret", got(answer(base64.b64encode(MEMBERS.encode()).decode()))),
    "the signing secret in hexadecimal": ("no secret", got(answer(SECRET.encode().hex()))),
    "a client secret": ("no secret", got(answer(f"https://x.example/?s=pi_1{CLIENT_SECRET}"), sent("admin"))),
    "a refusal that asked Stripe": ("no call without a verdict", got(error("NO_CREDENTIALS", 401), asked=1)),
    "a change from a foreign page": (
        "browsers",
        got(answer(), sent("visitor", ("Cookie", "x"), ("Origin", "https://evil.example"), method="POST"), changed=1),
    ),
    "a change by a form": (
        "browsers",
        got(answer(), sent("visitor", ("Cookie", "x"), ("Content-Type", "text/plain"), method="POST"), changed=1),
    ),
}


@pytest.mark.parametrize("it", GOOD.values(), ids=GOOD)
def test_good_answers(it: Got) -> None:
    """An answer that is as it must be is no finding."""
    assert rules(it) == set()


@pytest.mark.parametrize(("rule", "it"), BAD.values(), ids=BAD)
def test_bad_answers(rule: str, it: Got) -> None:
    """Each bad answer is found, by its rule."""
    assert rule in rules(it)


@pytest.mark.parametrize("raw", [error("SERVICE_UNAVAILABLE", 503), error("STRIPE_UNAVAILABLE", 502)])
def test_outages_are_for_trouble(raw: bytes) -> None:
    """The documented outages are findings only while the upstreams are healthy, and a 500 always is one."""
    assert rules(got(raw)) == {"no 5xx"}
    assert rules(got(raw), trouble=True) == set()
    assert rules(got(error("INTERNAL_SERVER_ERROR", 500)), trouble=True) >= {"no 5xx"}


@pytest.mark.parametrize(
    "line",
    [
        b"Traceback (most recent call last):",
        b"Unclosed client session",
        json.dumps({"logger": "sidecar", "exception": "Traceback"}).encode(),
        json.dumps({"logger": "aiohttp.server", "message": "Unhandled exception"}).encode(),
        json.dumps({"logger": "asyncio", "message": "Task was destroyed but it is pending!"}).encode(),
        json.dumps({"logger": "sidecar.access", "path": f"/stripe/{MEMBERS}"}).encode(),
        json.dumps({"logger": "sidecar", "detail": base64.b64encode(SERVICE_TOKEN.encode()).decode()}).encode(),
    ],
)
def test_bad_lines(line: bytes) -> None:
    """A traceback, a line that is no JSON, an error of a library, and a secret in any spelling are found in the log."""
    assert [*faults_of(line)]


def test_a_good_line() -> None:
    """A line about a request is no finding."""
    assert [*faults_of(b'{"logger": "sidecar.access", "message": "request", "status": 500}')] == []


def recorded(method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> Recorded:
    return Recorded(method, target, (("X-Request-Id", "fuzz-1-request"), *headers), body)


TO_STRIPE = ("Authorization", f"Bearer {KEY}")
OWN_LIST = "/v1/payment_intents?customer=cus_OWN&limit=3"


@dataclass(frozen=True)
class Upstream:
    """One request to an upstream that is made for a person."""

    request: Recorded
    by: str = "member"
    to: str = "Stripe"
    accepted: bool = True


async def found(it: Upstream, directus: DirectusDouble, stripe: StripeDouble) -> list[str]:
    """Judge a request to an upstream, after Directus told the person's permissions if it `accepted` its token."""
    world.furnish(directus, stripe)
    upstreams = Upstreams(directus, stripe, Findings())
    by = sent(it.by)
    upstreams.begin(by)
    token = ("Authorization", f"Bearer {by.holders[0][1]}")
    if it.accepted:
        upstreams.directus_answered(recorded("GET", "/permissions/me", token), web.Response())
    (upstreams.stripe_asked if it.to == "Stripe" else upstreams.directus_asked)(it.request)
    return [finding.rule for finding in upstreams.findings.kept]


ASKED_WELL = {
    "an own list": Upstream(recorded("GET", OWN_LIST, TO_STRIPE)),
    "a look for the owner": Upstream(recorded("GET", "/v1/payment_intents/pi_FOREIGN", TO_STRIPE)),
    "everybody's list": Upstream(recorded("GET", "/v1/payment_intents?limit=2", TO_STRIPE), by="clerk"),
    "an own change": Upstream(recorded("DELETE", "/v1/subscriptions/sub_OWN", TO_STRIPE)),
    "permissions": Upstream(
        recorded("GET", "/permissions/me", ("Authorization", f"Bearer {MEMBERS}"), ("X-Forwarded-For", "127.0.0.1")),
        to="Directus",
    ),
}
ASKED_BADLY = {
    "before Directus": ("no call without a verdict", replace(ASKED_WELL["an own list"], accepted=False)),
    "without the permission": ("no call without a verdict", replace(ASKED_WELL["an own list"], by="outsider")),
    "for nobody": (
        "no call without a verdict",
        Upstream(Recorded("GET", OWN_LIST, (TO_STRIPE, ("X-Request-Id", "another")), b"")),
    ),
    "a change by a reader": (
        "no call without a verdict",
        Upstream(recorded("POST", "/v1/refunds", TO_STRIPE, body=b"payment_intent=pi_OWN"), by="reader"),
    ),
    "another customer's list": (
        "own customers only",
        Upstream(recorded("GET", OWN_LIST.replace("OWN", "FOREIGN"), TO_STRIPE)),
    ),
    "everybody's list": ("own customers only", Upstream(recorded("GET", "/v1/payment_intents?limit=2", TO_STRIPE))),
    "another customer": ("own customers only", Upstream(recorded("GET", "/v1/customers/cus_FOREIGN", TO_STRIPE))),
    "another's subscription": (
        "own customers only",
        Upstream(recorded("DELETE", "/v1/subscriptions/sub_FOREIGN", TO_STRIPE)),
    ),
    "another's payment method": (
        "own customers only",
        Upstream(recorded("POST", "/v1/setup_intents", TO_STRIPE, body=b"customer=cus_OWN&payment_method=pm_FOREIGN")),
    ),
    "an unknown call": ("known upstream requests", Upstream(recorded("GET", "/v1/payouts", TO_STRIPE), by="admin")),
    "another call": ("known upstream requests", Upstream(recorded("POST", "/v1/prices", TO_STRIPE), by="admin")),
    "a parameter of nobody's": (
        "known upstream requests",
        Upstream(recorded("GET", f"{OWN_LIST}&expand[]=data.customer", TO_STRIPE)),
    ),
    "foreign metadata": (
        "known upstream requests",
        Upstream(recorded("POST", "/v1/customers/cus_OWN", TO_STRIPE, body=b"metadata[role]=admin")),
    ),
    "a header of the caller's": (
        "no forwarded headers",
        Upstream(recorded("GET", OWN_LIST, TO_STRIPE, ("Stripe-Account", "acct_1"))),
    ),
    "the caller's token at Stripe": (
        "one credential",
        Upstream(recorded("GET", OWN_LIST, ("Authorization", f"Bearer {MEMBERS}"))),
    ),
    "two keys": ("one credential", Upstream(recorded("GET", OWN_LIST, TO_STRIPE, TO_STRIPE))),
    "another's token": (
        "one credential",
        Upstream(recorded("GET", "/users/me", ("Authorization", "Bearer somebody")), to="Directus"),
    ),
    "no token": ("one credential", Upstream(recorded("GET", "/permissions/me"), to="Directus")),
    "a cookie": (
        "no forwarded headers",
        Upstream(
            recorded("GET", "/users/me", ("Authorization", f"Bearer {MEMBERS}"), ("Cookie", "a=b")), to="Directus"
        ),
    ),
    "a spoofed address": (
        "no forwarded headers",
        Upstream(
            recorded("GET", "/users/me", ("Authorization", f"Bearer {MEMBERS}"), ("X-Forwarded-For", "10.0.0.1")),
            to="Directus",
        ),
    ),
    "another path": (
        "known upstream requests",
        Upstream(recorded("GET", "/items/orders", ("Authorization", f"Bearer {MEMBERS}")), to="Directus"),
    ),
}


@pytest.mark.parametrize("it", ASKED_WELL.values(), ids=ASKED_WELL)
async def test_good_requests_to_upstreams(it: Upstream, directus: DirectusDouble, stripe: StripeDouble) -> None:
    """A request that Directus allows its caller is no finding."""
    assert await found(it, directus, stripe) == []


@pytest.mark.parametrize(("rule", "it"), ASKED_BADLY.values(), ids=ASKED_BADLY)
async def test_bad_requests_to_upstreams(
    rule: str, it: Upstream, directus: DirectusDouble, stripe: StripeDouble
) -> None:
    """Each request that must not be made is found, by its rule."""
    assert rule in await found(it, directus, stripe)
