"""What a row of the table runs on: a fresh sidecar with the shipped defaults, and visitors in other processes."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.stack import Stack
from tests.benchmarks.fair.account import StripeAccount, stripe_account
from tests.benchmarks.fair.people import move_in
from tests.benchmarks.fair.plan import Group, Tally
from tests.benchmarks.fair.visit import Visit, visiting
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import Sidecar, serving

PAGE = 0.06  # seconds that Stripe takes for a call
QUESTION = 0.005  # seconds of Directus for a question, as measured on a real one


@dataclass(frozen=True, slots=True)
class Size:
    """How much a row does: `many` and `fewer` connections of one caller, `tries` of the others within `seconds`.

    The machine is looked at for `listening` seconds before each row.
    """

    many: int = 520
    fewer: int = 300
    seconds: float = 20
    tries: int = 10
    settling: float = 1
    payments: int = 10_000
    rows: int = 200
    readers: int = 50
    slow_readers: int = 240
    clerks: int = 1_000
    edits: int = 38
    listening: float = 1


@dataclass(slots=True)
class Rig:
    """`directus` is None where a real one is asked."""

    sidecar: Sidecar
    stripe: StripeAccount
    directus: DirectusDouble | None
    state: Path

    def visiting(self, *groups: Group, seconds: float) -> AbstractAsyncContextManager[Visit]:
        """Start visitors, and yield when all are connected and begin. They end after `seconds` at the latest."""
        return visiting(self.sidecar.port, groups, seconds=seconds, state=self.state)

    async def visit(self, *groups: Group, seconds: float) -> dict[str, Tally]:
        """Send visitors, and wait until all have done what they do."""
        async with self.visiting(*groups, seconds=seconds) as visit:
            return await visit.ended()

    async def metric(self, name: str, label: str = "") -> float:
        """Add up a metric's values of the label, such as `result="asked"`, or of all labels."""
        exposed = (await self.sidecar.call("/metrics")).body.decode()
        lines = [line for line in exposed.splitlines() if line.startswith((f"{name}{{", f"{name} ")) and label in line]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where rows run: their size, a folder for files, and the stack with a real Directus, None without one."""

    size: Size
    state: Path
    stack: Stack | None = None

    @asynccontextmanager
    async def rig(
        self, *, payments: int | None = None, question: float = QUESTION, page: float = PAGE
    ) -> AsyncIterator[Rig]:
        """Start a sidecar between doubles, which take `question` and `page` seconds.

        The payments belong to the customers of the owner and two more, in turn.
        """
        owners = self.size.rows + 2
        async with AsyncExitStack() as exits:
            start = exits.enter_async_context
            number = self.size.payments if payments is None else payments
            stripe = await start(stripe_account(payments=number, owners=owners, latency=page))
            directus = await start(DirectusDouble.running())
            move_in(directus, self.size.rows, question)
            sidecar = await start(serving(self.state / "sidecar.log", **_settings(stripe, directus.url)))
            yield Rig(sidecar, stripe, directus, self.state)

    @asynccontextmanager
    async def rig_on_directus(self, **settings: str) -> AsyncIterator[Rig]:
        """Start a sidecar between the real Directus and the double of Stripe, with the administrator's token.

        That of `provision` is as good, but would have to be given more rights for the feed.
        """
        assert self.stack is not None
        token = {"DIRECTUS_SERVICE_TOKEN": self.stack.people["administrator"].token}
        async with stripe_account(payments=self.size.rows, owners=self.size.rows, latency=PAGE) as stripe:
            variables = _settings(stripe, self.stack.directus.url) | token | settings
            async with serving(self.state / "sidecar.log", **variables) as sidecar:
                yield Rig(sidecar, stripe, None, self.state)


def _settings(stripe: StripeAccount, directus: str) -> dict[str, str]:
    """Give what has no default, a key of the live kind, and the operations; all else is as shipped."""
    return {
        "DIRECTUS_URL": directus,
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_LIVE_SECRET_KEY": "sk_live_benchmark",
        "STRIPE_CUSTOMERS_COLLECTION": "customers",
        "STRIPE_OPERATIONS": str(Path(__file__).with_name("operations.toml")),
    }
