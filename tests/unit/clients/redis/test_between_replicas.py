"""What one replica did decides what another one says, whatever is late, lost or away in between."""

import asyncio

import pytest

from tests.unit.clients.redis.replica import CALLERS, DENIED_TTL, SPACE, TTL, World

LONG = TTL * 0.8  # less than the shortest life of an answer


@pytest.fixture
async def world() -> World:
    return await World().start()


async def remembered(world: World, caller: str = "session") -> None:
    """Have all replicas let the caller in, for which one of them asks."""
    assert await world.everybody(lambda replica: replica.ask(caller)) == [True] * 3
    assert world.directus.questions == 1


@pytest.mark.parametrize("caller", CALLERS)
async def test_one_asks_for_all(world: World, caller: str) -> None:
    """A caller who comes to several replicas costs one question."""
    await remembered(world, caller)


async def test_at_once_too(world: World) -> None:
    """The replicas to which a caller comes at the same moment ask once: the others wait for the one that does."""
    answers = await asyncio.gather(*(replica.ask("session") for replica in world.replicas for _ in range(5)))

    assert (set(answers), world.directus.questions) == ({True}, 1)


async def test_a_refusal_is_shared_too(world: World) -> None:
    """A token that Directus refuses costs one question, and its refusal lives as short as everywhere."""
    world.directus.set("session", allowed=False)
    assert await world.everybody(lambda replica: replica.ask("session")) == [False] * 3
    assert world.directus.questions == 1

    world.directus.advance(DENIED_TTL)
    world.directus.set("session", allowed=True)

    assert await world.everybody(lambda replica: replica.ask("session")) == [True] * 3


async def test_a_refusal_stays_no_longer_than_it_counts(world: World) -> None:
    """C9: What a flood of made-up tokens leaves in Redis goes as soon as no no counts any more."""
    world.directus.set("session", allowed=False)
    await remembered_as_refused(world)

    kept = [stored.until for stored in world.redis.keys.values() if b"|" in stored.text]

    assert len(kept) == 1
    assert kept[0] is not None
    assert kept[0] <= world.directus.now + DENIED_TTL


async def remembered_as_refused(world: World) -> None:
    assert await world.everybody(lambda replica: replica.ask("session")) == [False] * 3


async def test_an_answer_does_not_live_longer_elsewhere(world: World) -> None:
    """C10: An answer that another replica gave lives from its question on, not from when it was found."""
    first, second, _ = world.replicas
    await first.ask("session")
    await first.settle()
    world.directus.set("session", allowed=False)
    world.directus.advance(LONG)
    assert await second.ask("session") is True

    world.directus.advance(TTL - LONG)

    assert await second.ask("session") is False


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_change_that_one_hears_ends_all(world: World, caller: str) -> None:
    """C7: What one replica hears of a change is felt by those that do not hear it, once they read the news."""
    await remembered(world, caller)
    world.directus.set(caller, allowed=False)

    world.replicas[0].hear()
    await world.replicas[0].settle()
    await world.everybody(lambda replica: replica.read_news())

    assert await world.everybody(lambda replica: replica.ask(caller)) == [False] * 3


async def test_a_user_who_changes_costs_others_nothing(world: World) -> None:
    """F6: A change of one user ends its answers at all replicas, and nobody else's with a token of Directus."""
    await remembered(world)
    world.directus.set("session", allowed=False)

    world.replicas[0].hear("static")
    await world.everybody(lambda replica: replica.read_news())
    kept = await world.everybody(lambda replica: replica.ask("session"))
    world.directus.advance(1)
    world.replicas[0].hear("session")
    await world.replicas[0].settle()
    await world.everybody(lambda replica: replica.read_news())

    assert kept == [True] * 3
    assert await world.everybody(lambda replica: replica.ask("session")) == [False] * 3


async def test_what_is_heard_twice_costs_once(world: World) -> None:
    """The same change, heard by all replicas within the window, ends what is shared once."""
    await remembered(world)

    for replica in world.replicas:
        replica.hear()
    await remembered_again(world)

    assert world.directus.questions == 2


async def test_an_answer_from_before_a_change_is_not_kept(world: World) -> None:
    """C7: A replica does not keep an answer for others if one of them heard of a change since the question."""
    first, second, third = world.replicas

    def change() -> None:
        world.directus.set("session", allowed=False)
        second.hear()

    world.directus.meanwhile = change
    await first.ask("session")
    await world.everybody(lambda replica: replica.settle())

    assert await third.ask("session") is False


async def test_a_change_during_a_look(world: World) -> None:
    """C7: What a replica finds is not used if it hears of a change before the find arrives."""
    first, second, _ = world.replicas
    await first.ask("session")
    await first.settle()
    world.directus.set("session", allowed=False)
    world.redis.meanwhile = second.hear

    assert await second.ask("session") is False


async def test_a_change_while_the_right_to_ask_is_taken(world: World) -> None:
    """C7: The same holds for what is found when the question's turn has come."""
    first, second, _ = world.replicas
    nothing = world.redis.saved()
    await first.ask("session")
    await first.settle()
    something = world.redis.saved()
    world.directus.set("session", allowed=False)

    def first_has_asked() -> None:
        world.redis.restore(something)
        world.redis.meanwhile = second.hear

    world.redis.restore(nothing)
    world.redis.meanwhile = first_has_asked

    assert await second.ask("session") is False


async def test_a_logout_is_felt_by_all(world: World) -> None:
    """A logout that one replica is told ends the session at all; until Directus has ended it nothing is kept."""
    await remembered(world)
    first, second, third = world.replicas
    await first.hear_logout("session")
    world.directus.ending["session"] = world.directus.now + 10
    await world.everybody(lambda replica: replica.read_news())
    assert [await second.ask("session"), await third.ask("session")] == [True, True]

    world.directus.advance(10)

    assert await world.everybody(lambda replica: replica.ask("session")) == [False] * 3


async def test_nothing_is_kept_for_a_newcomer_after_a_logout(world: World) -> None:
    """A replica that heard nothing of a logout finds nothing from before Directus ended the session."""
    first, second, third = world.replicas
    await first.hear_logout("session")
    world.directus.ending["session"] = world.directus.now + 10
    assert await second.ask("session") is True
    await second.settle()

    world.directus.advance(10)

    assert await third.ask("session") is False


async def test_who_could_not_tell_believes_nothing(world: World) -> None:
    """While a replica owes the others a change it looks up nothing: what is there may be from before."""
    await world.replicas[1].ask("session")
    await world.replicas[1].settle()
    world.redis.up = False
    world.directus.set("session", allowed=False)
    world.replicas[0].hear()
    await world.replicas[0].settle()
    world.redis.up = True

    assert await world.replicas[0].ask("session") is False

    await world.replicas[0].announcements.pay()
    await world.everybody(lambda replica: replica.read_news())
    assert await world.everybody(lambda replica: replica.ask("session")) == [False] * 3


async def test_news_that_were_lost_leave_a_gap(world: World) -> None:
    """If news are lost before a replica reads them, it forgets everything once."""
    await remembered(world)
    world.directus.set("session", allowed=False)
    world.replicas[0].hear()
    await world.replicas[0].settle()

    world.redis.flush()
    world.directus.advance(1)
    await world.everybody(lambda replica: replica.read_news())

    assert await world.everybody(lambda replica: replica.ask("session")) == [False] * 3


async def test_a_server_that_knows_less_leaves_a_gap(world: World) -> None:
    """After a failover to a server that lacks the latest news, which a replica had not read, it forgets everything."""
    await remembered(world)
    world.replicas[0].hear()
    await world.replicas[0].settle()
    saved = world.redis.saved()
    await world.everybody(lambda replica: replica.read_news())
    await remembered_again(world)
    world.directus.advance(1)
    world.replicas[0].hear()
    await world.replicas[0].settle()
    await world.replicas[1].read_news()
    world.directus.set("session", allowed=False)
    world.replicas[0].hear()
    await world.replicas[0].settle()

    world.redis.restore(saved)
    await world.everybody(lambda replica: replica.read_news())
    await world.everybody(lambda replica: replica.read_news())

    assert await world.replicas[1].ask("session") is False


@pytest.mark.parametrize("everybody", [True, False])
async def test_a_server_that_knows_less_brings_nothing_back(world: World, *, everybody: bool) -> None:
    """C7: After a failover that lost a change, no replica that felt it ever takes an answer from before."""
    await remembered(world)
    saved = world.redis.saved()
    world.directus.advance(1)
    world.directus.set("session", allowed=False)
    world.replicas[0].hear(None if everybody else "session")
    await world.replicas[0].settle()
    await world.everybody(lambda replica: replica.read_news())

    world.redis.restore(saved)

    assert await world.everybody(lambda replica: replica.ask("session")) == [False] * 3


async def test_what_a_failover_lost_is_told_again(world: World) -> None:
    """C7: A replica that sees a server with less ends what is shared, since others may have felt none of it."""
    await remembered(world)
    saved = world.redis.saved()
    world.directus.advance(1)
    world.directus.set("session", allowed=False)
    world.replicas[0].hear()
    await world.replicas[0].settle()
    await world.replicas[0].read_news()

    world.redis.restore(saved)
    await world.replicas[0].read_news()
    await world.replicas[0].settle()
    await world.everybody(lambda replica: replica.read_news())

    assert await world.everybody(lambda replica: replica.ask("session")) == [False] * 3


async def remembered_again(world: World) -> None:
    assert await world.everybody(lambda replica: replica.ask("session")) == [True] * 3


def marks(world: World) -> list[bytes]:
    """Name what is neither an answer nor the stream."""
    kept = {SPACE.name("news").encode(), *(name for name, stored in world.redis.keys.items() if b"|" in stored.text)}
    return [name for name in world.redis.keys if name not in kept]


async def test_a_mark_that_is_gone_proves_nothing(world: World) -> None:
    """If the marks of a change are evicted, what is from before it does not count again."""
    first, second, _ = world.replicas
    await first.ask("session")
    await first.settle()
    world.directus.set("session", allowed=False)
    second.hear()
    await second.settle()

    for name in marks(world):
        world.redis.keys.pop(name)

    assert await second.ask("session") is False


async def test_redis_away_costs_only_questions(world: World) -> None:
    """Without Redis each replica asks for itself, and who is remembered is not asked for."""
    world.redis.up = False
    await world.everybody(lambda replica: replica.ask("session"))
    await world.everybody(lambda replica: replica.ask("session"))

    assert world.directus.questions == 3


async def test_an_answer_that_was_long_on_its_way(world: World) -> None:
    """C10: What the event loop came to late is older by that, and lives shorter."""
    first, second, _ = world.replicas
    await first.ask("session")
    await first.settle()
    world.directus.set("session", allowed=False)
    world.redis.meanwhile = lambda: world.directus.advance(LONG)
    assert await second.ask("session") is True

    world.directus.advance(TTL - LONG)

    assert await second.ask("session") is False
