"""The whole application with every row of the table on, and a Stripe that has every kind of object."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import KEY, OpenApp, RunningApp
from tests.doubles.samples import RETURN_URL
from tests.doubles.stripe import StripeDouble
from tests.unit.web.table.people import PEOPLE, TENANT, furnish, rules


class OpenShop(Protocol):
    """Opens the application with every row on; `tables` are lines of the file by row, None turns one off."""

    def __call__(self, tables: Mapping[str, str | None] | None = None, /, **settings: str) -> Awaitable[RunningApp]: ...


@pytest.fixture
async def stripe() -> AsyncIterator[StripeDouble]:
    async with StripeDouble.running() as double:
        double.key = KEY
        furnish(double)
        yield double


@pytest.fixture
def open_shop(open_app: OpenApp, directus: DirectusDouble, tmp_path: Path) -> OpenShop:
    async def opened(tables: Mapping[str, str | None] | None = None, /, **settings: str) -> RunningApp:
        directus.add_users(PEOPLE)
        directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OWN", name="Ada", email="ada@example.com")
        directus.add_row(owner="somebody else", stripe_customer_id="cus_FOREIGN", name="Eve", email="eve@example.com")
        file = tmp_path / "operations.toml"
        file.write_text(rules(tables or {}, exposing=settings.get("STRIPE_EXPOSE_CLIENT_SECRET") == "true"))
        app = await open_app(
            **{"STRIPE_OPERATIONS": str(file), "ALLOWED_RETURN_URLS": RETURN_URL, **settings},
        )
        app.tokens |= {user.token for user in PEOPLE}
        return app

    return opened


@pytest.fixture
async def shop(open_shop: OpenShop) -> RunningApp:
    return await open_shop()
