"""For how long an answer counts at another replica, however late Redis is."""

import asyncio

import pytest

from sidecar.clients.directus.caller_keys import CallerKeys
from sidecar.clients.directus.shared_answers import SharedAnswer
from sidecar.clients.redis.answers import Answers
from sidecar.core.access.permissions import Action
from tests.doubles.redis.distant import DistantRedis
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.directus.sources import credential, granting
from tests.unit.clients.redis.replica import SECRET, SPACE, START

YES, NO = 10.0, 3.0  # seconds
CALLER = CallerKeys(SECRET).of(credential("token", "192.0.2.1"))


def now() -> float:
    return START + asyncio.get_running_loop().time()


@pytest.mark.parametrize("late", [0.0, 0.2, 4.0, 9.0, 11.0])
@in_virtual_time
async def test_kept_late(late: float) -> None:
    """C10: An answer that Redis keeps only when it goes on, having stood still, counts no longer than else."""
    redis = DistantRedis(RedisMemory(now), lambda: 0.0)
    answers = Answers(redis, SPACE, clock=now, timer=now)
    claim = await answers.claim(CALLER)
    assert claim is not None
    assert not isinstance(claim, SharedAnswer)
    redis.delay = lambda: late
    until = now() + YES
    answers.keep(claim, SharedAnswer(granting(Action.READ), age=0, yes=YES, no=NO))
    await asyncio.sleep(late + 0.001)
    redis.delay = lambda: 0.0

    found = await answers.look(CALLER)

    assert (found is not None) == (late < YES)
    assert found is None or until - 0.01 <= now() + found.yes <= until
    await answers.close()
