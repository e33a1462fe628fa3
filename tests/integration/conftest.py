"""One real stack for all integration tests: Directus, the Stripe emulator, the sidecar and nginx.

A test with other settings starts its own sidecar, and a test that changes permissions makes its own people,
so that tests do not affect each other.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.admin import Person, Rule
from deploy.demo.install import NodeTools
from deploy.demo.processes import Server
from deploy.demo.stack import Stack, StripeRequest, running_stack
from tests.doubles.running_app import PATIENT_WITH_DIRECTUS
from tests.doubles.stripe import StripeDouble
from tests.integration.frontends.browser import Browser
from tests.integration.portal import Collections, Portal, collections, open_portal

Newcomer = Callable[..., Awaitable[Person]]
StartSidecar = Callable[..., Awaitable[Server]]
SECRET = "the-secret-with-which-directus-signs-its-tokens"
StripeRequests = Callable[[], list[StripeRequest]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Access tokens that are not sessions live for 10 s, so that a test can see one expire.

    With SECRET a test signs tokens that Directus accepts. Password hashes are cheap and logins are not delayed, which
    by default costs half a second each. A Directus that was slowed down by a busy machine or by a test does not refuse
    requests because of its own load, and the sidecar waits for it.
    """
    state = tmp_path_factory.mktemp("stack")
    cheap = {"HASH_MEMORY_COST": "1024", "HASH_TIME_COST": "2", "LOGIN_STALL_TIME": "0"}
    # A flow may request an address on this machine, which Directus forbids by default.
    cheap["IMPORT_IP_DENY_LIST"] = "169.254.169.254"
    settings = {"SECRET": SECRET, "ACCESS_TOKEN_TTL": "10s", "PRESSURE_LIMITER_ENABLED": "false", **cheap}
    async with running_stack(state, directus_settings=settings, sidecar_settings=PATIENT_WITH_DIRECTUS) as running:
        yield running


@pytest.fixture
async def newcomer(stack: Stack) -> AsyncIterator[Newcomer]:
    """`await newcomer(Rule(…), …, ip_access=…)`: a new person with one policy of these rules, deleted after the test.

    `also` contains the rules of further policies, which have no `ip_access`.
    """
    async with AsyncExitStack() as exits:

        async def policy(name: str, rules: Sequence[Rule], ip_access: Sequence[str] | None = None) -> str:
            made = await stack.admin.policy(name, rules, ip_access=ip_access)
            exits.push_async_callback(stack.admin.request, "DELETE", f"/policies/{made}")
            return made

        async def create(
            *rules: Rule, ip_access: Sequence[str] | None = None, also: Sequence[Sequence[Rule]] = ()
        ) -> Person:
            name = f"newcomer-{secrets.token_hex(4)}"
            policies = [await policy(name, rules, ip_access), *[await policy(name, more) for more in also]]
            person = await stack.admin.person(name, policies)
            exits.push_async_callback(stack.admin.request, "DELETE", f"/roles/{person.role}")
            exits.push_async_callback(stack.admin.request, "DELETE", f"/users/{person.id}")
            return person

        yield create


@pytest.fixture
async def start_sidecar(stack: Stack) -> AsyncIterator[StartSidecar]:
    """`await start_sidecar(DENIED_STATUS="403")`: one more sidecar, without nginx, ended after the test."""
    async with AsyncExitStack() as exits:

        async def start(**settings: str) -> Server:
            return await exits.enter_async_context(stack.sidecar(**settings))

        yield start


@pytest.fixture
def browser(node_tools: NodeTools, tmp_path: Path) -> Browser:
    """Give what runs the documents' JavaScript."""
    folder = tmp_path / "browser"
    folder.mkdir()
    return Browser(node_tools, folder)


@pytest.fixture
def stripe_requests(stack: Stack) -> StripeRequests:
    """Give a function that lists the requests to Stripe's emulator since the test began."""
    before = len(stack.stripe_requests())
    return lambda: stack.stripe_requests()[before:]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def portal_collections(stack: Stack) -> AsyncIterator[Collections]:
    async with collections(stack) as names:
        yield names


@pytest.fixture
async def portal(
    stack: Stack,
    portal_collections: Collections,
    stripe: StripeDouble,
    newcomer: Newcomer,  # noqa: ARG001 - its people own items of the portal, so the portal must end first
) -> AsyncIterator[Portal]:
    async with open_portal(stack, portal_collections, stripe) as opened:
        yield opened
