"""A double of Redis in memory: it runs the scripts themselves, in Lua, on a clock of the test's.

Only the commands that they use are written here, as the documentation of Redis has them (redis.io/commands); the tests
in `integration/test_redis_scripts.py` run on this and on a real server.
"""

import asyncio
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from lupa import lua51  # type: ignore[import-untyped]  # the library has no types

from sidecar.clients.redis.commands import Argument, Away, Reply
from sidecar.clients.redis.scripts import Script

_LIBRARY = """
local call = ...
redis = {}
function redis.call(...)
  local found = call(...)
  if type(found) == 'table' and found.err then error(found.err, 0) end
  return found
end
redis.pcall = call
"""


@dataclass(slots=True)
class _Stored:
    value: object
    until: float | None = None

    @property
    def text(self) -> bytes:
        """Give a text, and of anything else none."""
        return self.value if isinstance(self.value, bytes) else b""


class _WrongType(Exception):
    pass


@dataclass
class RedisMemory:
    """`now` is in seconds. Without `up` nothing is answered; `meanwhile` is called once, before an answer arrives."""

    now: Callable[[], float]
    up: bool = True
    meanwhile: Callable[[], None] = lambda: None
    keys: dict[bytes, _Stored] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lua = lua51.LuaRuntime(encoding=None, unpack_returned_tuples=False)
        self._lua.execute(_LIBRARY.encode(), self._call)
        self._functions: dict[str, Callable[..., object]] = {}

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Reply:
        """Run a script at once, and answer a little later. Raises Away where it fails, or while nothing is answered."""
        try:
            return self._run(script, keys, arguments)
        finally:
            happens, self.meanwhile = self.meanwhile, lambda: None
            happens()
            await asyncio.sleep(0)

    def _run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Reply:
        self.runs.append(script.part)
        if not self.up:
            raise Away("not up")
        slots = {key.partition("{")[2].partition("}")[0] for key in keys}
        assert len(slots) == 1, "a script's keys are in one slot of a cluster"
        if script.text not in self._functions:
            self._functions[script.text] = self._lua.eval(b"function(KEYS, ARGV) " + script.text.encode() + b" end")
        try:
            found = self._functions[script.text](
                self._lua.table_from([_bytes(key) for key in keys]),
                self._lua.table_from([_bytes(argument) for argument in arguments]),
            )
        except lua51.LuaError as error:
            raise Away(str(error)) from error
        return _reply(found)

    def put(self, name: str, value: object) -> None:
        """Store a value in place of what is there; bytes are a text, and a list is something else."""
        self.keys[name.encode()] = _Stored(value)

    def flush(self) -> None:
        self.keys.clear()

    def saved(self) -> dict[bytes, _Stored]:
        """Give what a server has that hears of nothing from now on."""
        return deepcopy(self.keys)

    def restore(self, keys: dict[bytes, _Stored]) -> None:
        self.keys = deepcopy(keys)

    def _call(self, name: bytes, *words: object) -> object:
        command = getattr(self, f"_{name.decode().lower()}")
        try:
            found = command(*(_bytes(word) for word in words))
        except _WrongType:
            return self._lua.table_from({b"err": b"WRONGTYPE Operation against a key holding the wrong kind of value"})
        return self._to_lua(found)

    def _to_lua(self, found: object) -> object:
        if isinstance(found, list | tuple):
            return self._lua.table_from([self._to_lua(each) for each in found])
        return False if found is None else found

    def _find(self, key: bytes, kind: type) -> object:
        stored = self.keys.get(key)
        if stored is None:
            return None
        if stored.until is not None and stored.until <= self.now():
            del self.keys[key]
            return None
        if not isinstance(stored.value, kind):
            raise _WrongType
        return stored.value

    def _dict(self, key: bytes, *, make: bool = False) -> dict[bytes, float | bytes]:
        found = self._find(key, dict)
        if found is None:
            found = {}
            if make:
                self.keys[key] = _Stored(found)
        assert isinstance(found, dict)
        return found

    def _entries(self, key: bytes) -> list[tuple[int, list[bytes]]]:
        found = self._find(key, list)
        assert found is None or isinstance(found, list)
        return found or []

    def _time(self) -> list[bytes]:
        whole, micro = divmod(round(self.now() * 1_000_000), 1_000_000)
        return [b"%d" % whole, b"%d" % micro]

    def _get(self, key: bytes) -> bytes | None:
        found = self._find(key, bytes)
        return found if isinstance(found, bytes) else None

    def _set(self, key: bytes, value: bytes, *options: bytes) -> bytes:
        until = None
        if options == (b"KEEPTTL",):
            stored = self.keys.get(key)
            until = None if stored is None else stored.until
        elif options:
            assert options[0] == b"PX"
            until = self.now() + int(options[1]) / 1000
        self.keys[key] = _Stored(value, until)
        return b"OK"

    def _del(self, key: bytes) -> int:
        return int(self.keys.pop(key, None) is not None)

    def _pttl(self, key: bytes) -> int:
        if self._find(key, object) is None:
            return -2
        until = self.keys[key].until
        return -1 if until is None else round((until - self.now()) * 1000)

    def _pexpire(self, key: bytes, life: bytes) -> int:
        if self._find(key, object) is None:
            return 0
        self.keys[key].until = self.now() + float(life) / 1000
        return 1

    def _incr(self, key: bytes) -> int:
        number = int(self._get(key) or 0) + 1
        self.keys[key] = _Stored(b"%d" % number)
        return number

    def _zadd(self, key: bytes, score: bytes, member: bytes) -> int:
        scores = self._dict(key, make=True)
        new = member not in scores
        scores[member] = float(score)
        return int(new)

    def _zrem(self, key: bytes, member: bytes) -> int:
        return int(self._dict(key).pop(member, None) is not None)

    def _zscore(self, key: bytes, member: bytes) -> bytes | None:
        score = self._dict(key).get(member)
        return None if score is None else f"{float(score):.17g}".encode()

    def _zcard(self, key: bytes) -> int:
        return len(self._dict(key))

    def _zrangebyscore(self, key: bytes, least: bytes, most: bytes) -> list[bytes]:
        ordered = sorted(self._dict(key).items(), key=lambda each: (float(each[1]), each[0]))
        return [member for member, score in ordered if _above(float(score), least) and _below(float(score), most)]

    def _zcount(self, key: bytes, least: bytes, most: bytes) -> int:
        return len(self._zrangebyscore(key, least, most))

    def _zremrangebyscore(self, key: bytes, least: bytes, most: bytes) -> int:
        return sum(self._zrem(key, member) for member in self._zrangebyscore(key, least, most))

    def _hset(self, key: bytes, name: bytes, value: bytes) -> int:
        values = self._dict(key, make=True)
        new = name not in values
        values[name] = value
        return int(new)

    def _hget(self, key: bytes, name: bytes) -> object:
        return self._dict(key).get(name)

    def _hdel(self, key: bytes, name: bytes) -> int:
        return int(self._dict(key).pop(name, None) is not None)

    def _xadd(self, key: bytes, *words: bytes) -> bytes:
        maxlen, about, most, star, *fields = words
        assert (maxlen, about, star) == (b"MAXLEN", b"~", b"*")
        entries = self._entries(key)
        last = entries[-1][0] if entries else 0
        number = max(round(self.now() * 1000) * 1000, last + 1)
        stored = self.keys.get(key)
        self.keys[key] = _Stored([*entries, (number, fields)][-int(most) :], stored.until if stored else None)
        return _identity(number)

    def _xrevrange(self, key: bytes, _end: bytes, _start: bytes, count: bytes, most: bytes) -> Sequence[object]:
        assert count == b"COUNT"
        return [[_identity(number), list(fields)] for number, fields in reversed(self._entries(key))][: int(most)]

    def after(self, stream: str, identity: bytes) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """Give the entries of a stream after this one, as XREAD does."""
        milliseconds, _, nth = identity.partition(b"-")
        known = int(milliseconds) * 1000 + int(nth)
        return [
            (_identity(number), dict(zip(fields[::2], fields[1::2], strict=True)))
            for number, fields in self._entries(stream.encode())
            if number > known
        ]


def _identity(number: int) -> bytes:
    return b"%d-%d" % divmod(number, 1000)


def _above(score: float, least: bytes) -> bool:
    return score > float(least[1:]) if least.startswith(b"(") else score >= float(least)


def _below(score: float, most: bytes) -> bool:
    return score < float(most[1:]) if most.startswith(b"(") else score <= float(most)


def _bytes(word: object) -> bytes:
    """Lua passes numbers to Redis as texts with 17 digits."""
    if isinstance(word, bytes):
        return word
    if isinstance(word, float):
        return f"{word:.17g}".encode()
    return str(word).encode()


def _reply(found: object) -> Reply:
    """Convert as Redis does: a number is cut to a whole one, false is nothing, a table ends at its first nil."""
    if isinstance(found, bool):
        return 1 if found else None
    if isinstance(found, int | float):
        return int(found)
    if lua51.lua_type(found) == "table":
        replies: list[Reply] = []
        table: Any = found
        while (each := table[len(replies) + 1]) is not None:
            replies.append(_reply(each))
        return replies
    return found
