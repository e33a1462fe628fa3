"""How often Directus is asked, seen from outside."""

import asyncio

import pytest

from tests.doubles import faults
from tests.doubles.directus import User
from tests.doubles.faults import Fault, Stall
from tests.doubles.running_app import CLERK, CREATOR, NOBODY, READER, OpenApp, RunningApp, bearer
from tests.doubles.waiting import eventually
from tests.doubles.wire import request_bytes

CALLERS = 1_000


async def test_many_first_requests_are_one_question(open_app: OpenApp) -> None:
    """C4: 1,000 first requests at once with one token make one Directus call."""
    app = await open_app(MAX_CONCURRENT_REQUESTS=str(CALLERS))
    stall = Stall()
    app.directus.fail(stall)
    sent = request_bytes("GET", "/stripe/payments/cus_A", [bearer(CREATOR.token)], None)

    answers = asyncio.gather(*(app.send(sent) for _ in range(CALLERS)))
    await app.handled(CALLERS)
    stall.release()

    assert [answer.status for answer in await answers] == [401] * CALLERS
    assert len(app.directus.requests) == 1


async def test_allowed_callers_share_a_question_too(app: RunningApp) -> None:
    """C4: the shared answer admits every caller that asked, each with its own list."""
    stall = Stall()
    app.directus.fail(stall)
    expected = app.stripe.add_payments(2)

    answers = asyncio.gather(*(app.call(CLERK) for _ in range(20)))
    await app.handled(20)
    stall.release()

    assert all(expected == [payment["id"] for payment in answer.json()] for answer in await answers)
    assert len(app.directus.requests) == 1


async def test_first_one_to_ask_goes_away(app: RunningApp) -> None:
    """C4: if the caller that started the question goes away, the others are still answered."""
    stall = Stall()
    app.directus.fail(stall)
    _, writer = await asyncio.open_connection("127.0.0.1", app.port)
    writer.write(request_bytes("GET", "/stripe/payments", [bearer(CLERK.token)], None))
    await eventually(lambda: stall.arrived == 1)

    others = asyncio.gather(*(app.call(CLERK) for _ in range(5)))
    await app.handled(6)
    writer.transport.abort()
    stall.release()

    assert [answer.status for answer in await others] == [200] * 5
    assert len(app.directus.requests) == 1


NOT_ASKED = {
    "500": faults.answer(500, '{"errors": []}'),
    "503-pressure": faults.answer(503, '{"errors":[{"message":"","extensions":{"code":"SERVICE_UNAVAILABLE"}}]}'),
    "429": faults.answer(429, '{"errors":[{"message":"","extensions":{"code":"REQUESTS_EXCEEDED"}}]}', Retry_After="7"),
    "200-error": faults.answer(200, '{"errors":[{"message":"","extensions":{}}]}'),
    "200-text": faults.answer(200, "Welcome"),
    "200-null": faults.answer(200, '{"data": null}'),
    "200-list": faults.answer(200, '{"data": []}'),
    "200-empty": faults.answer(200),
    "204": faults.answer(204),
    "404": faults.answer(404, '{"errors":[{"message":"","extensions":{"code":"ROUTE_NOT_FOUND"}}]}'),
    "401-from-a-proxy": faults.answer(401, "<html>Sign in</html>", "text/html"),
    "403-without-code": faults.answer(403, '{"errors":[{"message":"Forbidden"}]}'),
    "redirect": faults.redirect("/elsewhere"),
    "half-json": faults.half_json,
    "reset-before-headers": faults.reset_before_headers,
    "reset-mid-body": faults.reset_mid_body,
    "hang": faults.hang,
}


@pytest.mark.parametrize("fault", NOT_ASKED.values(), ids=NOT_ASKED)
async def test_no_answer_is_not_remembered(open_app: OpenApp, fault: Fault) -> None:
    """C6: "could not ask" is neither a yes nor a no, and the next request after recovery succeeds at once."""
    app = await open_app(DIRECTUS_TIMEOUT="0.3")
    app.directus.fail(fault)
    down = [await app.call(CLERK), await app.call(NOBODY)]
    app.directus.recover()

    up = [await app.call(CLERK), await app.call(NOBODY)]

    assert [answer.status for answer in down] == [503, 503]
    assert [answer.status for answer in up] == [200, 401]


async def test_failure_is_told_to_all_and_asked_again(app: RunningApp) -> None:
    """C4: a failed shared question is an error for every waiting caller, and the next caller asks again."""
    stall = Stall(then=faults.answer(500))
    app.directus.fail(stall)

    answers = asyncio.gather(*(app.call(CLERK) for _ in range(10)))
    await app.handled(10)
    stall.release()
    failed = await answers
    app.directus.recover()
    after = await app.call(CLERK)

    assert [answer.status for answer in failed] == [503] * 10
    assert (after.status, len(app.directus.requests)) == (200, 2)


async def test_retry_after_of_directus_is_passed_on(app: RunningApp) -> None:
    """C6: if Directus says when to try again, the caller learns it."""
    app.directus.fail(NOT_ASKED["429"])

    answer = await app.call(CLERK)

    assert (answer.status, answer.header("Retry-After")) == (503, "7")


async def test_no_cache_of_a_client_does_not_count(app: RunningApp) -> None:
    """A client cannot make every request a question to Directus."""
    for _ in range(3):
        await app.call(CLERK, headers=[("Cache-Control", "no-cache"), ("Pragma", "no-cache")])

    assert len(app.directus.requests) == 1
    assert app.directus.requests[0].values("Cache-Control") == ["no-store"]


@pytest.mark.parametrize("place", ["header", "cookie"])
async def test_logout_is_heard_of(app: RunningApp, place: str) -> None:
    """After a logout reported by the proxy the token is no longer cached; all other tokens are."""
    await app.call(CLERK)
    await app.call(READER)
    header = bearer(CLERK.token) if place == "header" else ("Cookie", f"directus_session_token={CLERK.token}")

    told = await app.log_out(header)
    app.directus.users.clear()
    after = [(await app.call(user)).status for user in (CLERK, READER)]

    assert (told.status, after) == (204, [401, 200])


@pytest.mark.parametrize("headers", [[], [bearer("MARKED-unknown")], [bearer("a"), bearer("b")]])
async def test_logout_tells_nothing(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """Every request of the proxy to `/logout` gets the same answer, and no upstream is asked."""
    answer = await app.log_out(*headers)

    assert (answer.status, answer.body) == (204, b"")
    assert app.directus.requests == []


async def test_callers_do_not_answer_for_each_other(app: RunningApp) -> None:
    """C2: successive callers, actions and addresses each get their own verdict."""
    local = User("local", "MARKED-local", READER.permissions, ip_access=["127.0.0.1"])
    app.directus.add_users([local])
    app.tokens.add(local.token)

    near, far = await app.call(local), await app.call(local, source="127.0.0.2")
    read, created = await app.call(READER), await app.create(READER)
    reads = [(await app.call(user)).status for user in (CLERK, NOBODY, CREATOR, CLERK)]

    assert (near.status, far.status) == (200, 401)
    assert (read.status, created.status) == (200, 401)
    assert reads == [200, 401, 401, 200]
