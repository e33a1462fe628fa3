"""Rows: whole lists of several pages, beside plain paging, the extension and Stripe's library."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.processes import Server
from tests.benchmarks.measures import Figures, get, program
from tests.benchmarks.peers import WITHOUT_LIMIT, Peers, Size, upstream
from tests.benchmarks.speed import cpu
from tests.benchmarks.speed.outcome import Goal, Reading, Seen, middle, ratio

_LATENCY = 0.06
_GROWTH = 50  # one new object for so many: 2 %
Rounds = dict[str, list[Reading]]


@dataclass(frozen=True, slots=True)
class Account:
    """A Stripe for one round, and a fresh sidecar of each revision before it, which has read no payments yet."""

    stripe: Server
    sidecars: Mapping[str, Server]
    token: str

    def ways(self) -> dict[str, "Way"]:
        """Give the ways to read the account's payments; the sidecars' come first."""
        ours = {name: _through(server, "/stripe/payments", self.token) for name, server in self.sidecars.items()}
        return ours | {"plain": Way(lambda: program("plain", f"{self.stripe.url}/v1/payment_intents"))}

    async def grow(self, objects: int) -> None:
        await get(f"{self.stripe.url}/grow/{objects}")


@dataclass(frozen=True, slots=True)
class Way:
    """A program that reads a list `times` times and gives figures, and the server whose processor time counts.

    Without a server the program's own counts, which it gives.
    """

    read: Callable[[], Awaitable[Figures]]
    server: Server | None = None
    times: int = 1


def _through(server: Server, path: str, token: str, times: int = 1) -> Way:
    return Way(lambda: program("whole", f"{server.url}{path}", token, "--times", str(times)), server, times)


async def _read(way: Way, stripe: Server, objects: int) -> Reading:
    asked = await _asked(stripe)
    used = cpu.used([way.server]) if way.server else 0.0
    seen = await way.read()
    if seen["objects"] != objects:
        raise RuntimeError(f"{seen['objects']} objects instead of {objects}")
    spent = (cpu.used([way.server]) - used) / way.times if way.server else seen["cpu"]
    requests = (await _asked(stripe) - asked) / way.times
    return Reading(seen["first"], seen["total"], spent / pages(objects) * 1e6, requests, pages(objects))


async def _asked(stripe: Server) -> int:
    return int(await get(f"{stripe.url}/count/v1/payment_intents"))


def pages(objects: int) -> int:
    """Give the requests of plain paging."""
    return max(1, -(-objects // 100))


@asynccontextmanager
async def _account(peers: Peers, state: Path, objects: int) -> AsyncIterator[Account]:
    async with AsyncExitStack() as exits:
        start = exits.enter_async_context
        stripe = await start(upstream(state, payments=objects, customers=1))
        settings = {"STRIPE_API_BASE": stripe.url, **WITHOUT_LIMIT}
        fresh = {name: await start(peers.stack.sidecar(**settings, **code)) for name, code in peers.revisions.items()}
        for server in fresh.values():  # it has connections, and knows the caller
            await program("load", f"{server.url}/stripe/customers?limit=1", peers.clerks[0], "--seconds", "0")
        await get(f"{stripe.url}/latency/{_LATENCY}")
        yield Account(stripe, fresh, peers.clerks[0])


def _others(peers: Peers) -> dict[str, Way]:
    library = {"library": Way(lambda: program("library", peers.stripe.url))}
    if not peers.extension:
        return library
    return {"extension": _through(peers.stack.directus, "/pay/payments", peers.clerks[0])} | library


async def slow_account(peers: Peers, size: Size, state: Path) -> Seen:
    """The first time that a sidecar reads the list, and again after it has grown by 2 %; fresh sidecars each round."""
    first: Rounds = {}
    again: Rounds = {}
    grown = size.payments // _GROWTH
    for _ in range(size.lists):
        async with _account(peers, state, size.payments) as account:
            await _each(account.ways(), account.stripe, size.payments, first)
            await get(f"{peers.stripe.url}/latency/{_LATENCY}")
            await _each(_others(peers), peers.stripe, size.payments, first)
            await get(f"{peers.stripe.url}/latency/0")
            await account.grow(grown)
            await _each(account.ways(), account.stripe, size.payments + grown, again)
    title = f"{size.payments} payments at 60 ms"
    return Seen(
        readings={f"{title}, first time": first, f"{title}, again after 2 % more": again},
        goals=_slow_goals(title, first, again),
    )


async def _each(ways: Mapping[str, Way], stripe: Server, objects: int, found: Rounds) -> None:
    for name, way in ways.items():
        found.setdefault(name, []).append(await _read(way, stripe, objects))


def _slow_goals(title: str, first: Rounds, again: Rounds) -> list[Goal]:
    ours, plain = first["sidecar"], first["plain"]
    rounds = [one.first / _LATENCY for one in ours]
    return [
        Goal(f"{title}, first time: of plain paging", ratio(plain, ours, "total"), 4.6, 5.2),
        Goal(
            f"{title}, again after 2 % more: of plain paging",
            ratio(again["plain"], again["sidecar"], "total"),
            5.4,
            5.6,
        ),
        Goal(f"{title}, first time: requests, of plain paging's", ratio(ours, plain, "requests"), 1.10, at_most=True),
        Goal(
            f"{title}, again: requests, of plain paging's",
            ratio(again["sidecar"], again["plain"], "requests"),
            1.05,
            at_most=True,
        ),
        Goal(f"{title}, first time: of the extension", _of_the_extension(first), 5),
        Goal(f"{title}: first byte, in page times", sorted(rounds)[len(rounds) // 2], 1.5, at_most=True),
    ]


def _of_the_extension(found: Rounds) -> float | None:
    return ratio(found["extension"], found["sidecar"], "total") if "extension" in found else None


async def fast_account(peers: Peers, size: Size) -> Seen:
    """All payments of a Stripe without latency, so that processor time is what is left."""
    token, found = peers.clerks[0], Rounds()
    ways = {name: _through(server, "/stripe/payments", token, size.together) for name, server in peers.sidecars.items()}
    ways |= {"plain": Way(lambda: program("plain", f"{peers.stripe.url}/v1/payment_intents"))}
    for _ in range(size.lists):
        await _each(ways | _others(peers), peers.stripe, size.payments, found)
    before = ratio(found["before"], found["sidecar"], "cpu_us") if "before" in found else None
    title = f"{size.payments} payments, no latency"
    goals = [
        Goal(f"{title}: of the revision before, by CPU for a page", before, 1.3),
        Goal(f"{title}: of the extension, by time", _of_the_extension(found), 3),
    ]
    return Seen(readings={title: found}, goals=goals)


async def short_lists(peers: Peers, size: Size, state: Path) -> Seen:
    """Lists of few pages, each read by a sidecar that has read none, and again after 2 % more: requests at Stripe."""
    readings: dict[str, Rounds] = {}
    goals: list[Goal] = []
    for objects in size.short:
        grown = objects // _GROWTH
        async with _account(peers, state, objects) as account:
            for title, more in (("first time", 0), ("again after 2 % more", grown)):
                await account.grow(more)
                found = readings[f"{objects} payments at 60 ms, {title}"] = Rounds()
                await _each(account.ways(), account.stripe, objects + more, found)
                goals.append(_at_most_one_more(f"{objects} payments, {title}: requests", found))
    return Seen(readings=readings, goals=goals)


def _at_most_one_more(title: str, found: Mapping[str, Sequence[Reading]]) -> Goal:
    plain = found["plain"][0].pages
    return Goal(title, middle(found["sidecar"], "requests"), plain + 1, plain, unit="", at_most=True)
