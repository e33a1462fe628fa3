"""Many requests of one member at once on the real Directus: they ask for the rows together, and see each change."""

import asyncio

import pytest

from deploy.demo.admin import Person
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, OWN, Portal

AT_ONCE = 8


@pytest.fixture
async def member(newcomer: Newcomer, portal: Portal) -> Person:
    return await newcomer(portal.names.rule("read", ("id", ID, "name"), OWN))


def asking(portal: Portal, member: Person) -> list[asyncio.Task[list[object]]]:
    return [asyncio.create_task(portal.ids(member, "/payments")) for _ in range(AT_ONCE)]


async def test_a_row_taken_away_among_many_requests(portal: Portal, member: Person) -> None:
    """R1: Whoever asks after a row was taken away is answered without it, though others were being answered with it."""
    mine = await portal.customer(owner=member.id)
    payments = [payment["id"] for payment in portal.payments_of(mine)]

    for _ in range(5):
        earlier = asking(portal, member)
        await portal.change(mine, owner=None)
        without = await asyncio.gather(*asking(portal, member))
        await asyncio.gather(*earlier)
        await portal.change(mine, owner=member.id)
        again = await asyncio.gather(*asking(portal, member))

        assert without == [[]] * AT_ONCE
        assert again == [payments] * AT_ONCE


async def test_fewer_questions(portal: Portal, member: Person) -> None:
    """F5: A member's requests at one moment cost fewer questions for its rows, each with the member's own token."""
    await portal.customer(owner=member.id)
    await portal.ids(member, "/payments")
    portal.forget_requests()

    await asyncio.gather(*asking(portal, member))

    assert 1 <= len(portal.row_queries) < AT_ONCE  # two, unless Directus takes longer than anybody waits for another
    assert {request.values("Authorization")[0] for request in portal.row_queries} == {f"Bearer {member.token}"}
