"""One real stack for all integration tests: Directus, the Stripe emulator, the sidecar and nginx.

A test that needs other settings starts a sidecar of its own beside it, and one that changes permissions does so for
people of its own, so that no test sees another's.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from deploy.demo.admin import Person, Rule
from deploy.demo.processes import Server
from deploy.demo.stack import Stack, StripeRequest, running_stack

Newcomer = Callable[..., Awaitable[Person]]
StartSidecar = Callable[..., Awaitable[Server]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Access tokens that are not sessions live for 2 s, so that a test can see one expire."""
    state = tmp_path_factory.mktemp("stack")
    async with running_stack(state, directus_settings={"ACCESS_TOKEN_TTL": "2s"}) as running:
        yield running


@pytest.fixture
async def newcomer(stack: Stack) -> AsyncIterator[Newcomer]:
    """`await newcomer(Rule(…), …, ip_access=…)`: somebody new with one policy of these rules, gone after the test."""
    async with AsyncExitStack() as exits:

        async def create(*rules: Rule, ip_access: Sequence[str] | None = None) -> Person:
            name = f"newcomer-{secrets.token_hex(4)}"
            policy = await stack.admin.policy(name, rules, ip_access=ip_access)
            exits.push_async_callback(stack.admin.request, "DELETE", f"/policies/{policy}")
            person = await stack.admin.person(name, [policy])
            exits.push_async_callback(stack.admin.request, "DELETE", f"/roles/{person.role}")
            exits.push_async_callback(stack.admin.request, "DELETE", f"/users/{person.id}")
            return person

        yield create


@pytest.fixture
async def start_sidecar(stack: Stack) -> AsyncIterator[StartSidecar]:
    """`await start_sidecar(DENIED_STATUS="403")`: one more sidecar, not behind nginx, ended after the test."""
    async with AsyncExitStack() as exits:

        async def start(**settings: str) -> Server:
            return await exits.enter_async_context(stack.sidecar(**settings))

        yield start


@pytest.fixture
def stripe_requests(stack: Stack) -> Callable[[], list[StripeRequest]]:
    """Call it for what Stripe's emulator was asked since the test began."""
    before = len(stack.stripe_requests())
    return lambda: stack.stripe_requests()[before:]
