"""A real browser in front of the whole stack. Tests, browser and servers share one event loop, the session's."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from deploy.demo.stack import Stack, running_stack
from tests.doubles.running_app import PATIENT_WITH_DIRECTUS
from tests.e2e.site import Site, open_site
from tests.e2e.visitor import Visitor, listen

Visit = Callable[..., Awaitable[Visitor]]

expect.set_options(timeout=60_000)  # milliseconds; a machine may be busy


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Start the integration tests' stack, with cheap password hashes, and access tokens that expire during a test.

    Any number of people may sign up in a minute.
    """
    cheap = {"HASH_MEMORY_COST": "1024", "HASH_TIME_COST": "2", "LOGIN_STALL_TIME": "0"}
    unlimited = {"PRESSURE_LIMITER_ENABLED": "false", "RATE_LIMITER_REGISTRATION_ENABLED": "false"}
    settings = {"ACCESS_TOKEN_TTL": "2s", **unlimited, **cheap}
    state = tmp_path_factory.mktemp("stack")
    async with running_stack(state, directus_settings=settings, sidecar_settings=PATIENT_WITH_DIRECTUS) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Start Debian's Chromium; as root it has no sandbox."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(stack: Stack, tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(stack, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser) -> AsyncIterator[Visit]:
    """`await visit(url, color_scheme="dark")`: a new browser at `url`; the test fails if a browser had complaints."""
    visitors: list[Visitor] = []
    async with AsyncExitStack() as exits:

        async def begin(url: str, **options: Any) -> Visitor:  # noqa: ANN401 - the library's options for a new context
            context = await chromium.new_context(
                **{"locale": "en-GB", "timezone_id": "UTC", "viewport": {"width": 1200, "height": 800}} | options
            )
            exits.push_async_callback(context.close)
            page = await context.new_page()
            visitor = Visitor(page, listen(page))
            visitors.append(visitor)
            await page.goto(url)
            return visitor

        yield begin
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
