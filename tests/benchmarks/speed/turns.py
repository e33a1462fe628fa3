"""Entrants take turns: in each round each of them is loaded once, so that noise hits all alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.demo.processes import Server
from tests.benchmarks.measures import program
from tests.benchmarks.peers import Peers, Size
from tests.benchmarks.speed import cpu
from tests.benchmarks.speed.outcome import Load

CONNECTIONS = 16
CACHED = "nginx, verdict kept 30 s"


@dataclass(frozen=True, slots=True)
class Entrant:
    """`{n}` in the URL becomes another number in each request. The processor time of all `servers` counts."""

    url: str
    servers: Sequence[Server]
    tokens: Sequence[str]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of requests: where a round's begin, the step to the next one, and the step to the next round."""

    first: int = 0
    step: int = 1
    to_next_round: int = 0


_NONE = Numbers()


async def take_turns(
    entrants: Mapping[str, Entrant], size: Size, *, connections: int = CONNECTIONS, numbers: Numbers = _NONE
) -> dict[str, list[Load]]:
    """Load each entrant in each round, forwards and backwards in turn; before that each gets a few requests."""
    for entrant in entrants.values():
        await _load(entrant, connections, 0.0, numbers, 0)
    found: dict[str, list[Load]] = {name: [] for name in entrants}
    for turn in range(size.rounds):
        for name in list(entrants)[:: -1 if turn % 2 else 1]:
            found[name].append(await _load(entrants[name], connections, size.seconds, numbers, turn))
    return found


async def _load(entrant: Entrant, connections: int, seconds: float, numbers: Numbers, turn: int) -> Load:
    first = numbers.first + turn * numbers.to_next_round
    sizes = ("--connections", str(connections), "--seconds", str(seconds), "--first", str(first))
    before = cpu.used(entrant.servers)
    seen = await program("load", entrant.url, *entrant.tokens, *sizes, "--step", str(numbers.step))
    spent = cpu.used(entrant.servers) - before
    if seen["failures"] or not seen["requests"]:
        raise RuntimeError(f"{entrant.url}: of {seen['requests']} requests failed: {seen['failed']}")
    return Load(seen["rps"], seen["p50_ms"], seen["p99_ms"], spent / seen["requests"] * 1e6, seen["bytes"])


def entrants(peers: Peers, ours: str, theirs: str, tokens: Sequence[str]) -> dict[str, Entrant]:
    """Give the sidecars, asked for the path `ours`, and the relay and the strongest peer, asked for `theirs`."""
    found = {name: Entrant(f"{server.url}/stripe{ours}", (server,), tokens) for name, server in peers.sidecars.items()}
    relay = Entrant(f"{peers.relay.url}/v1{theirs}", (peers.relay,), tokens)
    cached = Entrant(f"{peers.cached.url}/v1{theirs}", (peers.cached,), tokens)
    return found | {"relay": relay, CACHED: cached}
