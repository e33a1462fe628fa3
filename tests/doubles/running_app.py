"""The whole application on a loopback port, between doubles of Directus and Stripe."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from aiohttp import web

from sidecar.app import create_app
from sidecar.settings import Settings
from sidecar.web.server.runner import Runner
from tests.doubles.directus import DirectusDouble, User, full, grants, partial
from tests.doubles.server import Recorded
from tests.doubles.stripe import StripeDouble, is_probe
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer, exchange, request_bytes

KEY = "sk_test_MARKEDstripe51Key"
LOGOUT_SECRET = "MARKED-logout/+secret-of-32-chars~"
SERVICE_TOKEN = "MARKED-service/+token"
SIDECAR_SECRET = "MARKED-secret/+of-32-bytes-or-more"
# These characters change in a URL and in base64, so that a search can tell the spellings apart.
CLERK, READER, CREATOR, MEMBER, NOBODY = (
    User(f"user-{name}", f"MARKED-{name}/+token~", permissions)
    for name, permissions in {
        "clerk": grants(read=full(), create=full(), update=full()),
        "reader": grants(read=full("id", "name", "email", "stripe_customer_id")),
        "creator": grants(create=full()),
        "member": grants(
            read=partial("id", "stripe_customer_id"), create=full("email", "name"), update=partial("email", "name")
        ),
        "nobody": {},
    }.items()
)
SERVICE = User("service", SERVICE_TOKEN, grants(read=full(), update=full("stripe_customer_id")))
PEOPLE = (CLERK, READER, CREATOR, MEMBER, NOBODY, SERVICE)
# Budgets longer than the test client's timeout; a test of a budget sets its own.
PATIENT_WITH_DIRECTUS = {"DIRECTUS_TIMEOUT": "600", "DIRECTUS_CONNECT_TIMEOUT": "600"}
NO_HURRY = {
    **PATIENT_WITH_DIRECTUS,
    "STRIPE_TIMEOUT": "600",
    "STRIPE_CONNECT_TIMEOUT": "600",
    "WRITE_BACK_TIMEOUT": "600",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer, and the Stripe requests made meanwhile: None if another call was in progress too."""

    answer: Answer
    stripe_requests: Sequence[Recorded] | None


@dataclass(slots=True)
class RunningApp:
    """`tokens` contains all credentials that were ever sent; `log` contains everything logged at DEBUG.

    Tests set `shows_client_secrets`, `lets_origins_in` and `crashes` to allow an otherwise forbidden behavior.
    """

    directus: DirectusDouble
    stripe: StripeDouble
    port: int
    log: list[str]
    runner: Runner
    exchanges: list[Exchange] = field(default_factory=list)
    _under_way: int = 0
    _begun: int = 0
    tokens: set[str] = field(default_factory=lambda: {user.token for user in PEOPLE})
    shows_client_secrets: bool = False
    lets_origins_in: bool = False
    crashes: bool = False

    async def send(self, sent: bytes, *, source: str = "127.0.0.1") -> Answer:
        self._begun += 1
        alone, begun, before = self._under_way == 0, self._begun, len(self.stripe.asked)
        self._under_way += 1
        try:
            answer = await exchange(self.port, sent, source=source)
        finally:
            self._under_way -= 1
        alone = alone and begun == self._begun
        self.exchanges.append(Exchange(answer, self.stripe.asked[before:] if alone else None))
        return answer

    async def call(
        self,
        user: User | None = None,
        target: str = "/stripe/payments",
        *,
        method: str = "GET",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
        source: str = "127.0.0.1",
    ) -> Answer:
        """Send one request, with the user's token as a bearer token."""
        sent = list(headers)
        if user is not None:
            sent.insert(0, bearer(user.token))
        return await self.send(request_bytes(method, target, sent, body), source=source)

    async def log_out(self, *headers: tuple[str, str]) -> Answer:
        """Tell of a logout with these headers, as the proxy does."""
        return await self.call(target="/logout", method="POST", headers=[("X-Sidecar-Logout", LOGOUT_SECRET), *headers])

    def start(self, user: User, target: str = "/stripe/payments") -> asyncio.Task[Answer]:
        return asyncio.create_task(self.call(user, target))

    async def handled(self, number: int) -> None:
        """Wait until the server has begun to handle this many requests in all."""
        server = self.runner._server
        assert server is not None
        await eventually(lambda: server.requests_count >= number)

    async def create(self, user: User | None = CLERK, /, **attributes: object) -> Answer:
        """POST a customer, with an e-mail address by default."""
        attributes = {"email": "ada@example.com", **attributes}
        return await self.post(user, json.dumps(attributes).encode())

    async def post(self, user: User | None, body: bytes, content_type: str = "application/json") -> Answer:
        headers = [("Content-Type", content_type)]
        return await self.call(user, "/stripe/customers", method="POST", headers=headers, body=body)


class OpenApp(Protocol):
    """Opens the application with settings named as in the environment, which override the tests' own."""

    def __call__(self, **settings: str) -> Awaitable[RunningApp]: ...


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


def environment(directus: str, stripe: str, **settings: str) -> dict[str, str]:
    """Give the sidecar's variables, overridden by `settings`. It stops without delay, and its budgets never run out.

    An empty value is none, as the sidecar reads its environment.
    """
    return {
        "DIRECTUS_URL": directus,
        "STRIPE_API_BASE": stripe,
        "STRIPE_LIVE_SECRET_KEY": KEY,
        "STRIPE_CUSTOMERS_COLLECTION": "customers",
        "SIDECAR_SECRET": SIDECAR_SECRET,
        "DIRECTUS_PROJECT": "directus",
        "STRIPE_OPERATIONS": str(Path(__file__).parent / "operations.toml"),
        "LOGOUT_SECRET": LOGOUT_SECRET,
        "SHUTDOWN_DELAY": "0",
        **NO_HURRY,
        **settings,
    }


@asynccontextmanager
async def whole_app(directus: DirectusDouble, stripe: StripeDouble, **settings: str) -> AsyncIterator[RunningApp]:
    """Run the application with settings named as in the environment; it is ready once it has tried its key.

    As there, an empty setting is none.
    """
    lasting = {"PERMISSIONS_CACHE_TTL": "3600", "PERMISSIONS_DENIED_TTL": "3600"}
    settings = {"STRIPE_MAX_RPS": "10000", "STRIPE_ACCOUNT_RPS": "10000", **lasting, **settings}
    variables = environment(directus.url, stripe.url, **settings)
    # The runner alone has the application, so that a test can see it go.
    runner = Runner(
        create_app(Settings.model_validate({name.lower(): value for name, value in variables.items() if value})),
        shutdown_timeout=0.2,
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        await runner.setup()
        try:
            await web.SockSite(runner, listener, backlog=1024).start()
            await eventually(lambda: any(is_probe(request) for request in stripe.requests))
            yield RunningApp(directus, stripe, listener.getsockname()[1], [], runner)
        finally:
            await runner.cleanup()


def spellings(secret: str) -> set[str]:
    """Give the forms of a secret that a leak could contain: plain, URL-encoded, base64 and hexadecimal."""
    raw = secret.encode()
    # base64 depends on the bytes before: three offsets, without the characters that adjacent bytes change.
    encoded = {
        base64.b64encode(b"\0" * shift + raw).decode()[4 if shift else 0 :].rstrip("=")[:-2] for shift in range(3)
    }
    return {secret, quote(secret), quote(secret, safe=""), raw.hex(), *encoded}
