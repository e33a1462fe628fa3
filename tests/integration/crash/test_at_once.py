"""W2: one item and many callers of two processes make one customer."""

import asyncio
import json
from collections import Counter

import pytest

from deploy.demo.admin import Person
from tests.doubles import faults
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

    assert Counter(answer.status for answer in answers) == {200: _CALLERS - 1, 201: 1}
    assert len({answer.customer for answer in answers}) == 1
    assert await rig.customers_by_item() == {item: answers[0].customer}
    await rig.assert_one_to_one()


async def test_one_answer_says_created(rig: Rig) -> None:
    """W2: Of two processes at once, the one that created the customer answers 201, whichever writes the ID."""
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

    assert [answer.status for answer in answers] == [200, 201]
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

    assert sorted(answer.status for answer in answers) == [200, 201], answers
    assert len({answer.customer for answer in answers}) == 1
    await rig.assert_one_to_one()


async def test_one_of_twenty_is_told_that_it_created(rig: Rig) -> None:
    """W2: In each of five rounds, one of 20 callers of two processes is told 201, as the audit says; all get one ID."""
    logs = []
    async with rig.sidecar(**_PATIENT) as first, rig.sidecar(**_PATIENT) as second:
        for _ in range(5):
            item = await rig.new_item()
            answers = await asyncio.gather(
                *(rig.create((first, second)[number % 2], item=item) for number in range(20))
            )
            assert Counter(answer.status for answer in answers) == {200: 19, 201: 1}
            assert len({answer.customer for answer in answers}) == 1
        for server in (first, second):
            logs += [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]

    assert [line["new"] for line in logs if line["message"] == "customer created"].count(True) == 5
    await rig.assert_one_to_one()


async def test_a_lost_answer_among_twenty(rig: Rig) -> None:
    """U3, W2: If Stripe's one first answer is lost on its way, its caller is still the one who is told 201."""
    item = await rig.new_item()
    rig.stripe.fail(faults.reset_after_work, when=lambda request: request.method == "POST", times=1)
    async with rig.sidecar(**_PATIENT) as server:
        answers = await asyncio.gather(*(rig.create(server, item=item) for _ in range(20)))

    assert Counter(answer.status for answer in answers) == {200: 19, 201: 1}
    await rig.assert_one_to_one()
