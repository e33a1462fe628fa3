"""The shipped nginx keeps a caller with one of several replicas. The replicas are servers of the test."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from deploy.demo import servers
from deploy.demo.admin import SESSION_COOKIE
from deploy.demo.processes import Server, free_port
from tests.doubles import faults
from tests.doubles.server import Double, full_backlog
from tests.doubles.wire import Answer, exchange, request_bytes
from tests.integration.asking import Carried, ask

PAGE = "/stripe/payments?limit=1"
CUSTOMERS = "/stripe/customers"
EVENTS = "/stripe/webhooks"
SOON = (("proxy_connect_timeout 2s;", "proxy_connect_timeout 200ms;"),)
TOKENS = [hashlib.sha256(f"{number}".encode()).hexdigest() for number in range(150)]


class Replica(Double):
    """Answers every request with its own port."""

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    async def _answer(self, _request: web.Request) -> web.Response:
        return web.Response(text=str(self.port))

    def told(self) -> int:
        """Count the logouts it was told of."""
        return sum(request.path == "/logout" for request in self.requests)


@dataclass(frozen=True, slots=True)
class Door:
    nginx: Server
    replicas: Mapping[str, Replica] = field(default_factory=dict)

    async def who(self, token: str | None = None, carried: Carried = Carried.COOKIE, target: str = PAGE) -> str:
        """Give the name of the replica that answers."""
        return self.name(await ask(self.nginx.url, target, token, carried=carried))

    async def who_gets(self, *headers: tuple[str, str], target: str = PAGE, method: str = "GET") -> str:
        return self.name(await ask(self.nginx.url, target, headers=headers, method=method))

    def name(self, answer: Answer) -> str:
        assert answer.status == 200, answer
        return answer.body.decode()

    async def who_hears(self, *headers: tuple[str, str]) -> str:
        """Log out, and give the name of the replica that was told."""
        before = {name: each.told() for name, each in self.replicas.items()}
        port = int(self.nginx.url.rpartition(":")[2])
        assert (await exchange(port, request_bytes("POST", "/auth/logout", headers, b""))).status == 200
        [heard] = [name for name, each in self.replicas.items() if each.told() > before[name]]
        return heard


def cookie(token: str, name: str = SESSION_COOKIE) -> tuple[str, str]:
    return ("Cookie", f"theme=dark; {name}={token}; {name}_old={TOKENS[-1]}")


def bearer(token: str) -> tuple[str, str]:
    return ("Authorization", f"bearer {token}")


@asynccontextmanager
async def door_of(folder: Path, *changes: tuple[str, str], unreachable: Sequence[str] = ()) -> AsyncIterator[Door]:
    """Start three replicas behind the shipped nginx, with these lines replaced; it also knows the unreachable ones."""
    async with AsyncExitStack() as exits:
        replicas = [await exits.enter_async_context(Replica.running()) for _ in range(3)]
        directus = await exits.enter_async_context(Replica.running())
        port = free_port()
        first, *others = [*unreachable, *(each.url for each in replicas)]
        http = servers.shipped(port=port, directus=directus.url, sidecar=first, replicas=others)
        for old, new in changes:
            assert http.count(old) == 1, old
            http = http.replace(old, new)
        start = servers.nginx_with(http, folder / "nginx", port=port, log=folder / "nginx.log")
        yield Door(await exits.enter_async_context(start), {str(each.port): each for each in replicas})


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with door_of(tmp_path) as door:
        yield door


async def test_each_caller_has_one_replica(door: Door) -> None:
    """Every request with one credential reaches one replica, wherever it is carried; many callers use all three."""
    shares = Counter[str]()
    for token in TOKENS:
        found = {await door.who(token, carried) for carried in Carried for _ in range(2)}
        assert len(found) == 1
        shares.update(found)

    assert shares.keys() == door.replicas.keys()
    assert min(shares.values()) > len(TOKENS) // 10


async def test_every_kind_of_request(door: Door) -> None:
    """Neither method, path nor address changes a caller's replica."""
    for token in TOKENS[:20]:
        found = {
            await door.who(token, target="/stripe/customers/cus_1"),
            await door.who_gets(bearer(token), target=CUSTOMERS, method="POST"),
            door.name(await ask(door.nginx.url, PAGE, token, source="127.0.0.7")),
        }

        assert found == {await door.who(token)}


async def test_the_credential_that_counts(door: Door) -> None:
    """Header or query beats the cookie, also where the header is none of Directus's, as at the sidecar."""
    for one, other in zip(TOKENS[:20], TOKENS[20:40], strict=True):
        assert await door.who_gets(bearer(one), cookie(other)) == await door.who(one)
        assert await door.who_gets(cookie(other), target=f"{PAGE}&access_token={one}") == await door.who(one)
        for none in (f"Basic {one}", f"Bearer {one} {one}", one, "Bearer"):
            assert await door.who_gets(("Authorization", none), cookie(other)) == await door.who(other)


async def test_a_logout_reaches_the_callers_replica(door: Door) -> None:
    """C13: The replica that answers a session is told of its logout: the cookie's, and without one the header's."""
    for one, other in zip(TOKENS[:20], TOKENS[20:40], strict=True):
        assert await door.who_hears(cookie(one)) == await door.who(one)
        assert await door.who_hears(bearer(one)) == await door.who(one)
        assert await door.who_hears(cookie(one), bearer(other)) == await door.who(one)


async def test_one_replica_more(tmp_path: Path, door: Door) -> None:
    """With a replica more only its own share of the callers moves to it."""
    first, second, more = (each.url for each in door.replicas.values())
    port = free_port()
    http = servers.shipped(port=port, directus=more, sidecar=first, replicas=[second])
    async with servers.nginx_with(http, tmp_path / "two", port=port, log=tmp_path / "two.log") as nginx:
        two = Door(nginx, door.replicas)
        before = {token: await two.who(token) for token in TOKENS}
    after = {token: await door.who(token) for token in TOKENS}

    assert {after[token] for token in TOKENS if after[token] != before[token]} == {list(door.replicas)[-1]}


async def test_a_thousand_replicas(tmp_path: Path, door: Door) -> None:
    """nginx starts with a thousand replicas."""
    directus, port = next(iter(door.replicas.values())), free_port()
    many = [f"http://127.0.{number // 250}.{number % 250 + 1}:9" for number in range(1000)]
    http = servers.shipped(port=port, directus=directus.url, sidecar=many[0], replicas=many[1:])
    async with servers.nginx_with(http, tmp_path / "many", port=port, log=tmp_path / "many.log") as nginx:
        answer = await ask(nginx.url, "/server/ping")

    assert answer.status == 200


async def test_requests_of_nobody_are_spread(door: Door) -> None:
    """Events of Stripe's, and requests without a credential, reach every replica."""
    events = {await door.who_gets(("Stripe-Signature", "t=1"), target=EVENTS, method="POST") for _ in range(30)}
    strangers = {await door.who() for _ in range(30)}

    assert events == strangers == door.replicas.keys()


@pytest.mark.parametrize("name", ["directus_session_token", "__Host-session", "a.b+c$d"])
async def test_the_cookies_name(tmp_path: Path, name: str) -> None:
    """The cookie may have any name; one whose name only contains it, or a later one, does not count."""
    async with door_of(tmp_path, (rf"\Q{SESSION_COOKIE}\E", rf"\Q{name}\E")) as door:
        for one, other in zip(TOKENS[:20], TOKENS[20:40], strict=True):
            several = ("Cookie", f'x{name}={other}; {name.swapcase()}={other}; {name}="{one}"; {name}={other}')
            assert await door.who_gets(several) == await door.who(one, Carried.HEADER)
            assert await door.who_gets(cookie(one, name)) == await door.who(one, Carried.HEADER)


async def test_a_replica_is_gone(door: Door) -> None:
    """The callers of a replica that is gone are served by the others, each by one; the callers of others stay."""
    before = {token: await door.who(token) for token in TOKENS}
    gone = next(iter(door.replicas))
    await door.replicas[gone].close()

    after = {token: await door.who(token) for token in TOKENS}
    again = {token: await door.who(token) for token in TOKENS}

    moved = [token for token in TOKENS if before[token] == gone]
    assert {token: after[token] for token in TOKENS if token not in moved} == {
        token: before[token] for token in TOKENS if token not in moved
    }
    assert {after[token] for token in moved} == door.replicas.keys() - {gone}
    assert again == after
    for token in moved[:10]:
        assert await door.who_hears(cookie(token)) == after[token]


async def test_a_replica_is_out_of_reach(tmp_path: Path) -> None:
    """Who could not be connected to in time is passed over, also for changes and logouts, which were not sent."""
    async with full_backlog() as silent, door_of(tmp_path, *SOON, unreachable=[silent]) as door:
        found = await asyncio.gather(*(door.who(token) for token in TOKENS))
        changes = [await door.who_gets(cookie(token), target=CUSTOMERS, method="POST") for token in TOKENS[:20]]
        heard = [await door.who_hears(cookie(token)) for token in TOKENS[:20]]

    assert set(found) == door.replicas.keys()
    assert changes == heard == found[:20]


async def test_what_was_sent_is_not_repeated(door: Door) -> None:
    """A change whose connection broke reaches no second replica; reading does."""
    for replica in door.replicas.values():
        replica.fail(faults.reset_before_headers, times=1)
    change = await ask(door.nginx.url, CUSTOMERS, TOKENS[0], method="POST")
    seen = sum(len(each.requests) for each in door.replicas.values())

    assert (change.status, seen) == (503, 1)
    assert await door.who(TOKENS[0])


async def test_what_is_slow_is_not_repeated(tmp_path: Path) -> None:
    """A request that one replica has had for some time is not given to a second one."""
    changes = (
        ("proxy_read_timeout 300s;", "proxy_read_timeout 400ms;"),
        ("proxy_next_upstream_timeout 10s;", "proxy_next_upstream_timeout 200ms;"),
    )
    async with door_of(tmp_path, *changes) as door:
        for replica in door.replicas.values():
            replica.fail(faults.hang)
        answer = await ask(door.nginx.url, PAGE, TOKENS[0])
        seen = sum(len(each.requests) for each in door.replicas.values())

    assert (answer.status, seen) == (503, 1)


async def test_no_credential_in_the_log(tmp_path: Path, door: Door) -> None:
    """S1: The log names the replica and not the credential by which it was chosen, also if a replica is gone."""
    await next(iter(door.replicas.values())).close()
    for token in TOKENS[:20]:
        for carried in Carried:
            await door.who(token, carried)
        await door.who_hears(cookie(token))
    text = await asyncio.to_thread((tmp_path / "nginx.log").read_text)

    assert not [token for token in TOKENS if token in text]
    assert all(f'"upstream":"127.0.0.1:{name}' in text for name in door.replicas)
