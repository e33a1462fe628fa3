"""Valid requests: each operation by each caller, and each route beside the operations."""

import json
from collections.abc import Iterator
from random import Random
from urllib.parse import quote

from sidecar.core.operations.row import Kind
from tests.doubles import events
from tests.fuzz.drafts import Draft
from tests.fuzz.people import BY_NAME, FOREIGN, PEOPLE, WORDS, Person
from tests.fuzz.world import FREE_ITEMS, LOGOUT, ORIGIN
from tests.unit.web.table.cases import CASES, JSON, Case

_HOST = "sidecar.test"
_LIVELY = ("admin", "visitor", "clerk", "member", "guest", "wide", "reader")  # those who are let in to something
PLATFORM = ("/healthz", "/readyz", "/metrics", "/stripe/openapi.json")
_UNKNOWN = ("/", "/stripe", "/stripe/payouts", "/stripe/customers/cus_OWN/sources", "/v1/customers", "/stripe/search")


def operation(name: str, person: Person, number: object, random: Random, *, shared: bool = False) -> Draft:
    """Ask for one operation with this person's token, about its own customer where it has one.

    `shared`: the token is one that other requests have too, so that its permissions may be remembered.
    """
    case = _about(CASES[name], person, random)
    body = case.body
    if case.row.kind is Kind.CREATE_CUSTOMER:
        body = json.dumps({**case.json, "item": random.choice(FREE_ITEMS), "name": "Ada"})
        body = case.body if random.random() < 0.3 else body
    draft = _draft(name, case.row.method, f"/stripe{case.target}", number)
    if body is not None:
        draft.headers.append(JSON)
        draft.body = body.encode()
    if case.row.kind is Kind.LIST and random.random() < 0.3:
        _whole(draft, random)
    return carrying(draft, person, person.token("shared" if shared else number), random)


def carrying(draft: Draft, person: Person, token: str, random: Random) -> Draft:
    """Put a token where Directus would look for it; a session mostly is a cookie."""
    draft.holders.append((person, token))
    place = random.choice(("cookie", "cookie", "cookie", "header")) if person.session else random.choice(_PLACES)
    if place == "header":
        draft.headers.insert(1, ("Authorization", f"Bearer {token}"))
    elif place == "query":
        mark = "&" if "?" in draft.target else "?"
        draft.target += f"{mark}access_token={quote(token, safe='')}"
    else:
        draft.headers.insert(1, ("Cookie", f"theme=dark; directus_session_token={token}"))
        if origin := random.choice((None, None, f"https://{_HOST}", ORIGIN, "https://evil.example", "null")):
            draft.headers.append(("Origin", origin))
    return draft


_PLACES = ("header", "header", "header", "header", "header", "query", "cookie")


def event(number: object, random: Random) -> Draft:
    """Send an event of Stripe's about one of the known customers, signed or not."""
    kind = random.choice(("customer.updated", "customer.updated", "customer.deleted", "invoice.paid"))
    body = events.event(kind, f"cus_{random.choice(('FOREIGN', 'HIDDEN', 'WIDE'))}", id=f"evt_{number}")
    draft = _draft("webhooks", "POST", events.PATH, number)
    draft.body, draft.signed = body, random.random() < 0.7
    how = {} if draft.signed else random.choice(({"secret": "whsec_of_somebody_else"}, {"at": 1}, {"scheme": "v0"}))
    draft.headers += events.headers(body, **how)
    return draft


def platform(number: object, random: Random) -> Draft:
    """Ask for a route that is no operation, with anybody's token or none."""
    draft = _draft("platform", "GET", random.choice((*PLATFORM, *_UNKNOWN)), number)
    return _by_anybody(draft, number, random)


def logout(number: object, random: Random) -> Draft:
    draft = _draft("logout", random.choice(("GET", "POST")), "/logout", number)
    if random.random() < 0.5:
        draft.headers.append(("X-Sidecar-Logout", LOGOUT))
    return _by_anybody(draft, number, random)


def preflight(number: object, random: Random) -> Draft:
    case = random.choice(list(CASES.values()))
    draft = _draft("preflight", "OPTIONS", f"/stripe{case.target}", number)
    draft.headers += [
        ("Origin", random.choice((ORIGIN, "https://evil.example", "null"))),
        ("Access-Control-Request-Method", case.row.method),
    ]
    return draft


def any_seed(number: object, random: Random, *, shared: bool = False) -> Draft:
    """Choose a request: mostly an operation, by somebody who may have it."""
    if random.random() < 0.14:
        return random.choices((event, platform, logout, preflight), weights=(5, 5, 2, 2))[0](number, random)
    name = random.choice(list(CASES))
    if random.random() < 0.03:
        return _made_up(name, number, random)
    person = BY_NAME[random.choice(_LIVELY)] if random.random() < 0.75 else random.choice(PEOPLE)
    return operation(name, person, number, random, shared=shared)


def _made_up(name: str, number: object, random: Random) -> Draft:
    """Ask without a token, or with one that nobody has."""
    outsider = BY_NAME["outsider"]
    draft = operation(name, outsider, number, random)
    token = draft.holders.pop()[1]
    made_up = random.choice(("", "x", f"made-up-{number}", "ey.ey.ey", f"{token}x"))
    draft.headers = [(header, value.replace(token, made_up)) for header, value in draft.headers]
    draft.target = draft.target.replace(quote(token, safe=""), made_up)
    return draft


def _by_anybody(draft: Draft, number: object, random: Random) -> Draft:
    person = random.choice(PEOPLE)
    return draft if random.random() < 0.5 else carrying(draft, person, person.token(number), random)


def _about(case: Case, person: Person, random: Random) -> Case:
    if person.word is None:
        return case.about(random.choice((*WORDS, FOREIGN)))
    return case.about(person.word if random.random() < 0.8 else FOREIGN)


def _whole(draft: Draft, random: Random) -> None:
    """Ask for the whole list in place of a page."""
    draft.target = draft.target.replace("limit=2&", "").replace("?limit=2", "")
    if random.random() < 0.5:
        draft.headers.append(("Accept", "application/x-ndjson"))


def _draft(seed: str, method: str, target: str, number: object) -> Draft:
    identity = f"fuzz-{number}-request"
    return Draft(
        seed, method, target, [("Host", _HOST), ("Connection", "close"), ("X-Request-Id", identity)], identity=identity
    )


def every_operation() -> Iterator[tuple[str, Person]]:
    """Give each operation with each caller."""
    return ((name, person) for name in CASES for person in PEOPLE)
