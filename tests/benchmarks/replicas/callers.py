"""Rows 2, 7 and 8: what many callers cost Directus when they come, after a change, and while replicas are restarted.

Each caller's requests go to the replicas in turn, as a load balancer that knows no callers spreads them.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence

from tests.benchmarks.fair.plan import Request
from tests.benchmarks.replicas.crowd import Answered, Shot, failures, slowest
from tests.benchmarks.replicas.fleet import Fleet
from tests.benchmarks.replicas.ground import LASTING, Ground
from tests.benchmarks.replicas.logouts import PAGE
from tests.benchmarks.replicas.outcome import Seen, seconds
from tests.doubles.waiting import eventually

_CHANCE = random.Random(16)  # noqa: S311 - the same times in every run
_TOO_MANY = 1.05  # questions for each first caller
_MOST_AFTER_CHANGE = 2.2  # questions for each caller: Directus announces before it drops its own answers
_MOST_OF_RESTARTS = 0.1  # questions for each caller
_BEFORE = 2.0  # seconds of requests before the change


async def first_callers(ground: Ground) -> Seen:
    size = ground.size
    async with ground.generous() as fleet:
        tokens = fleet.directus.move_in("first", size.first)
        shots = [
            Shot(number / size.a_second, fleet.ports[(number + one) % len(fleet.ports)], Request(PAGE, token))
            for number, token in enumerate(tokens)
            for one in range(size.at_once)
        ]
        answers = await fleet.crowd.volley(shots)
        questions = fleet.directus.questions
    return _questions(questions, answers, size.first, size.first * _TOO_MANY)


async def changed_permission(ground: Ground) -> Seen:
    size = ground.size
    async with ground.generous(**LASTING, DIRECTUS_REALTIME="true") as fleet:
        await eventually(lambda: len(fleet.directus.feeds) == len(fleet.ports))
        pages = [Request(PAGE, token) for token in fleet.directus.move_in("changed", size.changed)]
        await fleet.meet(pages)
        shots = list(_each_second(pages, fleet.ports, _BEFORE + size.changing))
        volley = asyncio.create_task(fleet.crowd.volley(shots))
        await asyncio.sleep(_BEFORE)
        before = fleet.directus.questions
        await fleet.directus.announce()
        answers = await volley
        questions = fleet.directus.questions - before
    return _questions(questions, answers, size.changed, size.changed * _MOST_AFTER_CHANGE)


async def restarts(ground: Ground) -> Seen:
    """Behind nginx, which asks the replicas in turn, and another one where one is not there."""
    size = ground.size
    async with ground.generous(**LASTING) as fleet, fleet.nginx(in_turn=True) as nginx:
        pages = [Request(PAGE, token) for token in fleet.directus.move_in("restarted", size.restarted)]
        await fleet.meet(pages)
        before = fleet.directus.questions
        restarting = asyncio.create_task(_restart_all(fleet, size.settling))
        answers = list[Answered]()
        while not restarting.done():
            answers += await fleet.crowd.volley(_each_second(pages, [nginx], 1))
        await restarting
        questions = fleet.directus.questions - before
    return _questions(questions, answers, 0, size.restarted * _MOST_OF_RESTARTS)


async def _restart_all(fleet: Fleet, settling: float) -> None:
    for replica in fleet.replicas:
        await replica.restart()
        await asyncio.sleep(settling)


def _each_second(pages: Sequence[Request], ports: Sequence[int], longest: float) -> Iterator[Shot]:
    """Let everybody ask once in each second, some time within it."""
    for second in range(round(longest)):
        for number, page in enumerate(pages):
            yield Shot(second + _CHANCE.random(), ports[(number + second) % len(ports)], page)


def _questions(questions: int, answers: Sequence[Answered], least: int, most: float) -> Seen:
    """Fewer than the `least` would mean that somebody was let in unasked."""
    failed = failures(answers)
    words = f"{questions:,} questions for {len(answers):,} requests, slowest {seconds(slowest(answers))}"
    words += f"; {failed}" if failed else ""
    figures = {"questions": questions, "requests": len(answers), "slowest": slowest(answers), "failed": failed}
    return Seen(words, least <= questions <= most and not failed, figures)
