"""Check C7 for static tokens: they and their users change in any order, and answers and events come when they like."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core.access.permissions import Action, Permissions
from tests.doubles.virtual_time import VirtualTimeLoop
from tests.unit.clients.directus.sources import granting
from tests.unit.clients.directus.test_permission_flights import ANNA, BERT, turns
from tests.unit.clients.directus.test_token_users import TOKEN, Directus, Question

pytestmark = pytest.mark.slow

SAID = [granting(action) for action in (Action.READ, Action.CREATE, Action.UPDATE, Action.DELETE)]


class Model:
    """Makes one small step after the other, and notes what was true while each request was under way."""

    def __init__(self) -> None:
        self.directus = directus = Directus(slow=True)
        self._requests: list[tuple[asyncio.Task[Permissions], list[object]]] = []
        self._changes = 0
        self._steps: dict[str, Callable[[], object]] = {
            "ask": self._ask,
            "decide": lambda: _settle(directus.permissions_asked),
            "decide whose": lambda: _settle(directus.users_asked),
            "answer": lambda: _deliver(directus.permissions_asked),
            "answer whose": lambda: _deliver(directus.users_asked),
            "hear": directus.hear_one,
            "grant": self._grant,
            "grant and hear": lambda: self._heard(self._grant),
            "move": self._move,
            "move and hear": lambda: self._heard(self._move),
            "another changes": lambda: directus.unheard.append("a third user"),
            "purge": directus.cache.purge,
        }

    async def do(self, name: str) -> None:
        self._steps[name]()
        await turns()
        for task, true in self._requests:
            if not task.done():
                true.append(self.directus.truth(TOKEN))

    async def end(self) -> None:
        self.directus.hear()
        self._ask()
        await turns()
        await self.directus.deliver_all()
        for task, true in self._requests:
            assert await task in true

    def _ask(self) -> None:
        """Judge no request that begins before a change is heard: a change counts from then on."""
        task = asyncio.create_task(self.directus.cache.permissions(TOKEN))
        if not self.directus.unheard:
            self._requests.append((task, [self.directus.truth(TOKEN)]))

    def _grant(self) -> None:
        self._changes += 1
        self.directus.change(self._owner(), SAID[self._changes % len(SAID)])

    def _move(self) -> None:
        self.directus.move(TOKEN, BERT if self._owner() == ANNA else ANNA)

    def _heard(self, change: Callable[[], None]) -> None:
        change()
        self.directus.hear()

    def _owner(self) -> str:
        return self.directus.owner[TOKEN.token] or ANNA


def _settle(asked: list[Question]) -> None:
    for question in asked:
        question.settle()


def _deliver(asked: list[Question]) -> None:
    if asked:
        asked.pop(0).deliver()


async def _run(steps: list[str]) -> None:
    model = Model()
    for step in ("ask", "answer", "another changes", "hear"):
        await model.do(step)
    for step in steps:
        await model.do(step)
    await model.end()


STEPS = (
    "ask",
    "decide",
    "decide whose",
    "answer",
    "answer whose",
    "hear",
    "grant",
    "grant and hear",
    "move",
    "move and hear",
    "another changes",
    "purge",
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=40))
def test_no_request_is_answered_from_before_a_change(steps: list[str]) -> None:
    """C7: Whatever changes or moves, and when: a request hears what was true since all changes before it were heard."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_run(steps))
