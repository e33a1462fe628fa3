"""Calls to Stripe in virtual time: retries, budgets, pages, and the bytes on the wire."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import TypeVar

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.http import open_session
from sidecar.clients.stripe.client import StripeClient
from sidecar.core.interfaces import ChangeRequest
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.errors import (
    StripeFailure,
    StripeKeyRejected,
    StripeRateLimited,
    StripeRejected,
    StripeTimeout,
    StripeUnavailable,
)
from tests.aioresponses_compat import Reply, Request, label, reply, upstream
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.stripe.governors import governor

BASE, KEY, VERSION = "https://api.stripe.test", "rk_test_hush", "2026-10-28.endive"
TIMEOUT = 25.0
PAYMENTS = "/v1/payment_intents"
Result = TypeVar("Result")


async def silence() -> Reply:
    await asyncio.Event().wait()
    raise AssertionError


def late(seconds: float, answer: Reply) -> Reply:
    async def wait() -> Reply:
        await asyncio.sleep(seconds)
        return answer

    return wait


def error(status: int, kind: str = "api_error", **headers: str) -> Reply:
    body = {"error": {"type": kind, "message": "quotes sk_live_other and ada@example.com", "code": "a_code"}}
    return reply(body, status=status, headers={"Request-Id": "req_1", **headers})


def page(*ids: object, more: object) -> Reply:
    return reply({"object": "list", "data": [{"id": one} for one in ids], "has_more": more, "url": "/v1/x"})


CUSTOMER = reply({"id": "cus_1", "object": "customer"})


async def calling(
    use: Callable[[StripeClient], Awaitable[Result]],
    *,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - the client's budget, not this function's
    account: str | None = None,
) -> Result:
    async with open_session(total=timeout, connect=3, connections=5) as session:
        client = StripeClient(
            session, base=BASE, key=KEY, version=VERSION, account=account, timeout=timeout, governor=governor()
        )
        return await use(client)


async def paging(client: StripeClient) -> Page:
    return await client.page(PAYMENTS, {"customer": "cus_1", "limit": "100"})


async def retrieving(client: StripeClient) -> StripeObject:
    return await client.retrieve("/v1/customers", "cus_1")


async def creating(client: StripeClient) -> StripeObject:
    new = {"email": "ada@example.com", "metadata": {"directus_item": "7"}}
    return (await client.send(ChangeRequest("POST", "/v1/customers", new, "the-key"))).object


@pytest.mark.parametrize("more", [True, False])
@pytest.mark.parametrize("names", [["pi_2", "pi_1"], []])
@in_virtual_time
async def test_a_page_of_a_list(names: list[str], *, more: bool) -> None:
    """Stripe 1: A page is requested with its parameters, and returned as Stripe wrote it, also without objects."""
    with upstream(page(*names, more=more)) as stripe:
        found = await calling(paging)

    (request,) = stripe.requests
    assert request.url.path == PAYMENTS
    assert dict(request.url.query) == {"customer": "cus_1", "limit": "100"}
    assert ([entry["id"] for entry in found.data], found.more) == (names, more)
    assert orjson.loads(found.raw or b"")["data"] == found.data


@pytest.mark.parametrize(
    "answer",
    [
        reply({"data": [{"id": "pi_1"}]}),
        reply({"data": [{"id": "pi_1"}], "has_more": "false"}),
        reply({"data": [{"id": "pi_1"}], "has_more": 0}),
        reply({"data": [{"id": "pi_1"}], "has_more": None}),
        reply({"data": None, "has_more": False}),
        reply({"data": {}, "has_more": False}),
        reply({"data": ["pi_1"], "has_more": False}),
        reply({"has_more": False}),
        reply([{"id": "pi_1"}]),
        reply({}),
        reply(body=b""),
        reply(body=b'{"data": [{"id": "pi_1"}], "has_mo'),
        reply(body=b"<html>"),
        reply({"data": [], "has_more": False}, status=201),
        reply({"data": [], "has_more": False}, status=302, headers={"Location": "https://elsewhere.test/"}),
        error(500),
        error(400, "invalid_request_error"),
        error(429, "rate_limit_error"),
        error(401, "invalid_request_error"),
        reply(body=b"<html>", status=502),
        OSError("reset"),
        silence,
    ],
    ids=label,
)
@in_virtual_time
async def test_what_is_no_page_is_an_error(answer: Reply) -> None:
    """U4: An answer that is not a whole page is an error, so it is never taken for the end of a list."""
    with upstream(answer), pytest.raises(StripeFailure):
        await calling(paging)


@in_virtual_time
async def test_every_call_carries_the_key_and_the_version() -> None:
    """Stripe 7: Every call has the key and the version of this client."""
    for use in (paging, retrieving, creating):
        with upstream(page(more=False) if use is paging else CUSTOMER) as stripe:
            await calling(use)

        (request,) = stripe.requests
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert request.headers["Stripe-Version"] == VERSION
        assert not request.redirects_followed
        assert not {"Cookie", "Stripe-Account", "X-Forwarded-For"} & set(request.headers)


@in_virtual_time
async def test_one_call_has_another_version() -> None:
    """A version that is given for one call is that call's alone."""
    with upstream(CUSTOMER) as stripe:
        await calling(
            lambda client: client.send(ChangeRequest("POST", "/v1/ephemeral_keys", {}, "k", version="2020-08-27"))
        )
    with upstream(CUSTOMER) as after:
        await calling(creating)

    assert [each.requests[0].headers["Stripe-Version"] for each in (stripe, after)] == ["2020-08-27", VERSION]


@in_virtual_time
async def test_parts_are_written_out() -> None:
    """What is to be written out is named in the query of a retrieval."""
    with upstream(CUSTOMER) as stripe:
        await calling(lambda client: client.retrieve("/v1/subscriptions", "sub_1", expand=("latest_invoice", "a.b")))

    (request,) = stripe.requests
    assert request.url.query == {"expand[0]": "latest_invoice", "expand[1]": "a.b"}
    assert request.url.path == "/v1/subscriptions/sub_1"


@pytest.mark.parametrize(
    ("body", "accepted"),
    [
        ({"object": "customer_session", "client_secret": "cuss_secret_x"}, True),
        ({"object": "customer"}, False),
        ({"object": "unheard_of"}, False),
        ({"object": "unheard_of", "id": "x_1"}, True),
        ({"object": ["customer_session"]}, False),
    ],
    ids=str,
)
@in_virtual_time
async def test_which_objects_have_no_id(body: dict[str, object], *, accepted: bool) -> None:
    """U1: An answer to a change without an ID is an object only if its kind has none."""
    with upstream(reply(body)), nullcontext() if accepted else pytest.raises(StripeUnavailable):
        await calling(lambda client: client.send(ChangeRequest("POST", "/v1/customer_sessions", {}, "k")))


@in_virtual_time
async def test_every_call_names_the_connected_account() -> None:
    """With a connected account each call is made on that one."""
    for use in (paging, retrieving, creating):
        with upstream(page(more=False) if use is paging else CUSTOMER) as stripe:
            await calling(use, account="acct_1")

        (request,) = stripe.requests
        assert request.headers["Stripe-Account"] == "acct_1"


@in_virtual_time
async def test_a_customer_is_retrieved() -> None:
    """Stripe 5: A customer is requested at its own address, and returned as Stripe wrote it."""
    with upstream(reply({"id": "cus_1", "deleted": True})) as stripe:
        assert await calling(retrieving) == {"id": "cus_1", "deleted": True}

    assert str(stripe.requests[0].url) == f"{BASE}/v1/customers/cus_1"


async def sent(attributes: Mapping[str, object], metadata: Mapping[str, str]) -> Request:
    with upstream(CUSTOMER) as stripe:
        new = {**attributes, "metadata": metadata}
        await calling(lambda client: client.send(ChangeRequest("POST", "/v1/customers", new, "the-key")))
    (request,) = stripe.requests
    return request


@in_virtual_time
async def test_a_customer_is_created() -> None:
    """Stripe 3: Attributes and metadata are a form, nested as Stripe reads it, with an idempotency key."""
    request = await sent(
        {"name": "Ada", "address": {"line1": "1 St", "city": "X"}, "preferred_locales": ["en", "de"]},
        {"directus_item": "7"},
    )

    assert (request.method, str(request.url)) == ("POST", f"{BASE}/v1/customers")
    assert request.headers["Idempotency-Key"] == "the-key"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.form == [
        ("name", "Ada"),
        ("address[line1]", "1 St"),
        ("address[city]", "X"),
        ("preferred_locales[0]", "en"),
        ("preferred_locales[1]", "de"),
        ("metadata[directus_item]", "7"),
    ]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["a&email=b", "a=b", "a[b]=c", "metadata[x]", "%26", "+", "a b", "\r\n", "\U0001f600", "\u202eabc", '"', "\x00"]
)


@given(texts, texts)
def test_every_value_is_one_literal(name: str, item: str) -> None:
    """V3: Stripe reads any value as that one value, and no other parameter results from it."""

    @in_virtual_time
    async def check() -> None:
        request = await sent({"name": name}, {"directus_item": item})
        assert request.form == [("name", name), ("metadata[directus_item]", item)]

    check()


@pytest.mark.parametrize(
    "body", [{}, {"id": None}, {"id": 7, "object": "customer"}, {"object": "customer"}, {"id": "cus_1"}]
)
@in_virtual_time
async def test_a_created_object_has_an_id(body: object) -> None:
    """W3: An answer without an ID, or without a kind, is no object."""
    with upstream(reply(body)), pytest.raises(StripeUnavailable):
        await calling(creating)


PASSING = [
    OSError("reset"),
    TimeoutError(),
    ConnectionResetError(),
    error(500),
    error(503),
    error(409, "invalid_request_error"),
    error(400, "invalid_request_error", **{"Stripe-Should-Retry": "true"}),
    reply(body=b"<html>", status=502),
    error(429, "rate_limit_error"),
]


@pytest.mark.parametrize("use", [retrieving, creating])
@pytest.mark.parametrize("fault", PASSING, ids=label)
@in_virtual_time
async def test_a_passing_fault_is_tried_again(
    fault: Reply, use: Callable[[StripeClient], Awaitable[StripeObject]]
) -> None:
    """U3, Stripe 2: Transient failures are retried, and a creation with the very same body and key."""
    with upstream(fault, CUSTOMER) as stripe:
        assert (await calling(use))["id"] == "cus_1"

    first, second = stripe.requests
    assert (first.body, first.headers.get("Idempotency-Key")) == (second.body, second.headers.get("Idempotency-Key"))
    assert (use is creating) is ("Idempotency-Key" in second.headers)


@pytest.mark.parametrize(
    ("fault", "failure", "calls"),
    [
        (OSError("reset"), StripeUnavailable, 3),
        (error(500), StripeUnavailable, 3),
        (error(500, **{"Stripe-Should-Retry": "false"}), StripeUnavailable, 1),
        (error(409, "invalid_request_error"), StripeRejected, 3),
        (error(400, "invalid_request_error"), StripeRejected, 1),
        (error(402, "card_error"), StripeRejected, 1),
        (error(404, "invalid_request_error"), StripeRejected, 1),
        (error(401, "invalid_request_error"), StripeKeyRejected, 1),
        (error(403, "invalid_request_error"), StripeKeyRejected, 1),
        (error(400, "idempotency_error"), StripeRejected, 1),
        (reply(body=b"x", headers={"Content-Encoding": "gzip"}), StripeUnavailable, 3),
        (reply(body=b"", status=302, headers={"Location": "https://elsewhere.test/"}), StripeUnavailable, 1),
    ],
    ids=label,
)
@in_virtual_time
async def test_a_lasting_fault_ends_the_tries(fault: Reply, failure: type[StripeFailure], calls: int) -> None:
    """U2, Stripe 2: A lasting fault ends the call after two retries; a fault that retrying cannot fix, at once."""
    with upstream(fault) as stripe, pytest.raises(failure) as end:
        await calling(creating)

    assert len(stripe.requests) == calls
    assert len({request.headers["Idempotency-Key"] for request in stripe.requests}) == 1
    assert "hush" not in f"{end.value.message}{end.value.detail}{end.value.extensions}"


@in_virtual_time
async def test_a_silent_stripe_ends_with_the_budget() -> None:
    """U2: A missing answer is a 504 when the time is up, to the second."""
    began = asyncio.get_running_loop().time()

    with upstream(silence) as stripe, pytest.raises(StripeTimeout):
        await calling(retrieving)

    assert asyncio.get_running_loop().time() - began == pytest.approx(TIMEOUT)
    assert len(stripe.requests) == 1


@in_virtual_time
async def test_retries_share_one_budget() -> None:
    """Slow faults and the pauses between them end together within the one budget."""
    began = asyncio.get_running_loop().time()

    with upstream(late(12, error(500))) as stripe, pytest.raises(StripeTimeout):
        await calling(retrieving)

    assert asyncio.get_running_loop().time() - began == pytest.approx(TIMEOUT)
    assert len(stripe.requests) == 2


@in_virtual_time
async def test_a_limit_is_waited_for() -> None:
    """U2: After a 429 the call waits as long as Stripe says; if Stripe says nothing, longer each time."""
    loop = asyncio.get_running_loop()
    with upstream(*[error(429)] * 3, error(429, **{"Retry-After": "9"}), CUSTOMER) as stripe:
        await calling(retrieving)

    assert len(stripe.requests) == 5
    assert 9 + 3.5 / 2 <= loop.time() <= 9 + 3.5 * 1.5


@in_virtual_time
async def test_a_limit_that_stripe_advises_to_try_again() -> None:
    """F4: A 429 with `Stripe-Should-Retry: true` is as any other: an object has a few tries, the account pauses."""
    told = {"Stripe-Should-Retry": "true", "Stripe-Rate-Limited-Reason": "resource-specific"}
    with upstream(error(429, **told)) as stripe, pytest.raises(StripeRateLimited):
        await calling(retrieving)
    assert len(stripe.requests) == 3

    loop = asyncio.get_running_loop()
    began, advised = loop.time(), error(429, **{"Stripe-Should-Retry": "true", "Retry-After": "9"})
    with upstream(advised, CUSTOMER) as stripe:
        await calling(retrieving)
    assert len(stripe.requests) == 2
    assert loop.time() - began == pytest.approx(9)


@pytest.mark.parametrize(("told", "retry_after", "most"), [("", 1, 12), ("10", 10, 3), ("60", 60, 1)])
@in_virtual_time
async def test_a_limit_that_lasts_is_the_callers_to_wait_for(told: str, retry_after: int, most: int) -> None:
    """U2: If waiting would use up the budget, the answer is a 429 with the time of the next try."""
    answer = error(429, "rate_limit_error", **{"Retry-After": told})

    with upstream(answer) as stripe, pytest.raises(StripeRateLimited) as limit:
        await calling(retrieving)

    assert limit.value.retry_after == retry_after
    assert 1 <= len(stripe.requests) <= most
    assert asyncio.get_running_loop().time() < TIMEOUT


@in_virtual_time
async def test_a_change_that_was_never_sent_changes_nothing() -> None:
    """F1: `changed` is called for what Stripe may have got, and not for what was refused its turn here."""
    changes: list[float] = []

    async def changed() -> None:
        changes.append(asyncio.get_running_loop().time())

    traffic = governor(each_endpoint=0.1, patience=1)
    async with open_session(total=TIMEOUT, connect=3, connections=5) as session:
        client = StripeClient(
            session,
            base=BASE,
            key=KEY,
            version=VERSION,
            timeout=TIMEOUT,
            governor=traffic,
            changed=changed,
        )
        with upstream(CUSTOMER):
            await creating(client)
            with pytest.raises(StripeRateLimited):
                await creating(client)

    assert len(changes) == 1


@pytest.mark.parametrize(("answer", "failure"), [(CUSTOMER, None), (error(402, "card_error"), StripeRejected)])
@in_virtual_time
async def test_a_change_is_told_before_its_answer(answer: Reply, failure: type[StripeFailure] | None) -> None:
    """Whoever gets the answer to a change, also to a failed one, asks after the others were told of it."""
    told = asyncio.Event()

    async def changed() -> None:
        await asyncio.sleep(5)
        told.set()

    async with open_session(total=TIMEOUT, connect=3, connections=5) as session:
        client = StripeClient(
            session, base=BASE, key=KEY, version=VERSION, timeout=TIMEOUT, governor=governor(), changed=changed
        )
        with upstream(answer), nullcontext() if failure is None else pytest.raises(failure):
            await creating(client)

    assert told.is_set()


@in_virtual_time
async def test_a_rejected_key_is_known_until_it_works() -> None:
    """U2, L5: A 401 marks the key unusable; a result or a missing right marks it usable; an outage changes nothing."""
    denied, missing, works = error(401), error(403), page(more=False)
    seen: list[tuple[type[StripeFailure] | None, bool]] = []

    async def probing(client: StripeClient) -> None:
        for _ in range(6):
            try:
                await client.probe()
            except StripeFailure as failure:
                seen.append((type(failure), client.key_rejected))
            else:
                seen.append((None, client.key_rejected))

    with upstream(denied, error(400), works, denied, missing, works):
        await calling(probing)

    assert seen == [
        (StripeKeyRejected, True),
        (StripeRejected, True),
        (None, False),
        (StripeKeyRejected, True),
        (StripeKeyRejected, False),
        (None, False),
    ]


@in_virtual_time
async def test_the_operator_is_told_and_the_key_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """U2, S1: A rejected key is logged as an error, without the key and without Stripe's text."""
    with caplog.at_level(logging.DEBUG), upstream(error(401)), pytest.raises(StripeKeyRejected):
        await calling(retrieving)

    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert "status 401" in str(vars(record)["detail"])
    printed = "".join(str(vars(record)) for record in caplog.records if record.name.startswith("sidecar"))
    assert "hush" not in printed
    assert "sk_live_other" not in printed
