"""Row: a dashboard that many clerks keep open, and STRIPE_READ_CACHE, where the service has it."""

import base64
from collections.abc import Mapping

from sidecar.settings import Settings
from tests.benchmarks.measures import get, program
from tests.benchmarks.peers import WITHOUT_LIMIT, Peers, Size
from tests.benchmarks.speed.outcome import Goal, Seen

_REFRESHES = 3  # of each clerk
_LATENCY = 0.06
_WEBHOOK_SECRET = f"whsec_{base64.b64encode(b'a secret of 32 bytes for events.').decode()}"


def there_is_a_read_cache() -> bool:
    return "stripe_read_cache" in Settings.model_fields


async def refreshed(peers: Peers, size: Size) -> Seen:
    """In real time, since the service has times of its own: what several asked for at once, it keeps for a moment."""
    title = f"{size.clerks} clerks refresh a page every {size.refresh:g} s: requests at Stripe a second"
    seconds = max(1.0, size.refresh)  # the least that the setting takes
    cache = {"STRIPE_READ_CACHE": str(seconds), "STRIPE_WEBHOOK_SECRET": _WEBHOOK_SECRET}
    without = await at_stripe(peers, size, {})
    kept = await at_stripe(peers, size, cache)
    return Seen(
        goals=[
            Goal(f"{title}, without STRIPE_READ_CACHE", without, unit="", at_most=True),
            Goal(f"{title}, with {seconds:g} s of it", kept, 1.25 / size.refresh, unit="", at_most=True),
        ]
    )


async def at_stripe(peers: Peers, size: Size, settings: Mapping[str, str]) -> float:
    """Give the requests a second that one page costs at Stripe, with these settings."""
    stripe, lasting = peers.stripe.url, _REFRESHES * size.refresh
    async with peers.stack.sidecar(STRIPE_API_BASE=stripe, **WITHOUT_LIMIT, **settings) as sidecar:
        url = f"{sidecar.url}/stripe/customers?limit=100"
        await program("load", url, *peers.clerks, "--connections", str(size.clerks), "--seconds", "0")
        await get(f"{stripe}/latency/{_LATENCY}")
        before = int(await get(f"{stripe}/count/v1/customers"))
        pace = ("--connections", str(size.clerks), "--seconds", str(lasting), "--every", str(size.refresh))
        seen = await program("load", url, *peers.clerks, *pace)
        asked = int(await get(f"{stripe}/count/v1/customers")) - before
        await get(f"{stripe}/latency/0")
    if seen["failures"]:
        raise RuntimeError(f"of {seen['requests']} requests failed: {seen['failed']}")
    return asked / lasting
