"""Where a row is measured: sizes, a folder for files, and fleets of replicas with or without Redis."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo import servers
from tests.benchmarks.fair.account import stripe_account
from tests.benchmarks.replicas.directus import SERVICE, FedDirectus
from tests.benchmarks.replicas.fleet import Fleet, running_fleet
from tests.doubles.redis.server import redis_server_with

KEY, SANDBOX_KEY = "sk_live_benchmark", "sk_test_benchmark"
UNLIMITED = {"STRIPE_MAX_RPS": "100000", "STRIPE_ACCOUNT_RPS": "100000"}
LASTING = {"PERMISSIONS_CACHE_TTL": "3600", "PERMISSIONS_DENIED_TTL": "60"}
_OPERATIONS = Path(__file__).parents[1] / "fair" / "operations.toml"


@dataclass(frozen=True, slots=True)
class Size:
    """How much the rows do, and on how many `replicas`. Times are in seconds.

    `sessions` are logged out where answers live for `lifetime`; `first` callers come, `a_second` of them, each with
    `at_once` requests; whole lists are read for `reading`; `tries` changes are looked for in a list; `changed` callers
    feel a change of permissions and are looked at for `changing`; `restarted` callers see restarts with `settling`
    between two; Redis is silent for `silence` and dead for `dead`; a caller's latency is seen for `latency`.
    """

    replicas: int = 3
    sessions: int = 12
    lifetime: float = 5
    first: int = 1_000
    at_once: int = 6
    a_second: int = 50
    payments: int = 10_000
    reading: float = 12
    tries: int = 10
    changed: int = 400
    changing: float = 12
    restarted: int = 300
    settling: float = 6
    silence: float = 10
    dead: float = 5
    latency: float = 18


@dataclass(frozen=True, slots=True)
class Ground:
    """`with_redis` says which column is measured."""

    size: Size
    state: Path
    with_redis: bool

    @asynccontextmanager
    async def fleet(self, stripe: str, settings: Mapping[str, str]) -> AsyncIterator[Fleet]:
        """Start replicas that ask the Stripe at this address, on a Directus and perhaps a Redis of their own.

        What has no default is set, the operations, and `settings`; all else is as shipped.
        """
        with tempfile.TemporaryDirectory(dir=self.state) as folder:
            async with AsyncExitStack() as exits:
                start, state = exits.enter_async_context, Path(folder)
                redis = await start(redis_server_with()) if self.with_redis else None
                directus = await start(FedDirectus.running())
                variables = {**_settings(directus.url, stripe), **settings}
                yield await start(running_fleet(directus, redis, state, variables, self.size.replicas))

    @asynccontextmanager
    async def generous(self, **settings: str) -> AsyncIterator[Fleet]:
        """Start replicas on a Stripe that answers at once and limits nothing, for rows about permissions."""
        async with (
            stripe_account(payments=10, owners=1, latency=0) as stripe,
            self.fleet(stripe.url, {**UNLIMITED, **settings}) as fleet,
        ):
            yield fleet


def _settings(directus: str, stripe: str) -> dict[str, str]:
    return {
        "DIRECTUS_URL": directus,
        "DIRECTUS_SERVICE_TOKEN": SERVICE.token,
        "STRIPE_API_BASE": stripe,
        "STRIPE_LIVE_SECRET_KEY": KEY,
        "STRIPE_CUSTOMERS_COLLECTION": "customers",
        "STRIPE_OPERATIONS": str(_OPERATIONS),
        "TRUSTED_PROXIES": "127.0.0.1",
        "LOGOUT_SECRET": servers.LOGOUT_SECRET,
        "SIDECAR_SECRET": "benchmark-secret-of-32-bytes-or-more",
        "SHUTDOWN_DELAY": "0",
    }
