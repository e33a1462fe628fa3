"""What a replica does with news that are not as another one writes them."""

from dataclasses import dataclass, field

from sidecar.clients.redis.news import Entry, NewsReader
from sidecar.clients.redis.replicas import Replicas
from sidecar.clients.redis.scripts import Script
from sidecar.metrics import Metrics
from tests.doubles.redis.memory import RedisMemory
from tests.unit.clients.redis.replica import SPACE, START

STREAM = SPACE.name("news")


@dataclass
class Heard:
    purges: list[str] = field(default_factory=list)
    forgotten: list[bytes] = field(default_factory=list)
    missed: int = 0

    def purge(self, cause: str) -> None:
        self.purges.append(cause)

    def forget_user(self, user: str) -> None:
        self.forgotten.append(user.encode())

    def forget_token(self, token: bytes) -> None:
        self.forgotten.append(token)

    def miss(self) -> None:
        self.missed += 1


async def nothing(_stream: str, _after: bytes) -> list[Entry]:
    return []


def reader_at(position: bytes) -> tuple[NewsReader, Heard]:
    reader, heard = NewsReader(nothing, SPACE), Heard()
    reader.listener, reader.missed, reader.position = heard, heard.miss, position
    return reader, heard


def entry(number: int, before: bytes, content: bytes) -> Entry:
    return b"%d-0" % number, {b"before": before, b"news": SPACE.close(STREAM, content)}


async def test_a_flood_of_entries_without_a_chain(log_lines: list[str]) -> None:
    """Whatever somebody adds to the stream, what is read at once counts as one gap, and fills no log."""
    reader, heard = reader_at(b"1-0")

    for batch in range(10):
        reader.hear([(b"%d-%d" % (batch + 2, each), {b"before": b"9-9", b"news": b""}) for each in range(500)])

    assert (heard.purges, heard.missed, len(log_lines)) == (["gap"] * 10, 10, 1)


async def test_a_logout_behind_a_gap() -> None:
    """C13: What stands behind a gap is heard too: of a token that is being logged out nothing is kept for a while."""
    reader, heard = reader_at(b"1-0")

    reader.hear([entry(3, b"2-0", b"ttoken"), entry(4, b"3-0", b"uanna")])

    assert (heard.forgotten, heard.purges, heard.missed) == ([b"token", b"anna"], ["gap"], 1)


async def test_an_id_that_is_none() -> None:
    """A sign whose answer names no entry of a stream is as none, and the next one is given."""
    replies: list[object] = [[1, b"5-0", 0], [1, b"not-an-id", 0], [2, b"5-0", 0]]

    class Odd:
        async def run(self, *_: object) -> object:
            return replies.pop(0)

    reader, heard = reader_at(b"5-0")
    replicas = Replicas(Odd(), SPACE, reader, expected=1, metrics=Metrics())
    ups = []
    for _ in range(3):
        await replicas.sign()
        ups.append(replicas.up)

    assert (ups, heard.purges) == ([True, False, True], [])


async def test_signs_from_the_future() -> None:
    """Replicas whose last signs are ahead of Redis's clock, as an earlier server had it, count no more."""
    redis = RedisMemory(lambda: START)
    replicas = Replicas(redis, SPACE, reader_at(b"0-0")[0], expected=1, metrics=Metrics())
    script = Script("replicas", "return redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])")
    for name in "abc":
        await redis.run(script, [SPACE.name("replicas")], (f"{(START + 3600) * 1e6:.0f}", name))

    await replicas.sign()

    assert replicas.count == 1
