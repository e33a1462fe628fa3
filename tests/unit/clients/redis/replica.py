"""Several replicas in one process, on one Redis in memory, before a model of Directus. Only tests move time."""

import asyncio
import base64
import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sidecar.clients.directus.caller_keys import CallerKeys
from sidecar.clients.directus.line import Ready
from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.clients.directus.permission_flight import Place
from sidecar.clients.redis.announcements import Announcements
from sidecar.clients.redis.answers import Answers
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.news import Entry, NewsReader
from sidecar.clients.redis.replicas import Replicas
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Action, Permissions
from sidecar.errors import CredentialRefused, DirectusUnavailable, SidecarError
from sidecar.metrics import Metrics
from tests.doubles.redis.memory import RedisMemory
from tests.unit.clients.directus.sources import SURE, credential, granting

TTL, DENIED_TTL, LATENCY, WINDOW = 30.0, 5.0, 2.0, 0.2
START = 1_800_000_000.0
CALLERS = ("session", "static")
SECRET = b"the key of all replicas' hashes."
CLAIMS = {"iss": "directus", "id": "session", "role": None, "exp": START + 1e6}
SESSION = f"e30.{base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip('=')}.sig"
SPACE = Space.of("the-secret-that-replicas-share-is-long", "permissions", "http://directus", "customers")


@dataclass
class Directus:
    """`asked` has when questions came and what was said, by caller; `ending`, when a session ends that is being ended.

    `meanwhile` is called once, after Directus has decided and before its answer arrives.
    """

    now: float = START
    down: bool = False
    allowed: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(CALLERS, True))
    last_allowed: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CALLERS, START))
    asked: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: {name: [] for name in CALLERS})
    ending: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CALLERS, math.inf))
    meanwhile: Callable[[], None] = lambda: None

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for caller in CALLERS:
            if self.allowed[caller]:
                self.last_allowed[caller] = min(self.now, self.ending[caller])
            if self.now >= self.ending[caller]:
                self.allowed[caller], self.ending[caller] = False, math.inf

    def set(self, caller: str, *, allowed: bool) -> None:
        self.advance(0)
        self.allowed[caller] = allowed

    @property
    def questions(self) -> int:
        return sum(map(len, self.asked.values()))

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready
    ) -> Permissions:
        await asyncio.sleep(0)
        await ready()
        sent(SURE)
        caller, asked = credential.address or "", self.now
        await asyncio.sleep(0)
        self.advance(LATENCY / 2)
        if self.down:
            raise DirectusUnavailable("down")
        allowed = self.allowed[caller]
        self.asked[caller].append((asked, allowed))
        self.advance(LATENCY / 2)
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        await asyncio.sleep(0)
        if not allowed:
            raise CredentialRefused("INVALID_CREDENTIALS")
        return granting(Action.READ)

    async def identity(self, credential: Credential) -> Identity:
        return Identity(credential.address)

    async def user_patiently(self, credential: Credential) -> str | None:
        return credential.address


async def _nothing(_stream: str, _after: bytes) -> list[Entry]:
    return []


def credential_of(caller: str) -> Credential:
    return credential(SESSION if caller == "session" else "static-token", caller)


class Replica:
    """`felt` is, by caller, since when this replica knows that earlier answers do not count."""

    def __init__(self, directus: Directus, redis: RedisMemory) -> None:
        async def passed(_entry: bytes) -> None: ...

        def now() -> float:
            return directus.now

        self._directus, self._redis = directus, redis
        self.felt = dict.fromkeys(CALLERS, -math.inf)
        self.announcements = Announcements(redis, [SPACE], passed)
        self._answers = Answers(redis, SPACE, trusted=lambda: self.announcements.all_told, clock=now, timer=now)
        self.cache = PermissionCache(
            directus,
            ttl=TTL,
            denied_ttl=DENIED_TTL,
            size=100,
            shared=self._answers,
            secret=SECRET,
            timer=now,
            clock=now,
        )
        self._reader = NewsReader(_nothing, SPACE)
        self._reader.listener, self._reader.missed = self.cache, self.announcements.change_everybody
        self.replicas = Replicas(redis, SPACE, self._reader, expected=1, metrics=Metrics())

    async def ask(self, caller: str) -> bool | None:
        """Say whether the caller would be let in; None means that nobody could tell."""
        try:
            permissions = await self.cache.permissions(credential_of(caller))
        except CredentialRefused:
            return False
        except SidecarError:
            return None
        return len(permissions.grants) > 0

    def hear(self, caller: str | None = None) -> None:
        """Hear of a change, of one user or of everybody, and begin to tell the others."""
        if caller is None:
            self.cache.purge()
            self.announcements.change_everybody()
        else:
            self.cache.forget_user(caller)
            self.announcements.change_user(caller)
        for each in CALLERS if caller is None else (caller,):
            self.felt[each] = max(self.felt[each], self._directus.now)

    async def hear_logout(self, caller: str) -> None:
        ended = credential_of(caller)
        self.cache.forget(ended)
        await self.announcements.log_out([CallerKeys(SECRET).token(ended.token)])

    async def read_news(self) -> None:
        if self._redis.up:
            await self.replicas.sign()
            self._reader.hear(self._redis.after(SPACE.name("news"), self._reader.position or b"0-0"))

    async def settle(self) -> None:
        """Let what is under way to Redis come there."""
        await self._answers.close()
        for _ in range(5):
            await asyncio.sleep(0)


class World:
    """Three replicas, each of which has read the news so far."""

    def __init__(self) -> None:
        self.directus = Directus()
        self.redis = RedisMemory(lambda: self.directus.now)
        self.replicas = [Replica(self.directus, self.redis) for _ in range(3)]

    async def start(self) -> "World":
        await self.everybody(lambda replica: replica.read_news())
        return self

    async def everybody(self, does: Callable[[Replica], Awaitable[object]]) -> list[object]:
        """Have each replica in turn do something, and settle."""
        found = [await does(replica) for replica in self.replicas]
        for replica in self.replicas:
            await replica.settle()
        return found
