"""The whole service on doubles, with every operation turned on, and write-back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import RunningApp, whole_app
from tests.doubles.stripe import StripeDouble

EVERY_OPERATION = Path(__file__).parent / "operations.toml"


@pytest.fixture
async def app(directus: DirectusDouble, stripe: StripeDouble) -> AsyncIterator[RunningApp]:
    settings = {
        "STRIPE_OPERATIONS": str(EVERY_OPERATION),
        "STRIPE_WRITE_BACK": "true",
        "STRIPE_EXPOSE_CLIENT_SECRET": "true",
        "ALLOWED_RETURN_URLS": "https://app.example.com/account",
    }
    async with whole_app(directus, stripe, **settings) as running:
        yield running
