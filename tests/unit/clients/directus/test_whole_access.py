"""Whole access beside the permission cache: when the policies are asked for, and how long they are remembered."""

import asyncio
from dataclasses import dataclass, field

import pytest

from sidecar.clients.directus.permission_cache import PermissionCache, any_grant
from sidecar.clients.directus.whole_access import WholeAccess
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.whole_access import Assignment, Policies, Unruled
from sidecar.errors import DirectusUnavailable
from tests.doubles.waiting import eventually
from tests.unit.clients.directus.sources import Counting, credential

TTL, DENIED_TTL = 30.0, 5.0
NAME = AllowedFields(frozenset({"name"}))
PARTIAL = Permissions({("customers", Action.READ): Grant(Access.PARTIAL, NAME)})
FULL = Permissions({("customers", Action.READ): Grant(Access.FULL, NAME)})
ALICE = credential("alice")
HELD = Policies([Unruled("whole", "customers", Action.READ, NAME)], [Assignment("whole", None, "user of alice")])


@dataclass
class Source:
    """`said` is what the policies are; `asked` counts the questions, each of which first waits for `gate`."""

    said: Policies | Exception | None = field(default_factory=lambda: HELD)
    asked: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def policies(self) -> Policies | None:
        self.asked += 1
        said = self.said
        await self.gate.wait()
        if isinstance(said, Exception):
            raise said
        return said


class Whole:
    def __init__(self, said: Permissions = PARTIAL, source: Source | None = None) -> None:
        self.now = 0.0
        self.source = source or Source()
        self.callers = Counting(said)
        cache = PermissionCache(self.callers, ttl=TTL, denied_ttl=TTL, size=10, timer=lambda: self.now)
        self.access = WholeAccess(cache, self.source, ttl=TTL, denied_ttl=DENIED_TTL, timer=lambda: self.now)

    async def unruled(self) -> AllowedFields:
        return (await self.access.permissions(ALICE)).grant("customers", Action.READ).unruled


async def test_whole_access_is_found() -> None:
    """O2: A caller that holds a permission without a rule has its fields in every item; one question tells for all."""
    whole = Whole()

    assert [await whole.unruled() for _ in range(3)] == [NAME] * 3
    assert (whole.source.asked, whole.callers.identities_asked) == (1, 1)


async def test_full_access_needs_no_policies() -> None:
    """Nobody asks for policies where Directus's own word is full."""
    whole = Whole(FULL)

    await whole.unruled()

    assert whole.source.asked == 0


async def test_members_of_a_shop_without_such_policies() -> None:
    """Nobody is asked who a caller is where no permission without a rule exists for it."""
    whole = Whole(source=Source(Policies()))

    assert await whole.unruled() == AllowedFields()
    assert whole.callers.identities_asked == 0


async def test_policies_that_may_not_be_read() -> None:
    """O2: Without the right to read policies, Directus's own word counts, and the question is not repeated at once."""
    whole = Whole(source=Source(None))

    assert [await whole.unruled() for _ in range(3)] == [AllowedFields()] * 3
    assert whole.source.asked == 1


async def test_an_outage_is_no_answer() -> None:
    """C6: Where the policies cannot be read now, nobody is called partial for it, and the next request asks again."""
    whole = Whole(source=Source(DirectusUnavailable("down")))

    with pytest.raises(DirectusUnavailable):
        await whole.unruled()
    whole.source.said = HELD
    assert await whole.unruled() == NAME


async def test_a_lifetime() -> None:
    """C8: Policies are remembered as long as a permission, counted from the question, whoever asked."""
    whole = Whole()
    await whole.unruled()
    whole.source.said = Policies()

    whole.now = TTL - 0.1
    assert await whole.unruled() == NAME
    whole.now = TTL
    assert await whole.unruled() == AllowedFields()


async def test_a_purge() -> None:
    """O2: A change in Directus makes the next request ask for the policies again."""
    whole = Whole()
    await whole.unruled()
    whole.source.said = Policies()

    whole.access.purge()

    assert await whole.unruled() == AllowedFields()


async def test_a_purge_during_the_question() -> None:
    """C7: Policies that were asked for before a purge are not remembered, nor given to later requests."""
    whole = Whole()
    whole.source.gate.clear()
    early = asyncio.ensure_future(whole.unruled())
    await eventually(lambda: whole.source.asked == 1)

    whole.access.purge()
    whole.source.said = Policies()
    late = asyncio.ensure_future(whole.unruled())
    await eventually(lambda: whole.source.asked == 2)
    whole.source.gate.set()

    assert await early == NAME
    assert await late == AllowedFields()
    assert await whole.unruled() == AllowedFields()
    assert whole.source.asked == 2


async def test_many_at_once() -> None:
    """C4: A thousand requests at once are one question for the policies, and one for who asks."""
    whole = Whole()

    found = await asyncio.gather(*[whole.unruled() for _ in range(1000)])

    assert found == [NAME] * 1000
    assert (whole.source.asked, whole.callers.identities_asked) == (1, 1)


async def test_without_a_service_token() -> None:
    """O2: Without a service token nothing is wider than Directus's own word."""
    whole = Whole()
    cache = PermissionCache(whole.callers, ttl=TTL, denied_ttl=TTL, size=10)

    access = WholeAccess(cache, None, ttl=TTL, denied_ttl=DENIED_TTL)

    assert await access.permissions(ALICE) == PARTIAL
    assert await access.public("192.0.2.7", any_grant) == Permissions({})


EVERYBODYS = Policies(HELD.unruled, [Assignment("whole", None, None)])


class Guests(Whole):
    async def ask(self, number: int = 0) -> Permissions:
        return await self.access.public(f"192.0.2.{number % 256}", any_grant)


async def test_guests_cost_no_question_of_their_own() -> None:
    """C4, C9: Any number of guests, at any addresses, are one question for the policies."""
    guests = Guests(source=Source(EVERYBODYS))

    found = await asyncio.gather(*(guests.ask(number) for number in range(1000)))

    assert found == [FULL] * 1000
    assert (guests.source.asked, guests.callers.calls) == (1, 0)


async def test_a_no_to_guests_lives_shorter() -> None:
    """C8: A grant to everybody is felt after the time of a refusal, and its end after that of a permission."""
    guests = Guests(source=Source(HELD))

    refused = [await guests.ask() for _ in range(3)]
    guests.source.said = EVERYBODYS
    guests.now = DENIED_TTL - 0.1
    still_refused = await guests.ask()
    guests.now = DENIED_TTL
    granted = await guests.ask()
    guests.source.said = HELD
    guests.now += TTL - 0.1
    still_granted = await guests.ask()
    guests.now += 0.1

    assert [*refused, still_refused] == [Permissions({})] * 4
    assert [granted, still_granted] == [FULL] * 2
    assert await guests.ask() == Permissions({})


async def test_guests_feel_a_change() -> None:
    """C7: A change in Directus ends what everybody may do at once; a user's own change costs nothing."""
    guests = Guests(source=Source(EVERYBODYS))
    await guests.ask()

    guests.access.forget_user("ada")
    assert (await guests.ask(), guests.source.asked) == (FULL, 1)
    guests.source.said = HELD
    guests.access.purge()
    assert await guests.ask() == Permissions({})


async def test_guests_while_directus_is_away() -> None:
    """C6: While the policies cannot be read nobody is let in without a credential, and nothing is remembered of it."""
    guests = Guests(source=Source(DirectusUnavailable("down")))

    with pytest.raises(DirectusUnavailable):
        await guests.ask()
    guests.source.said = EVERYBODYS
    assert await guests.ask() == FULL


async def test_guests_where_policies_may_not_be_read() -> None:
    """O2: Without the right to read policies everybody may do nothing."""
    assert await Guests(source=Source(None)).ask() == Permissions({})
