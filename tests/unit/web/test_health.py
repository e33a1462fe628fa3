"""What a cluster learns about this process."""

import asyncio

import pytest

from tests.doubles import faults
from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import CLERK, KEY, OpenApp, RunningApp
from tests.doubles.stripe import StripeDouble, is_probe
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer


async def readiness(app: RunningApp) -> Answer:
    return await app.call(target="/readyz")


async def eventually_ready(app: RunningApp, status: int) -> None:
    async def answers() -> bool:
        return (await readiness(app)).status == status

    await eventually(answers)


async def test_liveness_asks_no_upstream(app: RunningApp) -> None:
    """L5: whether the process lives is answered without any upstream."""
    probes = len(app.stripe.requests)
    await app.directus.refuse()

    answers = [await app.call(target="/healthz") for _ in range(3)]

    assert [(answer.status, answer.json()) for answer in answers] == [(200, {"status": "ok"})] * 3
    assert probes == len(app.stripe.requests)


@pytest.mark.parametrize("upstream", ["directus", "stripe"])
async def test_upstream_that_is_down_does_not_unready(app: RunningApp, upstream: str) -> None:
    """L5: an outage is no reason to take a replica away: all replicas would go at once."""
    double: DirectusDouble | StripeDouble = app.directus if upstream == "directus" else app.stripe
    await double.refuse()
    await app.call(CLERK)

    assert (await readiness(app)).status == 200


async def test_key_that_stripe_refuses_at_the_start(open_app: OpenApp, stripe: StripeDouble) -> None:
    """L5: a key that Stripe answers with 401 makes the process unready, and ready once it is accepted."""
    stripe.key = "sk_test_another"
    app = await open_app()
    await eventually_ready(app, 503)
    assert "Stripe" in (await readiness(app)).json()["reason"]

    stripe.key = KEY
    await eventually_ready(app, 200)

    assert (await readiness(app)).json()["status"] == "ready"


async def test_key_that_stripe_refuses_later(app: RunningApp) -> None:
    """L5: a key that is revoked while the process serves makes it unready."""
    app.stripe.key = "sk_test_another"
    assert (await app.call(CLERK)).status == 503

    assert (await readiness(app)).status == 503

    app.stripe.key = KEY
    await eventually_ready(app, 200)


async def test_right_that_a_restricted_key_lacks(app: RunningApp) -> None:
    """L5: a 403 for one call means one missing right, not an unusable key."""
    app.stripe.fail(faults.answer(403, '{"error": {}}'), when=lambda request: not is_probe(request))
    await app.call(CLERK)

    assert (await readiness(app)).status == 200


async def test_readiness_tries_the_key_one_at_a_time(open_app: OpenApp, stripe: StripeDouble) -> None:
    """L5: however often readiness is asked, at most one check of the key is under way."""
    stripe.key = "sk_test_another"
    app = await open_app()
    await eventually_ready(app, 503)
    stall = faults.Stall()
    stripe.fail(stall, when=is_probe)
    await eventually_stalled(app, stall)

    await asyncio.gather(*(readiness(app) for _ in range(20)))

    assert stall.arrived == 1
    stall.release()


async def eventually_stalled(app: RunningApp, stall: faults.Stall) -> None:
    async def arrived() -> bool:
        await readiness(app)
        return stall.arrived > 0

    await eventually(arrived)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_needs_no_credential_and_tells_no_secret(app: RunningApp, path: str) -> None:
    """L5: health needs no credential, and a bad one does no harm."""
    answers = [await app.call(target=path), await app.call(target=f"{path}?access_token=")]

    assert [answer.status for answer in answers] == [200, 200]
    assert app.directus.requests == []
