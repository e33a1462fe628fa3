"""What pages of other sites may do with a visitor's session, on every row that changes something."""

import pytest

from tests.doubles.running_app import OpenApp, RunningApp, bearer
from tests.unit.web.table.cases import CASES, ENDING
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER

CHANGING = {name: case for name, case in CASES.items() if case.row.method != "GET"}
SESSION = ("Cookie", f"directus_session_token={MANAGER.token}")
ELSEWHERE = [("Origin", "https://evil.example")]
FOREIGN = {
    "foreign": ELSEWHERE,
    "opaque": [("Origin", "null")],
    "cross-site": [("Sec-Fetch-Site", "cross-site")],
    "other-port": [("Origin", "https://sidecar.test:8443")],
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_a_session_on_a_foreign_page(shop: RunningApp, headers: list[tuple[str, str]]) -> None:
    """X1: with a visitor's session a page of a foreign or opaque origin changes nothing, by DELETE or by POST."""
    answers = {name: await case.call(shop, None, SESSION, *headers) for name, case in CHANGING.items()}

    assert dict.fromkeys(CHANGING, (403, "FOREIGN_ORIGIN")) == {
        name: (each.status, each.code) for name, each in answers.items()
    }
    assert shop.directus.requests == []
    assert shop.stripe.asked == []


async def test_a_session_on_a_page_of_this_site(shop: RunningApp) -> None:
    """X1: the same requests are accepted from a page of this origin, and with a token from anywhere."""
    own = ("Origin", "https://sidecar.test")
    cases = [case for name, case in CHANGING.items() if name not in ENDING]

    by_session = {case.name: (await case.call(shop, None, SESSION, own)).status for case in cases}
    by_token = {case.name: (await case.call(shop, None, bearer(MANAGER.token), *ELSEWHERE)).status for case in cases}

    assert {case.name: case.status for case in cases} == by_session
    for twice in ("payment_intents.cancel", "refunds.create"):  # Stripe refuses these the second time
        del by_token[twice]
    assert by_token.items() <= by_session.items()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_bodies_that_a_form_can_send(shop: RunningApp, content_type: str) -> None:
    """X2: on every row a body of such a type is 415 with a session, even if the row needs no body."""
    kind = ("Content-Type", content_type)

    answers = {name: await case.having().call(shop, None, SESSION, kind) for name, case in CHANGING.items()}

    assert dict.fromkeys(CHANGING, 415) == {name: each.status for name, each in answers.items()}
    assert shop.stripe.asked == []


async def test_a_body_without_a_type(shop: RunningApp) -> None:
    """X2: a body without a content type is 415, even if the row needs no body."""
    answers = {
        name: await shop.call(MANAGER, f"/stripe{case.target}", method=case.row.method, body=b"{}")
        for name, case in CHANGING.items()
    }

    assert dict.fromkeys(CHANGING, 415) == {name: each.status for name, each in answers.items()}


@pytest.mark.parametrize(
    "name", ["payment_intents.cancel", "subscriptions.cancel", "payment_methods.detach", "invoices.create_preview"]
)
async def test_where_no_body_is_needed(shop: RunningApp, name: str) -> None:
    """A change without required parameters is accepted without a body, or with an empty object."""
    case, target = CASES[name], f"/stripe{CASES[name].target}"
    bare = await shop.call(MANAGER, target.replace("_OWN", "_OTHER"), method=case.row.method)
    empty = await shop.call(
        MANAGER, target, method=case.row.method, headers=[("Content-Type", "application/json")], body=b"{}"
    )

    expected = 400 if name == "invoices.create_preview" else 200  # Stripe needs a customer for this one
    assert (expected, expected) == (bare.status, empty.status)


async def test_preflights_name_the_methods(open_shop: OpenShop) -> None:
    """X3: a preflight names the methods of all rows of the path and no others, and no upstream is asked."""
    shop = await open_shop(ALLOWED_ORIGINS="https://app.example.com")
    shop.lets_origins_in = True
    methods: dict[str, set[str]] = {}
    for case in CASES.values():
        methods.setdefault(case.target.partition("?")[0], set()).add(case.row.method)

    for target, expected in methods.items():
        headers = [("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "POST")]
        answer = await shop.call(None, f"/stripe{target}", method="OPTIONS", headers=headers)

        allowed = {each.strip() for each in (answer.header("Access-Control-Allow-Methods") or "").split(",")}
        assert (204, expected) == (answer.status, allowed), target
    assert {"GET", "POST", "DELETE"} == methods["/subscriptions/sub_OWN"]
    assert shop.directus.requests == []
    assert shop.stripe.asked == []


async def test_preflight_of_a_row_that_is_off(open_app: OpenApp) -> None:
    """P3: a preflight lets a page read that a row is off, for which no upstream is asked."""
    app = await open_app(STRIPE_OPERATIONS="/dev/null")

    answers = [await app.call(None, f"/stripe{case.target}", method="OPTIONS") for case in CHANGING.values()]

    assert [answer.status for answer in answers] == [204] * len(CHANGING)
    assert app.directus.requests == []
    assert app.stripe.asked == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "TRACE", "PROPFIND"])
async def test_other_methods(shop: RunningApp, method: str) -> None:
    """P3: a path accepts the methods of its rows and no others, and neither upstream is asked."""
    served = {(case.row.method, case.target.partition("?")[0]) for case in CASES.values()}
    served |= {("HEAD", target) for each, target in served if each == "GET"}
    targets = sorted({case.target.partition("?")[0] for case in CASES.values()})

    answers = {
        target: (await shop.call(MANAGER, f"/stripe{target}", method=method)).status
        for target in targets
        if (method, target) not in served
    }

    assert dict.fromkeys(answers, 405) == answers
    assert len(answers) >= 20
    assert shop.stripe.asked == []
