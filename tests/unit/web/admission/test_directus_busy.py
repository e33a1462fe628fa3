"""A Directus that gets no more at once than it can do, and what becomes of a question that was given up."""

import asyncio

from aiohttp import web

from tests.doubles.faults import Handler, Stall
from tests.doubles.running_app import CLERK, OpenApp, RunningApp
from tests.doubles.waiting import eventually

QUESTIONS = "sidecar_directus_questions"


class Busy:
    """Answers one request after the other and works to its end on each, also when its client has left."""

    def __init__(self) -> None:
        self.at_once = self.most_at_once = self.worked_on = 0
        self._turn = asyncio.Lock()
        self._works: set[asyncio.Task[web.StreamResponse]] = set()

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        work = asyncio.create_task(self._work(request, handler))
        self._works.add(work)
        work.add_done_callback(self._works.discard)
        return await asyncio.shield(work)

    async def _work(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        async with self._turn:
            await asyncio.sleep(0.005)  # what a real Directus takes for /permissions/me
            self.at_once -= 1
            self.worked_on += 1
            return await handler(request)


async def questions(app: RunningApp, state: str) -> int:
    [line] = [
        line
        for line in (await app.call(target="/metrics")).body.decode().splitlines()
        if line.startswith(f'{QUESTIONS}{{state="{state}"}}')
    ]
    return int(float(line.split(" ")[1]))


async def test_so_many_questions_at_once(open_app: OpenApp) -> None:
    """C12: Of forty first requests from forty addresses Directus has three at once, and all are answered."""
    app, busy = await open_app(DIRECTUS_MAX_CONCURRENT="3", TRUSTED_PROXIES="127.0.0.1"), Busy()
    app.directus.fail(busy)

    answers = await asyncio.gather(
        *(app.call(CLERK, headers=[("X-Forwarded-For", f"192.0.2.{number}")]) for number in range(40))
    )

    assert {answer.status for answer in answers} == {200}
    assert (busy.most_at_once, busy.worked_on) == (3, 40)


async def test_an_answer_that_comes_too_late_is_remembered(open_app: OpenApp) -> None:
    """C12: A question that its caller gave up is answered once, for its caller's next request."""
    app, stall = await open_app(DIRECTUS_TIMEOUT="0.5"), Stall()
    app.directus.fail(stall)
    given_up = await app.call(CLERK)
    assert (given_up.status, await questions(app, "overdue")) == (503, 1)

    async def none_under_way() -> bool:
        return await questions(app, "overdue") == 0

    stall.release()
    await eventually(none_under_way)
    answer = await app.call(CLERK)

    assert answer.status == 200
    assert len(app.directus.requests) == 1
