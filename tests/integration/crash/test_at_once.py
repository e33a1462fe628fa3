"""W2: one item and many callers of two processes make one customer."""

import asyncio
from collections import Counter

import pytest

from deploy.demo.admin import Person
from tests.doubles.pause import Pause
from tests.integration.crash.rig import Rig

_CALLERS = 200
_PATIENT = {"DIRECTUS_TIMEOUT": "60"}  # 200 concurrent requests keep one Directus process busy for seconds


async def test_two_hundred_creations_of_one_item_are_one_customer(rig: Rig, second_clerk: Person) -> None:
    """W2: 200 concurrent callers of two processes get the same customer for one item."""
    item = await rig.new_item()
    people = (rig.clerk.token, second_clerk.token)
    async with rig.sidecar(**_PATIENT) as first, rig.sidecar(**_PATIENT) as second:
        answers = await asyncio.gather(
            *(
                rig.create((first, second)[number % 2], item=item, by=people[number // 2 % 2])
                for number in range(_CALLERS)
            )
        )

    assert Counter(answer.status for answer in answers).keys() <= {200, 201}
    assert len({answer.customer for answer in answers}) == 1
    assert await rig.customers_by_item() == {item: answers[0].customer}
    await rig.assert_one_to_one()


async def test_one_answer_says_created(rig: Rig) -> None:
    """W2: Of two processes that create at once for the same empty item, one answers 201 and the other 200."""
    item = await rig.new_item()
    pause = Pause(after=False)
    rig.proxy.fail(pause, when=lambda request: request.method == "PATCH", times=1)
    async with rig.sidecar() as first, rig.sidecar() as second:
        slow = asyncio.create_task(rig.create(first, item=item))
        async with asyncio.timeout(60):
            await pause.reached.wait()
        fast = await rig.create(second, item=item)
        pause.release()
        answers = [fast, await slow]

    assert [answer.status for answer in answers] == [201, 200]
    assert len({answer.customer for answer in answers}) == 1
    await rig.assert_one_to_one()


@pytest.mark.parametrize("seconds", [0.3, 4.0])
async def test_a_double_click_while_stripe_takes_its_time(rig: Rig, seconds: float) -> None:
    """W2: Two requests for an item through two processes get one customer, however slow Stripe is for the first."""
    item = await rig.new_item()

    async def work() -> None:
        await asyncio.sleep(seconds / 2)

    rig.stripe.work = work
    async with rig.sidecar() as first, rig.sidecar() as second:
        answers = await asyncio.gather(rig.create(first, item=item), rig.create(second, item=item))

    assert {answer.status for answer in answers} <= {200, 201}, answers
    assert len({answer.customer for answer in answers}) == 1
    await rig.assert_one_to_one()
