"""`running_stack()` starts Directus, Stripe's emulator, the sidecar and nginx, with users and customers."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from deploy.demo import install, people, redis_server, servers
from deploy.demo.admin import DirectusAdmin, Person, Rule
from deploy.demo.pages import DESK
from deploy.demo.processes import Server, free_port
from deploy.stripe_stand_in import KEY

STRIPE = "https://api.stripe.com"
OPERATIONS = Path(__file__).with_name("operations.toml")
_OWN_ACCOUNT = Rule(
    "directus_users", "read", ("id", "first_name", "last_name", "email"), {"id": {"_eq": "$CURRENT_USER"}}
)


@dataclass(frozen=True, slots=True)
class StripeRequest:
    """One request that the emulator received; `target` is path and query, header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Stack:
    """The running servers and the data in them. URLs have no slash at the end; `settings` belong to the sidecar.

    `replicas` are all sidecars behind nginx, of which `main_sidecar` is the first.
    """

    state: Path
    directus: Server
    main_sidecar: Server
    proxy: Server
    stripe_url: str
    stripe_log: Path | None
    admin: DirectusAdmin
    people: Mapping[str, Person]
    customers: Mapping[str, str]
    settings: Mapping[str, str] = field(repr=False)
    replicas: Sequence[Server] = ()
    _numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    def stripe_requests(self) -> list[StripeRequest]:
        """Give all requests that the emulator has received; empty without an emulator."""
        lines = self.stripe_log.read_text(encoding="utf-8").splitlines() if self.stripe_log else []
        return [StripeRequest(**json.loads(line)) for line in lines if line.startswith("{")]

    @asynccontextmanager
    async def sidecar(self, **settings: str) -> AsyncIterator[Server]:
        """Start one more sidecar, not behind nginx, whose environment differs by `settings`; "" unsets one."""
        log = f"sidecar-{next(self._numbers)}.log"
        merged = dict(self.settings) | settings
        async with servers.sidecar(self.state, port=free_port(), settings=merged, log=log) as server:
            yield server


@asynccontextmanager
async def running_stack(
    state: Path,
    *,
    port: int | None = None,
    stripe_key: str | None = None,
    directus_settings: Mapping[str, str] | None = None,
    sidecar_settings: Mapping[str, str] | None = None,
    lock: Path = install.DEMO,
    prepare: Callable[[DirectusAdmin], Awaitable[object]] | None = None,
    licensed: bool = True,
    replicas: int = 1,
) -> AsyncIterator[Stack]:
    """Start all servers with their files in the empty folder `state`, nginx on `port`.

    Several `replicas` of the sidecar share a Redis, which must be installed. With a `stripe_key` they use Stripe's API
    instead of the emulator, and the page knows no passwords. `lock` is the folder that locks the version of Directus,
    and `prepare` changes Directus before it is provisioned. A Directus 12 without a license stores neither item rules
    nor field lists: with `licensed` false nothing is provisioned, so `prepare` must create the collection, and people
    have no rules of these kinds.
    Raises Fault if a program does not start.
    """
    port = port or free_port()
    administrator = _new_administrator()
    first_settings = _first_settings(administrator, port) | dict(directus_settings or {})
    async with AsyncExitStack() as exits:
        start = exits.enter_async_context
        emulator = None if stripe_key else await start(servers.emulator(state, port=free_port()))
        directus = await start(_directus(state, first_settings, lock))
        stripe = emulator.url if emulator else STRIPE
        settings = _sidecar_settings(directus.url, stripe, stripe_key or KEY, page_url(_origin(port)))
        admin = DirectusAdmin(directus.url, administrator.token)
        if prepare:
            await prepare(admin)
        if licensed:
            settings |= await servers.provision(state, token=administrator.token, settings=settings)
        else:
            settings |= {"SIDECAR_SECRET": secrets.token_hex(32), "DIRECTUS_PROJECT": "unlicensed"}
        if replicas > 1:
            settings["REDIS"] = (await start(redis_server.redis(state / "redis", log=state / "redis.log"))).url
        settings |= sidecar_settings or {}
        everybody, customers = await _seed(admin, administrator, settings, licensed=licensed)
        sidecars = [await start(_replica(state, settings, number)) for number in range(1, replicas + 1)]
        first, *others = [sidecar.url for sidecar in sidecars]
        desk = replace(DESK, logins=None if stripe_key else people.write_logins(state, everybody.values()))
        proxy = servers.nginx(state, port=port, directus=directus.url, sidecar=first, replicas=others, pages=(desk,))
        yield Stack(
            state=state,
            directus=directus,
            main_sidecar=sidecars[0],
            replicas=sidecars,
            proxy=await start(proxy),
            stripe_url=stripe,
            stripe_log=emulator.log if emulator else None,
            admin=admin,
            people=everybody,
            customers=customers,
            settings=settings,
        )


def _directus(state: Path, settings: Mapping[str, str], lock: Path) -> AbstractAsyncContextManager[Server]:
    return servers.directus(state / "directus", port=free_port(), settings=settings, lock=lock)


def _replica(state: Path, settings: Mapping[str, str], number: int) -> AbstractAsyncContextManager[Server]:
    log = "sidecar.log" if number == 1 else f"replica-{number}.log"
    return servers.sidecar(state, port=free_port(), settings=settings, log=log)


def _new_administrator() -> Person:
    return Person("administrator", "administrator@example.com", secrets.token_urlsafe(9), secrets.token_urlsafe(24))


def _first_settings(administrator: Person, port: int) -> dict[str, str]:
    return {
        "ADMIN_EMAIL": administrator.email,
        "ADMIN_PASSWORD": administrator.password,
        "ADMIN_TOKEN": administrator.token,
        "SECRET": secrets.token_hex(32),
        "KEY": secrets.token_hex(16),
        "PUBLIC_URL": _origin(port),
    }


def _origin(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def page_url(proxy: str) -> str:
    """Give the address of the demo's page behind nginx; Stripe's pages send browsers back to it."""
    return f"{proxy}/demo/"


def _sidecar_settings(directus: str, stripe: str, key: str, page: str) -> dict[str, str]:
    return {
        "DIRECTUS_URL": directus,
        "STRIPE_API_BASE": stripe,
        "STRIPE_LIVE_SECRET_KEY": key,
        "STRIPE_CUSTOMERS_COLLECTION": people.COLLECTION,
        "STRIPE_OPERATIONS": str(OPERATIONS),
        "ALLOWED_RETURN_URLS": page,
        "TRUSTED_PROXIES": "127.0.0.1",
        "LOGOUT_SECRET": servers.LOGOUT_SECRET,
    }


async def _seed(
    admin: DirectusAdmin, administrator: Person, settings: Mapping[str, str], *, licensed: bool
) -> tuple[dict[str, Person], dict[str, str]]:
    await people.add_owner(admin)
    me = await admin.request("GET", "/users/me")
    others = await people.add_people(admin, people.RULES if licensed else people.without_restrictions())
    if licensed:
        await _show_own_accounts(admin, others.values())
    everybody = {"administrator": replace(administrator, id=me["id"])} | others
    stripe, key = settings["STRIPE_API_BASE"], settings["STRIPE_LIVE_SECRET_KEY"]
    return everybody, await people.add_customers(admin, stripe, key, everybody)


async def _show_own_accounts(admin: DirectusAdmin, persons: Iterable[Person]) -> None:
    """Let users read their own names, which Directus does not allow by default."""
    policy = await admin.policy("own account", [_OWN_ACCOUNT])
    for person in persons:
        await admin.request("POST", "/access", {"role": person.role, "policy": policy})
