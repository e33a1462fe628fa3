"""What the metrics say of requests: how long they took, how they ended, and whose fault it was."""

import asyncio
import platform

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sidecar import __version__
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import CLERK, NOBODY, READER, OpenApp, RunningApp
from tests.doubles.stripe import StripeDouble, is_probe
from tests.doubles.waiting import eventually

PAGE = "/stripe/payments?limit=1"


async def value(app: RunningApp, name: str, **labels: str) -> float | None:
    """Give the value of a series, None where there is none."""
    text = (await app.call(target="/metrics")).body.decode()
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return next((sample.value for sample in samples if sample.name == name and sample.labels == labels), None)


async def count(app: RunningApp, operation: str, outcome: str) -> float | None:
    return await value(app, "sidecar_request_seconds_count", operation=operation, outcome=outcome)


async def test_time_of_a_request(app: RunningApp) -> None:
    """Each request's time is counted by its operation and its outcome."""
    for user in (CLERK, CLERK, NOBODY):
        await app.call(user, PAGE)
    await app.call(CLERK, "/stripe/payments?limit=0")
    await app.call(CLERK, "/nowhere")

    assert await count(app, "payments.list", "done") == 2
    assert await count(app, "payments.list", "refused") == 1
    assert await count(app, "payments.list", "invalid") == 1
    assert await count(app, "none", "invalid") == 1
    total = await value(app, "sidecar_request_seconds_sum", operation="payments.list", outcome="done")
    assert total is not None
    assert 0 < total < 60


@pytest.mark.parametrize("outcome", ["directus", "stripe_key", "capacity", "stripe"])
async def test_whose_fault_it_was(
    open_app: OpenApp, directus: DirectusDouble, stripe: StripeDouble, outcome: str
) -> None:
    """A 503 names Directus, the key or the load in its answer, and every failure is counted from 0 on by its cause."""
    app = await open_app(MAX_CONCURRENT_REQUESTS="1")
    before = await value(app, "sidecar_failures_total", outcome=outcome)
    stall = faults.Stall()
    match outcome:
        case "directus":
            await directus.refuse()
        case "stripe_key":
            stripe.key = "sk_test_another"
        case "stripe":
            stripe.fail(faults.answer(400, "<html>"), when=lambda request: not is_probe(request))
        case _:
            stripe.fail(stall, when=lambda request: not is_probe(request), times=1)
            first = app.start(CLERK, PAGE)
            await eventually(lambda: stall.arrived == 1)

    answer = await app.call(READER if outcome == "capacity" else CLERK, PAGE)

    assert answer.status == (502 if outcome == "stripe" else 503)
    assert answer.extensions.get("reason") == (None if outcome == "stripe" else outcome)
    assert (before, await value(app, "sidecar_failures_total", outcome=outcome)) == (0, 1)
    assert await count(app, "payments.list", outcome) == 1
    if outcome == "capacity":
        stall.release()
        assert (await first).status == 200


async def test_key_that_stripe_rejects(app: RunningApp) -> None:
    """A gauge says whether Stripe rejects the key, also while nobody asks for anything."""
    assert await value(app, "sidecar_stripe_key_rejected") == 0

    app.stripe.key = "sk_test_another"
    await app.call(CLERK, PAGE)

    assert await value(app, "sidecar_stripe_key_rejected") == 1


async def test_what_runs(app: RunningApp) -> None:
    """The service's version and Python's are labels of a constant."""
    assert await value(app, "sidecar_build_info", version=__version__, python=platform.python_version()) == 1


async def test_in_flight_and_waiting(open_app: OpenApp, stripe: StripeDouble) -> None:
    """Requests under way, places and how long was waited for one are counted; who need not wait does not count."""
    app = await open_app(MAX_CONCURRENT_PER_CALLER="1")
    stall = faults.Stall()
    stripe.fail(stall, when=lambda request: not is_probe(request), times=1)
    asking = [app.start(CLERK, PAGE), app.start(CLERK, "/stripe/customers?limit=1")]
    await eventually(lambda: stall.arrived == 1)

    async def waiting() -> bool:
        return await value(app, "sidecar_places", place="waiting") == 1

    await eventually(waiting)

    assert await value(app, "sidecar_requests_in_flight") == 3  # with the one that asks
    assert await value(app, "sidecar_places", place="used") == 1
    assert await value(app, "sidecar_places", place="most") == 500
    assert await value(app, "sidecar_wait_seconds_count", queue="place") == 0
    stall.release()
    assert [answer.status for answer in await asyncio.gather(*asking)] == [200, 200]
    assert await value(app, "sidecar_wait_seconds_count", queue="place") == 1
    assert await value(app, "sidecar_requests_in_flight") == 1
    assert await value(app, "sidecar_places", place="used") == 0
