"""Row: a dashboard that many clerks keep open, and STRIPE_READ_CACHE, where the service has it."""

import base64
from collections.abc import Mapping

from sidecar.settings import Settings
from tests.benchmarks.measures import get, program
from tests.benchmarks.peers import WITHOUT_LIMIT, Peers, Size
from tests.benchmarks.speed.outcome import Goal, Seen

_QUICKER = 5  # a second here is so many of the clerks'
_REFRESHES = 5  # of each clerk
_CACHE = {
    "STRIPE_READ_CACHE": "1",
    "STRIPE_WEBHOOK_SECRET": f"whsec_{base64.b64encode(b'a secret of 32 bytes for events.').decode()}",
}
_TITLE = "100 clerks refresh a page every 5 s: requests at Stripe a second"


def there_is_a_read_cache() -> bool:
    return "stripe_read_cache" in Settings.model_fields


async def refreshed(peers: Peers, size: Size) -> Seen:
    """Everything is five times quicker: clerks refresh each second, Stripe takes 12 ms, and the cache keeps 1 s."""
    without = await _at_stripe(peers, size, {})
    kept = await _at_stripe(peers, size, _CACHE)
    return Seen(
        goals=[
            Goal(f"{_TITLE}, without STRIPE_READ_CACHE", without, unit="", at_most=True),
            Goal(f"{_TITLE}, with 5 s of it", kept, 0.25, unit="", at_most=True),
        ]
    )


async def _at_stripe(peers: Peers, size: Size, settings: Mapping[str, str]) -> float:
    stripe = peers.stripe.url
    async with peers.stack.sidecar(STRIPE_API_BASE=stripe, **WITHOUT_LIMIT, **settings) as sidecar:
        url, number = f"{sidecar.url}/stripe/customers?limit=100", str(size.clerks)
        await program("load", url, *peers.clerks, "--connections", number, "--seconds", "0")
        await get(f"{stripe}/latency/{0.06 / _QUICKER}")
        before = int(await get(f"{stripe}/count/v1/customers"))
        await program("load", url, *peers.clerks, "--connections", number, "--seconds", str(_REFRESHES), "--every", "1")
        asked = int(await get(f"{stripe}/count/v1/customers")) - before
        await get(f"{stripe}/latency/0")
    return asked / (_REFRESHES * _QUICKER)
