"""Row: a member who may see 3 of the account's customers, beside a clerk who sees all."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.benchmarks.peers import Peers, Size
from tests.benchmarks.speed.outcome import Goal, Load, Seen, ratio
from tests.benchmarks.speed.turns import Entrant, take_turns

_MUST = {100: 3.0, 10: 4.0}  # of the revision before


async def pages(peers: Peers, size: Size) -> Seen:
    """Pages of 100 and of 10 payments, one request at a time and 16 at once. The real Directus is asked for rows."""
    async with _member(peers) as member:
        loads = {
            f"page of {limit} payments, member and clerk, {connections} at once": await take_turns(
                _entrants(peers, limit, member), size, connections=connections
            )
            for limit in _MUST
            for connections in (1, 16)
        }
    goals = [
        _goal(limit, loads[f"page of {limit} payments, member and clerk, 16 at once"], must)
        for limit, must in _MUST.items()
    ]
    return Seen(loads=loads, goals=goals)


def _goal(limit: int, rounds: Mapping[str, list[Load]], must: float) -> Goal:
    faster = ratio(rounds["member"], rounds["member before"], "rps") if "member before" in rounds else None
    return Goal(f"member's page of {limit}: of the revision before, by answers a second", faster, must)


def _entrants(peers: Peers, limit: int, member: str) -> dict[str, Entrant]:
    people = {"member": member, "clerk": peers.clerks[0]}
    ours = {
        who if name == "sidecar" else f"{who} before": Entrant(
            f"{server.url}/stripe/payments?limit={limit}", (server,), [token]
        )
        for who, token in people.items()
        for name, server in peers.sidecars.items()
    }
    relay = Entrant(f"{peers.relay.url}/v1/payment_intents?limit={limit}", (peers.relay,), peers.clerks[:1])
    return ours | {"relay": relay}


@asynccontextmanager
async def _member(peers: Peers) -> AsyncIterator[str]:
    """Make a user of the member's role with three of the account's customers, and give its token."""
    admin, token = peers.stack.admin, secrets.token_hex(24)
    role = peers.stack.people["member"].role
    user = await admin.request("POST", "/users", {"first_name": "Member", "token": token, "role": role})
    rows = [{"name": "Own", "stripe_customer_id": f"cus_{n:014}", "owner": user["id"]} for n in (1, 2, 3)]
    made = await admin.request("POST", "/items/customers", rows)
    try:
        yield token
    finally:
        await admin.request("DELETE", "/items/customers", [row["id"] for row in made])
        await admin.request("DELETE", f"/users/{user['id']}")
