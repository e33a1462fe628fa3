"""Redis behind a slow network."""

import pytest

from tests.doubles.relay import Relay
from tests.integration.redis.rig import Rig, errors, eventually_shared, sent, statuses


async def test_near(rig: Rig, redis_relay: Relay) -> None:
    """Five milliseconds from Redis, replicas ask Directus once for each caller."""
    redis_relay.delay = 0.005
    apps = await rig.open(3, redis_relay.url)

    assert await statuses(apps, rig.newcomers(20)) == {200}
    assert rig.questions <= 22


async def test_at_the_bound(rig: Rig, redis_relay: Relay) -> None:
    """Where Redis takes as long as a batch may, replicas may share or not, and all are answered."""
    apps = await rig.open(2, redis_relay.url)
    redis_relay.delay = 0.05

    assert await statuses(apps, rig.newcomers(20)) == {200}
    assert 20 <= rig.questions <= 40


@pytest.mark.parametrize("delay", [0.1, 0.5])
async def test_far(rig: Rig, redis_relay: Relay, delay: float) -> None:
    """Where Redis takes longer than a batch may, it counts as away: nobody waits for it, and all are answered."""
    apps = await rig.open(2, redis_relay.url)
    redis_relay.delay = delay
    for _ in range(3):
        assert await statuses(apps, rig.newcomers(1)) == {200}
    before = [(await sent(app), await errors(app)) for app in apps]

    assert await statuses(apps, rig.newcomers(20)) == {200}

    after = [(await sent(app), await errors(app)) for app in apps]
    assert (rig.questions, [sent for sent, _ in after]) == (46, [sent for sent, _ in before])
    assert all(now - then >= 20 for (_, then), (_, now) in zip(before, after, strict=True))


@pytest.mark.parametrize("delay", [0.1, 0.5])
async def test_far_no_more(rig: Rig, redis_relay: Relay, delay: float) -> None:
    """Once the way to Redis is short again, replicas share again without anybody's doing."""
    apps = await rig.open(2, redis_relay.url)
    redis_relay.delay = delay
    await eventually_shared(apps, "lost")

    redis_relay.delay = 0.0
    await eventually_shared(apps, "up")

    assert await statuses(apps, rig.newcomers(20)) == {200}
    assert rig.questions <= 22


async def test_far_at_the_start(rig: Rig, redis_relay: Relay) -> None:
    """A replica starts and serves although Redis takes half a second for each answer, and shares once it is near."""
    redis_relay.delay = 0.5
    apps = [await rig.open_anyway(redis_relay.url) for _ in range(2)]
    assert await statuses(apps, rig.newcomers(5)) == {200}
    assert rig.questions == 10

    redis_relay.delay = 0.0
    await eventually_shared(apps, "up")

    assert await statuses(apps, rig.newcomers(20)) == {200}
    assert rig.questions <= 32
