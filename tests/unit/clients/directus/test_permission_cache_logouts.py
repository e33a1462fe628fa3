"""Checks C7 and C13: the model of C10 with logouts at any time, of tokens in use and of made-up ones."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from sidecar.core.access.permissions import Action
from tests.unit.clients.directus.sources import credential
from tests.unit.clients.directus.test_permission_cache_model import SESSION, TTL, CacheMachine, actions, callers

pytestmark = pytest.mark.slow


class LogoutMachine(CacheMachine):
    """A logout has two steps: the proxy tells the cache of it, and later Directus ends the session."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, float] = {}

    def quiet(self, caller: str) -> bool:
        return self.directus.now < self.told.get(self.credential(caller).token, float("-inf")) + TTL

    @rule(caller=callers)
    def tell(self, caller: str) -> None:
        self.cache.forget(self.credential(caller))
        self.told[self.credential(caller).token] = self.directus.now
        self.directus.said[caller] = []

    @rule(caller=callers)
    def end(self, caller: str) -> None:
        """Directus ends a session, of which it was told a while ago at most."""
        if self.quiet(caller):
            self.directus.mark(self.directus.now)
            self.directus.ended.add(caller)

    @precondition(lambda self: self.directus.ended)
    @rule()
    def sign_in_all(self) -> None:
        for caller in self.directus.ended:
            self.sign_ins[caller] += 1
            self.directus.said[caller] = []
        self.directus.ended.clear()

    @rule(caller=callers, action=actions, number=st.integers(1, 50))
    def made_up(self, caller: str, action: Action, number: int) -> None:
        """Made-up tokens are logged out between two requests: the second one finds what the first one left."""
        quiet = self.quiet(caller)
        self.verdict(caller, action)
        for each in range(number):
            self.cache.forget(credential(f"made-up{each}", caller))
        before = self.directus.questions
        self.verdict(caller, action)
        lasting = self.directus.allows(caller, action) and caller != SESSION and not quiet
        assert self.directus.questions == before or not lasting or self.directus.down

    @rule(caller=callers, action=actions, ends=st.booleans(), number=st.integers(1, 5))
    def log_out_while(self, caller: str, action: Action, number: int, *, ends: bool) -> None:
        """A logout while Directus answers, with requests from before and from after it."""
        later: list[asyncio.Task[bool | None]] = []

        def overtake() -> None:
            self.directus.meanwhile = lambda: None
            self.tell(caller)
            if ends:
                self.end(caller)
            later.extend(asyncio.create_task(self.asking(caller, action)) for _ in range(number))

        async def crowd() -> tuple[list[bool | None], int]:
            self.directus.meanwhile = overtake
            await asyncio.gather(*(self.asking(caller, action) for _ in range(number)))
            before = self.directus.questions
            return await asyncio.gather(*later), self.directus.questions - before

        answers, questions = self.runner.run(crowd())
        self.directus.meanwhile = lambda: None
        assert questions <= (number if self.directus.down else 1)
        if ends and caller in self.directus.ended:
            assert True not in answers

    def verdict(self, caller: str, action: Action) -> None:
        """Once Directus has ended a session nobody is let in with it; in the quiet time Directus is asked each time."""
        before, over, quiet = self.directus.questions, caller in self.directus.ended, self.quiet(caller)
        super().verdict(caller, action)
        if quiet and self.quiet(caller):
            assert self.directus.questions > before
        if over and not self.directus.down:
            assert not self.runner.run(self.asking(caller, action)), "let in after the logout"


def test_the_cache_agrees_with_directus_on_logouts() -> None:
    """C7, C13: After a logout no answer from before it is used; made-up ones change nothing for anybody."""
    run_state_machine_as_test(LogoutMachine, settings=settings(max_examples=150, stateful_step_count=40, deadline=None))
