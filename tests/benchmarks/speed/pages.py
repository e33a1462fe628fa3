"""Rows: one page on 16 connections, beside the relay and nginx."""

from tests.benchmarks.peers import Peers, Size
from tests.benchmarks.speed.outcome import Goal, Load, Seen, of_relay, ratio
from tests.benchmarks.speed.turns import CONNECTIONS, Entrant, Numbers, entrants, take_turns
from tests.benchmarks.upstream import NEWEST, SPACING

_CUSTOMERS, _PAYMENTS = "customers", "payment_intents"
_AT_STRIPE = {"/customers": "/customers", "/payments": "/payment_intents"}
_RELAY = "of the relay, by CPU"
Rounds = dict[str, list[Load]]


def seen(asked: str, rounds: Rounds, *goals: Goal) -> Seen:
    """Give what came out, with the ratio to the revision before, if that was measured."""
    if "before" in rounds:
        faster = ratio(rounds["before"], rounds["sidecar"], "cpu_us")
        goals = (*goals, Goal(f"{asked}: of the revision before, by CPU", faster))
    return Seen(loads={asked: rounds}, goals=goals)


def _both(peers: Peers, path: str, query: str, callers: int) -> dict[str, Entrant]:
    return entrants(peers, f"{path}?{query}", f"{_AT_STRIPE[path]}?{query}", peers.clerks[:callers])


async def one_caller(peers: Peers, size: Size) -> Seen:
    """The page that one caller asks for on all connections, and the alternatives that ask Directus each time."""
    clerk, directus = peers.clerks[:1], peers.stack.directus
    asked = _both(peers, "/customers", "limit=100", 1)
    asked["nginx"] = Entrant(f"{peers.nginx.url}/v1/customers?limit=100", (peers.nginx, directus), clerk)
    if peers.extension:
        asked["extension"] = Entrant(f"{peers.extension}/customers", (directus,), clerk)
    rounds = await take_turns(asked, size)
    ours = rounds["sidecar"]
    extension = ratio(ours, rounds["extension"], "rps") if peers.extension else None
    title = "same page of 100 customers, one caller"
    return seen(
        title,
        rounds,
        Goal(f"{title}: {_RELAY}", of_relay(rounds), 0.75),
        Goal(f"{title}: p99, of the relay's", ratio(ours, rounds["relay"], "p99_ms"), 2, at_most=True),
        Goal(f"{title}: of the extension, by answers a second", extension, 25),
    )


async def same_page(peers: Peers, size: Size) -> Seen:
    rounds = await take_turns(_both(peers, "/customers", "limit=100", CONNECTIONS), size)
    asked = "same page of 100 customers, 16 callers"
    return seen(asked, rounds, Goal(f"{asked}: {_RELAY}", of_relay(rounds), 0.85))


async def own_pages(peers: Peers, size: Size) -> Seen:
    rounds = await _unshared(peers, size, "/customers")
    asked = "page of 100 customers, nothing shared"
    return seen(asked, rounds, Goal(f"{asked}: {_RELAY}", of_relay(rounds), 0.45, 0.6))


async def own_payments(peers: Peers, size: Size) -> Seen:
    rounds = await _unshared(peers, size, "/payments")
    asked = "page of 100 payments, secrets removed, nothing shared"
    return seen(asked, rounds, Goal(f"{asked}: {_RELAY}", of_relay(rounds), 0.35, 0.5))


async def same_payments(peers: Peers, size: Size) -> Seen:
    rounds = await take_turns(_both(peers, "/payments", "limit=100", CONNECTIONS), size)
    asked = "same page of 100 payments, secrets removed, 16 callers"
    return seen(asked, rounds, Goal(f"{asked}: {_RELAY}", of_relay(rounds)))


async def _unshared(peers: Peers, size: Size, path: str) -> Rounds:
    """Ask for pages that begin one object later each time, in each round at other moments."""
    oldest = NEWEST - (size.payments - 200) * SPACING
    found = _both(peers, path, "limit=100&created[lt]={n}", CONNECTIONS)
    return await take_turns(found, size, numbers=Numbers(oldest, SPACING, to_next_round=1))


async def same_list(peers: Peers, size: Size) -> Seen:
    """The whole list of a customer's 100 payments, and Stripe's page of it."""
    customer = f"cus_{7:014}"
    theirs = f"/payment_intents?limit=100&customer={customer}"
    found = entrants(peers, f"/payments/{customer}", theirs, peers.clerks[:CONNECTIONS])
    return _list_of_one_page("same whole list of one page, 16 callers", await take_turns(found, size))


async def own_lists(peers: Peers, size: Size) -> Seen:
    """Whole lists of the newest 100 payments, whose span ends at another moment in each request."""
    span = f"created[gte]={NEWEST - 99 * SPACING}&created[lt]={{n}}"
    found = entrants(peers, f"/payments?{span}", f"/payment_intents?limit=100&{span}", peers.clerks[:CONNECTIONS])
    rounds = await take_turns(found, size, numbers=Numbers(NEWEST + 1, to_next_round=1_000_000))
    asked = "whole list of one page, nothing shared"
    return seen(asked, rounds, Goal(f"{asked}: {_RELAY}", of_relay(rounds)))


def _list_of_one_page(asked: str, rounds: Rounds) -> Seen:
    slowest = ratio(rounds["sidecar"], rounds["relay"], "p99_ms")
    return seen(
        asked,
        rounds,
        Goal(f"{asked}: {_RELAY}", of_relay(rounds), 0.85),
        Goal(f"{asked}: p99, of the relay's", slowest, 1.3, at_most=True),
    )
