"""Random faults of both upstreams: usually none, then one fault for some requests, for a second or two."""

import asyncio
import random

from tests.doubles import faults
from tests.doubles.faults import Fault
from tests.doubles.server import Double, Recorded
from tests.soak.truth import History

_QUIET = (1.0, 4.0)  # seconds without a fault
_FAULTY = (0.5, 2.0)

_EVERYWHERE: list[Fault] = [
    *faults.BROKEN,
    faults.redirect("http://127.0.0.1:9/"),
    faults.answer(200, "[]"),
    faults.answer(200, "null"),
    faults.answer(200, '{"data": true, "has_more": "no"}'),
    faults.answer(500, "<h1>oops</h1>", "text/html"),
    faults.answer(503, "{}", Retry_After="1"),
    faults.answer(429, '{"errors": [{"extensions": {"code": "REQUESTS_EXCEEDED"}}]}', Retry_After="1"),
]


async def trouble(double: Double, *, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible, no secret
    while True:
        await asyncio.sleep(chance.uniform(*_QUIET))
        share = chance.choice((0.2, 0.5, 1.0))

        def some(_: Recorded, share: float = share) -> bool:
            return chance.random() < share

        double.fail(chance.choice(_EVERYWHERE), when=some)
        await asyncio.sleep(chance.uniform(*_FAULTY))
        double.recover()
        double.requests.clear()


async def changes(histories: list[History], *, seed: int) -> None:
    """Grant and revoke permissions about ten times a second."""
    chance = random.Random(seed)  # noqa: S311 - as above
    while True:
        await asyncio.sleep(chance.uniform(0.02, 0.2))
        chance.choice(histories).change(chance.choice(("allowed", "allowed", "denied", "gone")))


async def outages(double: Double, *, seed: int) -> None:
    """Close the whole upstream for a while, now and then."""
    chance = random.Random(seed)  # noqa: S311 - as above
    while True:
        await asyncio.sleep(chance.uniform(20, 40))
        await double.refuse()
        await asyncio.sleep(chance.uniform(0.5, 2))
        await double.listen()
