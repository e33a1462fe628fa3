"""Answers of Directus about permissions that replicas share, sealed and only for as long as they count.

The life of an answer is kept on Redis's clock, by the key's own expiry, so clocks of replicas need not agree. It counts
from the claim, so that what is kept late, by a Redis that stood still, lives no longer. The sealed value has the wall
time too: somebody who can write to Redis cannot bring an old one back.
"""

import asyncio
import math
import random
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sidecar.clients.directus.caller_keys import CallerKey
from sidecar.clients.directus.shared_answers import Claim, SharedAnswer
from sidecar.clients.redis.answer_form import read_answer, write_answer
from sidecar.clients.redis.background import Background
from sidecar.clients.redis.commands import Argument, Away, Redis, Reply
from sidecar.clients.redis.marks import KEEP, LOOK
from sidecar.clients.redis.names import VERSION, Space, Unreadable
from sidecar.metrics import Metrics

_CLAIM = 1_000  # ms; the others ask themselves after that
_POLLS = (0.01, 0.02, 0.04, 0.08, 0.1, 0.1, 0.1)  # seconds; longer than Directus takes for what it works on
_MARKS_LIFE = 60_000  # ms; longer than a question lasts, and of what is kept the marks live longer by this
_ANSWER = 3  # which of a caller's keys is the answer's


@dataclass(frozen=True, slots=True)
class _Claim:
    keys: Sequence[str]
    claimant: str
    marks: bytes
    moment: bytes  # on Redis's clock
    heard: float  # when that was heard here; never earlier


class Answers:
    """`trusted` says whether what this replica has to tell the others was told: until then it looks nowhere.

    `clock` is wall time, `timer` must be monotonic.
    """

    def __init__(
        self,
        redis: Redis,
        space: Space,
        *,
        trusted: Callable[[], bool] = lambda: True,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis, self._space, self._trusted = redis, space, trusted
        self._clock, self._timer = clock, timer
        self._metrics = metrics or Metrics()
        self._background = Background()

    async def look(self, caller: CallerKey) -> SharedAnswer | None:
        keys = self._keys(caller)
        match await self._ask(keys):
            case [b"known", bytes(), bytes(value), int(left)], took:
                return self._read(keys, value, left / 1000 - took)
            case _:
                return None

    async def claim(self, caller: CallerKey) -> SharedAnswer | Claim | None:
        keys, claimant, least = self._keys(caller), secrets.token_hex(8), 0
        for pause in _POLLS:
            match await self._ask(keys, claimant, _CLAIM, least):
                case [b"known", bytes(), bytes(value), int(left)], took:
                    found = self._read(keys, value, left / 1000 - took)
                    if found is not None and found.no > 0:
                        return found
                    least = left  # what is asked anew has more
                case [b"claimed", bytes(marks), bytes(moment)], _:
                    return _Claim(keys, claimant, marks, moment, self._timer())
                case [b"asked"], _:
                    await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load
                case _:
                    return None
        return None

    def keep(self, claim: Claim, answer: SharedAnswer) -> None:
        assert isinstance(claim, _Claim)  # noqa: S101 - no other is given
        life = max(answer.yes, answer.no)
        since_claim = math.floor((life + self._timer() - claim.heard) * 1000)
        self._end(claim, self._write(claim.keys, answer, life) if life > 0 else b"", since_claim)

    def release(self, claim: Claim) -> None:
        assert isinstance(claim, _Claim)  # noqa: S101 - no other is given
        self._end(claim, b"", 0)

    async def close(self) -> None:
        await self._background.finish()

    async def _ask(self, keys: Sequence[str], *claim: Argument) -> tuple[Reply, float]:
        """Give what the script says, or None where there is no answer to be had, and how long that took.

        The event loop may be late, and an answer is older by that.
        """
        asked = self._timer()
        reply: Reply = None
        if self._trusted():
            with suppress(Away):
                reply = await self._redis.run(LOOK, keys, (secrets.token_hex(8), _MARKS_LIFE, *claim))
        return reply, self._timer() - asked

    def _end(self, claim: _Claim, value: bytes, life: int) -> None:
        """End a claim in the background: nobody waits for that here."""

        async def end() -> None:
            arguments = (claim.claimant, claim.marks, value, claim.moment, life, _MARKS_LIFE)
            with suppress(Away):
                await self._redis.run(KEEP, claim.keys, arguments)

        self._background.start(end())

    def _keys(self, caller: CallerKey) -> Sequence[str]:
        """Name what the scripts need about a caller; the answer's name is at `_ANSWER`."""
        space, parts = self._space, (caller.token, caller.address)
        whose = space.name("user", caller.user.lower()) if caller.user is not None else space.name("users")
        return [
            space.name("everybody"),
            whose,
            space.name("token", caller.token),
            space.name("answer", VERSION, *parts),
            space.name("question", VERSION, *parts),
        ]

    def _write(self, keys: Sequence[str], answer: SharedAnswer, life: float) -> bytes:
        return self._space.close(keys[_ANSWER], write_answer(answer, life, self._clock()))

    def _read(self, keys: Sequence[str], value: bytes, left: float) -> SharedAnswer | None:
        try:
            return read_answer(self._space.open(keys[_ANSWER], value), left, self._clock())
        except Unreadable:
            self._metrics.shared_errors.labels(LOOK.part).inc()
            return None
