"""HEAD, wherever there is GET: the same checks and the same headers, without a body."""

import pytest

from tests.doubles.directus import User
from tests.doubles.running_app import CLERK, MEMBER, NOBODY, RunningApp
from tests.doubles.wire import Answer

NDJSON = ("Accept", "application/x-ndjson")
_OF_ONE = {"x-request-id", "date"}


def head(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers if name.lower() not in _OF_ONE}


async def both(app: RunningApp, user: User | None, target: str) -> tuple[Answer, Answer]:
    return await app.call(user, target), await app.call(user, target, method="HEAD")


@pytest.mark.parametrize(
    "target",
    [
        "/stripe/payments?limit=2",
        "/stripe/payments/cus_A?limit=1",
        "/stripe/customers/cus_A",
        "/stripe/openapi.json",
        "/healthz",
        "/readyz",
    ],
)
async def test_the_same_headers(app: RunningApp, target: str) -> None:
    """P3: HEAD has the status and headers of GET, the length of its body too."""
    app.stripe.add_customer(id="cus_A")
    app.stripe.add_payments(3, customer="cus_A")

    shown, told = await both(app, CLERK, target)

    assert (told.status, told.body, head(told)) == (200, b"", head(shown))
    assert told.header("Content-Length") == str(len(shown.body))


@pytest.mark.parametrize("user", [NOBODY, None], ids=["nobody", "no credential"])
@pytest.mark.parametrize("target", ["/stripe/payments", "/stripe/customers", "/stripe/customers/cus_A"])
async def test_the_same_refusals(app: RunningApp, user: User | None, target: str) -> None:
    """P3: who may not read gets the same refusal for HEAD, and Stripe is not asked."""
    shown, told = await both(app, user, target)

    assert (told.status, told.body, head(told)) == (401, b"", head(shown))
    assert app.stripe.asked == []


async def test_a_long_list_is_not_read(app: RunningApp) -> None:
    """P3: HEAD of a whole list asks Stripe for one object, and has the headers that do not depend on the length."""
    app.stripe.add_payments(150)

    told = await app.call(CLERK, method="HEAD")

    assert (told.status, told.body, told.header("Content-Length")) == (200, b"", None)
    assert told.header("Content-Type") == "application/json; charset=utf-8"
    assert [request.query["limit"] for request in app.stripe.asked] == ["1"]


async def test_lines(app: RunningApp) -> None:
    """HEAD of a list of lines has their content type."""
    told = await app.call(CLERK, method="HEAD", headers=[NDJSON])

    assert told.header("Content-Type") == "application/x-ndjson; charset=utf-8"


async def test_a_list_of_own_customers(app: RunningApp) -> None:
    """R1: HEAD of a foreign customer's list is refused as GET is, and one's own costs one request for each customer."""
    app.stripe.add_customer(id="cus_OWN")
    app.stripe.add_payments(120, customer="cus_OWN")
    app.directus.add_row(owner=MEMBER.name, stripe_customer_id="cus_OWN")

    own = await app.call(MEMBER, method="HEAD")
    foreign = await app.call(MEMBER, "/stripe/payments/cus_FOREIGN", method="HEAD")

    assert (own.status, foreign.status) == (200, 401)
    assert [request.query["customer"] for request in app.stripe.asked] == ["cus_OWN"]


async def test_a_failure_of_stripe(app: RunningApp) -> None:
    """A list that cannot be read says so to HEAD too."""
    app.stripe.key = "sk_test_another"

    assert (await app.call(CLERK, method="HEAD")).status == 503


@pytest.mark.parametrize("target", ["/logout", "/stripe/webhooks"])
async def test_no_get_no_head(app: RunningApp, target: str) -> None:
    """P3: where there is no GET there is no HEAD."""
    assert (await app.call(None, target, method="HEAD")).status in {404, 405}
