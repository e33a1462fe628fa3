"""The whole application with every row of the table on, and a Stripe that has every kind of object."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.doubles.directus import DirectusDouble
from tests.doubles.house import KEY, House, OpenHouse
from tests.doubles.samples import RETURN_URL
from tests.doubles.stripe import StripeDouble
from tests.unit.web.table.people import PEOPLE, TENANT, furnish, rules


class OpenShop(Protocol):
    """Opens the application with every row on; `tables` are lines of the file by row, None turns one off."""

    def __call__(self, tables: Mapping[str, str | None] | None = None, /, **settings: str) -> Awaitable[House]: ...


@pytest.fixture
async def stripe() -> AsyncIterator[StripeDouble]:
    async with StripeDouble.running() as double:
        double.key = KEY
        furnish(double)
        yield double


@pytest.fixture
def open_shop(open_house: OpenHouse, directus: DirectusDouble, tmp_path: Path) -> OpenShop:
    async def opened(tables: Mapping[str, str | None] | None = None, /, **settings: str) -> House:
        directus.add_users(PEOPLE)
        directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OWN", name="Ada", email="ada@example.com")
        directus.add_row(owner="somebody else", stripe_customer_id="cus_FOREIGN", name="Eve", email="eve@example.com")
        file = tmp_path / "operations.toml"
        file.write_text(rules(tables or {}))
        house = await open_house(
            **{"STRIPE_OPERATIONS": str(file), "ALLOWED_RETURN_URLS": RETURN_URL, **settings},
        )
        house.tokens |= {user.token for user in PEOPLE}
        return house

    return opened


@pytest.fixture
async def shop(open_shop: OpenShop) -> House:
    return await open_shop()
