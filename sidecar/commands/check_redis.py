"""What `check` asks Redis: whether it is reached as it should be, is near enough, and lets the sidecar do all it does.

Everything happens under names that only this run knows, and expires by itself.
"""

import secrets
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from redis.exceptions import AuthenticationError, RedisError

from sidecar import opening
from sidecar.clients.directus.caller_keys import CallerKeys
from sidecar.clients.directus.shared_answers import SharedAnswer
from sidecar.clients.redis.answers import Answers
from sidecar.clients.redis.budgets import SharedBudgets
from sidecar.clients.redis.commands import Argument, Away, Redis, Reply, connected, within
from sidecar.clients.redis.connection import Client, close_client, ping, read_stream
from sidecar.clients.redis.marks import ANNOUNCE
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.news import NewsReader
from sidecar.clients.redis.replicas import Replicas
from sidecar.clients.redis.scripts import Script
from sidecar.clients.stripe.budgets import NONE
from sidecar.commands.lines import Line, Word
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.permissions import Permissions
from sidecar.metrics import Metrics
from sidecar.settings import Settings

_PATIENCE = 3.0  # seconds to connect, and for one answer
_FAR, _TOO_FAR = 0.01, 0.05  # seconds; a command of the service has the second
_TRIES = 3


async def redis_lines(settings: Settings) -> AsyncIterator[Line]:
    if settings.redis is None:
        return
    client = opening.redis_client(settings)
    try:
        seconds = await _answer_time(client)
    except Exception as error:  # noqa: BLE001 - those of the library have no class in common
        yield Line(Word.FAULT, _unreachable(error))
    else:
        yield _distance(seconds)
        if seconds < _TOO_FAR:
            async for line in _rights(settings, client):
                yield line
    finally:
        await close_client(client)


async def _answer_time(client: Client) -> float:
    """Give the shortest of some, after a first one that connects."""
    times = []
    for _ in range(1 + _TRIES):
        started = time.perf_counter()
        await within(_PATIENCE, lambda: ping(client, None))
        times.append(time.perf_counter() - started)
    return min(times[1:])


def _unreachable(error: Exception) -> str:
    causes = [error, error.__cause__, error.__context__]
    if isinstance(error, AuthenticationError):
        return "Redis does not let us in: user and password in REDIS must be those of its ACL user"
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "certificate" in str(error).lower():
        return "Redis's certificate cannot be verified: set REDIS_CA to its authority's, and use the name that it has"
    return f"Redis cannot be reached ({type(error).__name__}): is it up, is REDIS right?"


def _distance(seconds: float) -> Line:
    took = f"Redis answers in {seconds * 1000:.1f} ms"
    if seconds >= _TOO_FAR:
        return Line(Word.FAULT, f"{took}; the service waits 50 ms and then does without it: use one that is nearer")
    if seconds >= _FAR:
        return Line(
            Word.NOTE, f"{took}, and each new caller waits for that three times: one in the same network is better"
        )
    return Line(Word.OK, took)


class _Told:
    """Sends on, and keeps the reason of the last failure."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.reason: str | None = None

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Reply:
        try:
            return await self._redis.run(script, keys, arguments)
        except Away as away:
            self.reason = str(away)
            raise


async def _rights(settings: Settings, client: Client) -> AsyncIterator[Line]:
    space = Space.of(opening.revealed(settings.sidecar_secret)[0], "check", secrets.token_hex(8))
    attempts: dict[str, Callable[[Redis], Awaitable[bool]]] = {
        "keeps answers, and their seal is whole": lambda redis: _keeps(redis, space),
        "passes news on": lambda redis: _passes_on(redis, client, space),
        "counts replicas": lambda redis: _counts(redis, space),
        "counts turns at Stripe": lambda redis: _counts_turns(redis, space),
    }
    async with connected(client) as commands:
        for what, attempt in attempts.items():
            yield await _line(what, attempt, _Told(commands))


async def _line(what: str, attempt: Callable[[Redis], Awaitable[bool]], told: _Told) -> Line:
    try:
        works = await attempt(told)
    except (Away, RedisError, TimeoutError) as error:
        told.reason, works = told.reason or str(error), False
    if works:
        return Line(Word.OK, f"Redis {what}")
    why = told.reason or "it did not give what it was given"
    return Line(Word.FAULT, f"Redis cannot be used to the end ({what}): {why}; see its ACL user in deploy/README.md")


async def _keeps(redis: Redis, space: Space) -> bool:
    answers = Answers(redis, space)
    caller = CallerKeys().of(Credential("check", Source.SERVICE, None))
    claim = await answers.claim(caller)
    if claim is None or isinstance(claim, SharedAnswer):
        return False
    answers.keep(claim, SharedAnswer(Permissions({}), age=0, yes=_PATIENCE, no=_PATIENCE))
    await answers.close()
    found = await answers.look(caller)
    return found is not None and found.said == Permissions({})


async def _passes_on(redis: Redis, client: Client, space: Space) -> bool:
    stream = space.name("news")
    sealed = space.close(stream, b"check")
    told = await redis.run(ANNOUNCE, (stream, space.name("everybody")), (secrets.token_hex(8), 1000, "", 0, sealed, 1))
    heard = await within(_PATIENCE, lambda: read_stream(client, stream, b"0-0"))
    return [(entry, space.open(stream, fields[b"news"])) for entry, fields in heard] == [(told, b"check")]


async def _counts(redis: Redis, space: Space) -> bool:
    async def nothing(_stream: str, _after: bytes) -> list[tuple[bytes, dict[bytes, bytes]]]:
        return []

    replicas = Replicas(redis, space, NewsReader(nothing, space), expected=0, metrics=Metrics())
    await replicas.sign()
    await replicas.leave()
    return replicas.count == 1


async def _counts_turns(redis: Redis, space: Space) -> bool:
    here, there = (SharedBudgets(redis, space.names, 1, 1, replicas=lambda: 2) for _ in range(2))
    first, *others = [await budgets.take("check") for budgets in (here, there, there)]
    await here.pause("check", _PATIENCE)
    return first == NONE and NONE not in others
