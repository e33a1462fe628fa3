"""A Directus that is down, slow or wrong: 503 within the budget, little memory, and the token goes nowhere else."""

import asyncio
import tracemalloc

import pytest

from tests.doubles import faults
from tests.doubles.directus import DirectusDouble
from tests.doubles.faults import Fault, Huge
from tests.doubles.running_app import CLERK, CREATOR, OpenApp, RunningApp
from tests.doubles.server import full_backlog
from tests.doubles.stripe import StripeDouble

pytestmark = pytest.mark.slow

BUDGET, CONNECT_BUDGET = 0.5, 0.2
SLACK = 1  # second on the loop's clock, which does not count stalls
MEBIBYTE = 1024 * 1024
PERMISSIONS = '{"data":{"customers":{"read":{"access":"full","fields":["*"]}}}}'


AT_ONCE: dict[str, Fault] = {
    "redirect-elsewhere": faults.redirect("http://127.0.0.1:9/permissions/me"),
    "redirect-here": faults.redirect("/permissions/me", 301),
    "see-other": faults.redirect("/permissions/me", 303),
    "gzip-bomb": faults.gzip_bomb,
    "html": faults.answer(200, "<!doctype html><title>Sign in</title>", "text/html"),
    "empty": faults.answer(200),
    "half-json": faults.half_json,
    "two-jsons": faults.answer(200, PERMISSIONS * 2),
    "deep-json": faults.answer(200, "[" * 100_000),
    "not-utf-8": faults.answer(200, b'{"data":{"\xff":{}}}'),
    "500": faults.answer(500, PERMISSIONS),
    "502": faults.answer(502, "<html>Bad Gateway</html>", "text/html"),
    "429": faults.answer(429, '{"errors":[{"extensions":{"code":"REQUESTS_EXCEEDED"}}]}', Retry_After="1"),
    "429-odd-date": faults.answer(429, "{}", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"),
    "201": faults.answer(201, PERMISSIONS),
    "reset-before-headers": faults.reset_before_headers,
    "reset-mid-body": faults.reset_mid_body,
    "short-body": faults.short_body,
    "open-chunks": faults.open_chunks,
    "bad-chunk": faults.bad_chunk,
    "not-http": faults.not_http,
    "close": faults.close_at_once,
}
TILL_THE_BUDGET_ENDS: dict[str, Fault] = {
    "hang": faults.hang,
    "hang-after-headers": faults.hang_after_headers,
    "drip": faults.drip,
}


@pytest.mark.parametrize("fault", AT_ONCE.values(), ids=AT_ONCE)
async def test_odd_answers(app: RunningApp, fault: Fault) -> None:
    """U1: an answer without a clear verdict is 503, at once."""
    app.directus.fail(fault)

    answer = await app.call(CLERK)

    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert answer.seconds < SLACK
    assert len(app.directus.requests) <= 2  # aiohttp itself repeats a GET whose connection was closed


@pytest.mark.parametrize("fault", TILL_THE_BUDGET_ENDS.values(), ids=TILL_THE_BUDGET_ENDS)
async def test_endless_answers(open_app: OpenApp, fault: Fault) -> None:
    """U1: a Directus that accepts and never finishes is 503 when the budget is used up."""
    app = await open_app(DIRECTUS_TIMEOUT=str(BUDGET))
    app.directus.fail(fault)

    answer = await app.call(CLERK)

    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert BUDGET - 0.05 < answer.seconds < BUDGET + SLACK


async def test_json_of_another_type(app: RunningApp) -> None:
    """U1: permissions that are not served as JSON are not Directus's own answer: 503."""
    app.directus.fail(faults.answer(200, PERMISSIONS, "text/html"))

    assert (await app.call(CLERK)).status == 503


async def test_refused_connection(app: RunningApp) -> None:
    """U1: while Directus is down the answer is 503 at once, and Directus is used again as soon as it is up."""
    await app.directus.refuse()

    down = await app.call(CLERK)
    await app.directus.listen()
    up = await app.call(CLERK)

    assert (down.status, up.status) == (503, 200)
    assert down.seconds < SLACK


async def test_connection_that_is_never_accepted(open_app: OpenApp) -> None:
    """U1: a Directus that accepts no connection is 503 when the budget for connecting is used up."""
    async with full_backlog() as url:
        app = await open_app(DIRECTUS_URL=url, DIRECTUS_CONNECT_TIMEOUT=str(CONNECT_BUDGET))

        answer = await app.call(CLERK)

    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert CONNECT_BUDGET - 0.05 < answer.seconds < CONNECT_BUDGET + SLACK


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed(app: RunningApp, status: int) -> None:
    """U1: the token is sent to no other address, whatever a redirect says."""
    async with DirectusDouble.running() as elsewhere:
        elsewhere.add_users([CLERK])
        app.directus.fail(faults.redirect(f"{elsewhere.url}/permissions/me", status))

        answer = await app.call(CLERK)

        assert answer.status == 503
        assert elsewhere.requests == []


async def test_100_megabytes(app: RunningApp) -> None:
    """U1: an answer of 100 MB is 503, most of it is never read, and memory stays flat."""
    huge = Huge()
    app.directus.fail(huge)
    tracemalloc.start()
    try:
        answer = await app.call(CLERK)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert answer.status == 503
    assert huge.sent < 30 * MEBIBYTE
    assert peak < 40 * MEBIBYTE


async def test_gzip_bomb_is_not_inflated(app: RunningApp) -> None:
    """U1: a compressed body that nobody requested is 503 and is not decompressed."""
    app.directus.fail(faults.gzip_bomb)
    await app.call(CLERK)
    tracemalloc.start()
    try:
        answer = await app.call(CLERK)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert answer.status == 503
    assert peak < 8 * MEBIBYTE
    assert all(request.values("Accept-Encoding") == ["identity"] for request in app.directus.requests)


async def test_hanging_directus_leaves_others_alone(open_app: OpenApp) -> None:
    """U1, U5: callers with cached permissions are served while a question to Directus hangs."""
    app = await open_app(DIRECTUS_TIMEOUT="1.5")
    await app.call(CLERK)
    app.directus.fail(faults.hang)
    unknown = [asyncio.create_task(app.create(None)), asyncio.create_task(app.call(CREATOR))]

    answer = await app.call(CLERK)

    assert answer.status == 200
    assert answer.seconds < SLACK
    assert [(await task).status for task in unknown] == [401, 503]


async def test_directus_is_asked_once(app: RunningApp) -> None:
    """U1: a failed question is not repeated: the caller may repeat it, and knows for how long."""
    app.directus.fail(faults.answer(500))

    await app.call(CLERK)

    assert len(app.directus.requests) == 1


async def test_proxy_of_the_environment_is_not_used(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, stripe: StripeDouble
) -> None:
    """U1: no proxy named in the environment sees a token or the key."""
    async with DirectusDouble.running() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        app = await open_app()

        answer = await app.call(CLERK)

        assert answer.status == 200
        assert proxy.requests == []
    assert stripe.asked
