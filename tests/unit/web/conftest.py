"""The whole application in this process, held to its invariants after every test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.doubles import invariants
from tests.doubles.directus import DirectusDouble
from tests.doubles.house import House, OpenHouse, whole_app
from tests.doubles.stripe import StripeDouble


@pytest.fixture
async def open_house(directus: DirectusDouble, stripe: StripeDouble, log_lines: list[str]) -> AsyncIterator[OpenHouse]:
    """`await open_house(DENIED_STATUS="403")`: the application with these settings over the tests' own."""
    houses: list[House] = []
    async with AsyncExitStack() as exits:

        async def opened(**settings: str) -> House:
            house = await exits.enter_async_context(whole_app(directus, stripe, **settings))
            house.log = log_lines
            houses.append(house)
            return house

        yield opened
    for house in houses:
        invariants.hold(house)


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    return await open_house()
