"""STRIPE_READ_CACHE over HTTP: who shares an answer of a moment ago, what is never one, and what ends it."""

import gc
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.clients.stripe.recent_answers import RecentAnswers
from tests.doubles.directus import User, full, grants, partial
from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, MEMBER, READER, SERVICE_TOKEN, OpenApp, RunningApp, bearer
from tests.doubles.stripe import CLIENT_SECRET
from tests.doubles.wire import Answer

PAYMENTS, CUSTOMERS = "/stripe/payments?limit=10", "/stripe/customers?limit=10"
SETTINGS = {"STRIPE_READ_CACHE": "60", "STRIPE_WEBHOOK_SECRET": SECRET, "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN}
OTHER = User("user-other", "MARKED-other/+token~", grants(read=partial("id", "stripe_customer_id")))
COLLEAGUE = User("user-colleague", "MARKED-colleague/+token~", grants(read=full()))


@pytest.fixture
async def app(open_app: OpenApp, tmp_path: Path) -> RunningApp:
    operations = tmp_path / "operations.toml"
    operations.write_text("[customers.retrieve]\n[payment_intents.retrieve]\n")
    return await remembering(open_app, STRIPE_OPERATIONS=str(operations))


async def remembering(open_app: OpenApp, **settings: str) -> RunningApp:
    """Start the application; two members have a customer each, and each customer has a payment."""
    app = await open_app(**{**SETTINGS, **settings})
    app.directus.add_users([OTHER, COLLEAGUE])
    app.tokens |= {OTHER.token, COLLEAGUE.token, SECRET}
    for owner in (MEMBER, OTHER):
        customer = f"cus_{owner.name.removeprefix('user-').upper()}"
        app.stripe.add_customer(id=customer)
        app.stripe.add_payment(id=f"pi_{customer[4:]}", customer=customer)
        app.directus.add_row(owner=owner.name, stripe_customer_id=customer)
    return app


async def ids(app: RunningApp, user: User, target: str) -> list[str]:
    answer = await app.call(user, target)
    assert answer.status == 200, answer
    return [entry["id"] for entry in answer.json()["data"]]


def asked(app: RunningApp, path: str = "") -> int:
    return sum(request.path.startswith(path) for request in app.stripe.asked)


async def test_a_page_for_all_who_may_see_it(app: RunningApp) -> None:
    """Callers one after the other are one request at Stripe, and each sees of it what its own fields show."""
    answers = [await app.call(user, CUSTOMERS) for user in (CLERK, COLLEAGUE, READER, CLERK)]

    assert asked(app) == 1
    assert [answer.header("Age") for answer in answers] == [None, "0", "0", "0"]
    assert answers[0].json() == answers[1].json() == answers[3].json()
    assert set(answers[2].json()["data"][0]) < set(answers[0].json()["data"][0])
    assert "metadata" not in answers[2].json()["data"][0]


async def test_its_age_is_logged(app: RunningApp) -> None:
    """The log line of a request says so if it was answered from memory."""
    for _ in range(2):
        await app.call(CLERK, PAYMENTS)

    assert ["age" in line for line in log_records(app.log, "request")] == [False, True]


async def test_a_page_with_secrets(app: RunningApp) -> None:
    """O4: payments, which have secrets, are remembered without them, and look the same as when they were new."""
    new, recent = [await app.call(CLERK, PAYMENTS) for _ in range(2)]

    assert (asked(app), new.json()) == (1, recent.json())


async def test_off_by_default(open_app: OpenApp) -> None:
    """Without the setting Stripe is asked each time, and no answer has an age."""
    app = await remembering(open_app, STRIPE_READ_CACHE="")

    answers = [await app.call(CLERK, target) for target in (PAYMENTS, "/stripe/customers/cus_MEMBER") for _ in range(2)]

    assert (asked(app), {answer.header("Age") for answer in answers}) == (4, {None})


async def test_whole_lists_are_new(app: RunningApp) -> None:
    """A whole list is read anew each time, by a clerk and by a member."""
    for user in (CLERK, MEMBER):
        before = asked(app)
        for _ in range(2):
            await app.call(user, "/stripe/payments")
        assert asked(app) == before + 2


async def test_a_change_made_here(app: RunningApp) -> None:
    """C7: what a caller changes is seen at once, by everybody."""
    before = await ids(app, COLLEAGUE, CUSTOMERS)

    made = (await app.create()).json()["id"]

    assert await ids(app, COLLEAGUE, CUSTOMERS) == [made, *before]


async def test_an_event(app: RunningApp) -> None:
    """C7: what an event tells of is seen at once, also in what the event does not name."""
    before = await ids(app, CLERK, PAYMENTS)
    status = (await app.call(CLERK, "/stripe/customers/cus_MEMBER")).json()
    payment = app.stripe.add_payment()
    app.stripe.customers[-1]["balance"] = 500
    body = event("charge.succeeded", {"id": "ch_1", "object": "charge"})

    told = await app.call(None, PATH, method="POST", headers=headers(body), body=body)

    assert told.status == 200
    assert await ids(app, CLERK, PAYMENTS) == [payment["id"], *before]
    assert (await app.call(CLERK, "/stripe/customers/cus_MEMBER")).json() == {**status, "balance": 500}


async def test_an_event_that_is_not_signed(app: RunningApp) -> None:
    """A stranger who sends what looks like an event makes nothing be asked anew."""
    await app.call(CLERK, PAYMENTS)
    body = event("charge.succeeded", {"id": "ch_1", "object": "charge"})

    told = await app.call(None, PATH, method="POST", headers=headers(body, secret="whsec_guessed"), body=body)

    await app.call(CLERK, PAYMENTS)
    assert (told.status, asked(app)) == (400, 1)


async def test_members_have_pages_of_their_own(app: RunningApp) -> None:
    """R2: a member is given again what is its own, never what is another's or the account's."""
    for _ in range(2):
        assert await ids(app, CLERK, PAYMENTS) == ["pi_OTHER", "pi_MEMBER"]
        assert await ids(app, MEMBER, PAYMENTS) == ["pi_MEMBER"]
        assert await ids(app, OTHER, PAYMENTS) == ["pi_OTHER"]
        assert await ids(app, MEMBER, CUSTOMERS) == ["cus_MEMBER"]
        assert await ids(app, OTHER, CUSTOMERS) == ["cus_OTHER"]

    assert asked(app) == 5


async def test_a_member_is_asked_for_its_rows_each_time(app: RunningApp) -> None:
    """R1: a row that was taken away is taken away at once, although its page is remembered."""
    await ids(app, MEMBER, PAYMENTS)
    before = asked(app)
    app.directus.rows["customers"].clear()

    answer = await app.call(MEMBER, PAYMENTS)

    assert (answer.status, answer.json()["data"], asked(app)) == (200, [], before)


async def test_the_gate_comes_first(app: RunningApp) -> None:
    """C6: who is logged out is refused at once, although the page is remembered."""
    await app.call(CLERK, PAYMENTS)
    await app.log_out(bearer(CLERK.token))
    app.directus.users[CLERK.token] = replace(CLERK, refused="INVALID_CREDENTIALS")

    answer = await app.call(CLERK, PAYMENTS)

    assert (answer.status, answer.header("Age"), asked(app)) == (401, None, 1)


async def test_whose_an_object_is(app: RunningApp) -> None:
    """R2: by which a member's right to an object is judged is always new; a clerk is given it again."""
    for _ in range(2):
        assert (await app.call(CLERK, "/stripe/payment_intents/pi_MEMBER")).status == 200
    assert asked(app, "/v1/payment_intents/") == 1
    app.stripe.payments[-1]["customer"] = "cus_OTHER"

    assert (await app.call(MEMBER, "/stripe/payment_intents/pi_MEMBER")).status == 401
    assert (await app.call(OTHER, "/stripe/payment_intents/pi_MEMBER")).status == 200
    assert asked(app, "/v1/payment_intents/") == 3


async def test_a_foreign_cursor_is_not_remembered(app: RunningApp) -> None:
    """R3: another's object as a cursor costs as many requests as an absent one, also where a clerk was shown it."""
    await app.call(CLERK, "/stripe/payment_intents/pi_OTHER")
    found = []

    for cursor in ("pi_OTHER", "pi_ABSENT"):
        for _ in range(2):
            before = asked(app)
            answer = await app.call(MEMBER, f"{PAYMENTS}&starting_after={cursor}")
            found.append((answer.status, answer.json()["errors"][0]["message"], asked(app) - before))

    assert len(set(found)) == 1
    assert found[0][0] == 400


async def test_what_is_not_there_is_asked_for_each_time(app: RunningApp) -> None:
    """An object that Stripe did not have may be there now."""
    missing = await app.call(CLERK, "/stripe/customers/cus_LATER")
    app.stripe.add_customer(id="cus_LATER")

    assert (missing.status, (await app.call(CLERK, "/stripe/customers/cus_LATER")).status) == (404, 200)


async def test_who_sees_secrets_asks_stripe(open_app: OpenApp) -> None:
    """O4: where an answer shows secrets Stripe is asked for it each time; what has none is given to everybody again."""
    app = await remembering(open_app, STRIPE_EXPOSE_CLIENT_SECRET="true")
    app.shows_client_secrets = True
    await app.call(READER, PAYMENTS)

    clerk, again, reader = [await app.call(user, PAYMENTS) for user in (CLERK, CLERK, READER)]

    assert [_secrets(answer) for answer in (clerk, again, reader)] == [2, 2, 0]
    assert [answer.header("Age") for answer in (clerk, again, reader)] == [None, None, "0"]
    assert asked(app) == 3
    for user in (READER, CLERK, COLLEAGUE):
        await app.call(user, CUSTOMERS)
    assert asked(app) == 4


def _secrets(answer: Answer) -> int:
    return answer.body.count(CLIENT_SECRET.encode())


async def test_no_secret_is_remembered(open_app: OpenApp) -> None:
    """S1, O4: after all kinds of reads by all kinds of callers what is remembered holds no secret."""
    app = await remembering(open_app, STRIPE_EXPOSE_CLIENT_SECRET="true")
    app.shows_client_secrets = True
    app.stripe.add_payment(customer="cus_MEMBER", note=f"pi_1{CLIENT_SECRET}", deep=[{"é": {"client_secret": "x"}}])
    for user in (CLERK, MEMBER, READER):
        for target in (PAYMENTS, CUSTOMERS, "/stripe/customers/cus_MEMBER"):
            await app.call(user, target)

    every = [one for one in gc.get_objects() if isinstance(one, RecentAnswers)]
    held = [answer.content for recent in every for answer in recent._answers.values()]
    texts = [one if isinstance(one, bytes) else (one.raw or b"") + (one.written or b"") for one in held]
    assert len(texts) >= 6
    assert [text for text in texts if CLIENT_SECRET.encode() in text or b"client_secret" in text] == []


async def test_cache_control_changes_nothing(app: RunningApp) -> None:
    """Browsers send `no-cache` for what they shall not store, so it makes nobody ask Stripe."""
    for _ in range(3):
        await app.call(CLERK, PAYMENTS, headers=[("Cache-Control", "no-cache"), ("Pragma", "no-cache")])

    assert asked(app) == 1


async def test_other_origins_may_read_the_age(open_app: OpenApp) -> None:
    """X3: a page of a listed origin may read `Age`."""
    app = await remembering(open_app, ALLOWED_ORIGINS="https://app.example.com")
    app.lets_origins_in = True

    answer = await app.call(CLERK, PAYMENTS, headers=[("Origin", "https://app.example.com")])

    assert "Age" in (answer.header("Access-Control-Expose-Headers") or "")
