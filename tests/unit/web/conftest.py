"""The whole application in this process; its invariants are checked after every test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.doubles import invariants
from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import OpenApp, RunningApp, whole_app
from tests.doubles.stripe import StripeDouble


@pytest.fixture
async def open_app(directus: DirectusDouble, stripe: StripeDouble, log_lines: list[str]) -> AsyncIterator[OpenApp]:
    """`await open_app(DENIED_STATUS="403")`: the application with these settings over the tests' own."""
    apps: list[RunningApp] = []
    async with AsyncExitStack() as exits:

        async def opened(**settings: str) -> RunningApp:
            app = await exits.enter_async_context(whole_app(directus, stripe, **settings))
            app.log = log_lines
            apps.append(app)
            return app

        yield opened
    for app in apps:
        invariants.check(app)


@pytest.fixture
async def app(open_app: OpenApp) -> RunningApp:
    return await open_app()
