"""Rows in which one caller asks for more than its share, and others are measured meanwhile."""

import asyncio
from collections.abc import Mapping

from tests.benchmarks.fair import people
from tests.benchmarks.fair.account import StripeAccount, object_id, too_many
from tests.benchmarks.fair.outcome import Outcome, failures, figures, seconds, served, took, worst
from tests.benchmarks.fair.people import CLERK, MEMBER, NEIGHBOUR, READER
from tests.benchmarks.fair.plan import Group, Tally
from tests.benchmarks.fair.rig import Ground, Rig, Size

_PATIENCE = 2.5  # seconds for another caller's answer
_SOON = 2.0
_NOTICED = 1.0  # seconds that an answer may take longer than without the one who is careless
_LEAVING = 0.002
_MOST_PAGES = 60
_SLOW_ONES = 5
_STALLING = 1_500_000  # bytes after which the first of them reads no more; the next reads as many more
_PATIENCE_OF_A_SOURCE = 2.5  # seconds that all slow readers together may delay the others


async def many_pages(ground: Ground) -> Outcome:
    hog = Group("pages", [people.page(MEMBER)], ground.size.many)
    return await _beside(ground, hog)


async def fewer_pages(ground: Ground) -> Outcome:
    hog = Group("pages", [people.page(MEMBER)], ground.size.fewer)
    return await _beside(ground, hog)


async def whole_lists(ground: Ground) -> Outcome:
    """The lists differ, so that their readers do not share one."""
    asked = [people.since(READER, number) for number in range(ground.size.readers)]
    return await _beside(ground, Group("lists", asked, len(asked)))


async def mixed(ground: Ground) -> Outcome:
    """One caller with whole access asks for pages, whole lists and changes in turn."""
    pages = [people.page(READER, number) for number in range(8)]
    changes = [people.setup_intent(READER, number) for number in range(8)]
    lists = [people.since(READER, number) for number in range(8)]
    asked = [request for three in zip(pages, lists, changes, strict=True) for request in three]
    return await _beside(ground, Group("mixed", asked, ground.size.many))


async def left_at_once(ground: Ground) -> Outcome:
    """The requests' clients are gone after 2 ms; once for pages that all differ, once for one page."""
    size = ground.size
    found: dict[str, Mapping[str, object]] = {}
    said, met = [], True
    for name, requests in (
        ("pages that differ", [people.page(READER, number) for number in range(size.many)]),
        ("one page", [people.page(READER)]),
    ):
        async with ground.rig() as rig:
            await _beforehand(rig, [Group("page", [people.page(CLERK)], times=1)])
            before = _pages(rig.stripe, "1")
            hog = Group("left", requests, size.many, times=1, leaves_after=_LEAVING)
            async with rig.visiting(hog, seconds=size.seconds) as visit:
                page = Group("page", [people.page(CLERK, size.many + 1, limit=10)], times=size.tries)
                others = await rig.visit(page, seconds=size.seconds + 10)
                left = await visit.stop()
            await _quiet(rig.stripe, size)
            asked = _pages(rig.stripe, "1") - before
        said.append(f"{name}: {worst(others)}, {asked} pages asked for nobody")
        met = met and served(others, _SOON) and asked <= _MOST_PAGES
        found[name] = {**figures(others), "pages": asked, "left": figures(left)}
    must = f"page under {_SOON:.0f} s, at most {_MOST_PAGES} pages"
    return Outcome("; ".join(said), must, met, found)


async def limited_object(ground: Ground) -> Outcome:
    """Stripe refuses to change one subscription: a 429 about this object alone, in both of its forms."""
    said, found, met = [], {}, True
    for name, refusal in (
        ("lock_timeout", too_many("lock_timeout")),
        ("resource-specific", too_many("rate_limit", "resource-specific")),
    ):
        async with ground.rig(payments=ground.size.payments // 10) as rig:
            rig.stripe.refusal = refusal
            alone = await rig.visit(*_readers(), seconds=ground.size.seconds / 4)
            update = people.post(
                f"/stripe/subscriptions/{object_id('sub', ground.size.rows)}", MEMBER, cancel_at_period_end=True
            )
            async with rig.visiting(Group("update", [update], 3), seconds=2 * ground.size.seconds) as visit:
                await asyncio.sleep(ground.size.settling)
                others = await rig.visit(*_readers(), seconds=ground.size.seconds)
                hog = await visit.stop()
        said.append(f"{name}: " + ", ".join(f"{one} {took(others[one])} ({took(alone[one])} alone)" for one in others))
        met = met and all(_answered(others[one]) and others[one].worst < alone[one].worst + _NOTICED for one in others)
        found[name] = {"alone": figures(alone), "others": figures(others), "hog": figures(hog)}
    return Outcome("; ".join(said), f"page and list as alone, less than {_NOTICED:.0f} s more", met, found)


def _readers() -> list[Group]:
    """A clerk who reads a page and the whole list again and again."""
    return [Group("page", [people.page(CLERK)]), Group("whole list", [people.whole_list(CLERK)])]


def _answered(tally: Tally) -> bool:
    """Requests that are under way when the time is over are not counted as unanswered."""
    return set(tally.statuses) <= {"200"} and bool(tally.seconds)


async def slow_one_after_another(ground: Ground) -> Outcome:
    """Readers share a list with one who reads it at full speed, and stop reading one after another."""
    reader = Group("whole list", [people.whole_list(CLERK)], times=1)
    slow = [
        Group(
            f"stalls {number}",
            [people.whole_list(CLERK)],
            times=1,
            stalls_after=_STALLING * (number + 1),
            background=True,
        )
        for number in range(_SLOW_ONES)
    ]
    longest = 3 * ground.size.seconds
    async with ground.rig() as rig:
        alone = await rig.visit(reader, seconds=longest)
        beside = await rig.visit(reader, *slow, seconds=longest)
    tally = beside["whole list"]
    delay = tally.worst - alone["whole list"].worst
    seen = f"the list took {took(tally)}, {took(alone['whole list'])} alone: {seconds(max(0.0, delay))} more"
    met = tally.only(200) and delay < _PATIENCE_OF_A_SOURCE
    must = f"less than {_PATIENCE_OF_A_SOURCE} s more, for all of them together"
    return Outcome(seen, must, met, {"alone": figures(alone), "beside": figures(beside)})


async def same_page(ground: Ground) -> Outcome:
    """Clerks whose permissions are remembered open the same page at once; which page nobody has read before."""
    async with ground.rig() as rig:
        assert rig.directus is not None
        tokens = people.clerks(rig.directus, ground.size.clerks)
        # Refused by their remembered permissions, so nothing is asked at Stripe.
        first = [people.post("/stripe/customers", token, email="ada@example.com") for token in tokens]
        await rig.visit(Group("first", first, connections=1, times=len(first)), seconds=3 * ground.size.seconds)
        before = _pages(rig.stripe, "10")
        asked = [people.page(token, limit=10) for token in tokens]
        found = await rig.visit(Group("page", asked, len(asked), times=1), seconds=2 * ground.size.seconds)
        pages = _pages(rig.stripe, "10") - before
    tally = found["page"]
    seen = f"{tally.statuses.get('200', 0)} answered with 200, the last after {took(tally)}; {pages} pages at Stripe"
    seen += f"; answers: {failures(found)}" if failures(found) else ""
    met = tally.only(200) and tally.worst < 1 and pages == 1
    return Outcome(seen, "all 200 within 1 s, 1 page", met, {**figures(found), "pages": pages})


async def one_token(ground: Ground) -> Outcome:
    """A server that renders pages asks for ten different ones with one token, each many times at once."""
    asked = [people.page(CLERK, number, limit=10) for number in range(10)]
    async with ground.rig() as rig:
        found = await rig.visit(Group("page", asked, ground.size.clerks, times=1), seconds=2 * ground.size.seconds)
    tally = found["page"]
    seen = f"{tally.statuses.get('200', 0)} answered with 200, the last after {took(tally)}"
    seen += f"; answers: {failures(found)}" if failures(found) else ""
    return Outcome(seen, "all 200", tally.only(200), figures(found))


async def _beside(ground: Ground, hog: Group) -> Outcome:
    """Measure another member and a clerk while the hog is at it."""
    size = ground.size
    async with ground.rig() as rig:
        await _beforehand(rig, _others(size.rows + 1, 1))
        async with rig.visiting(hog, seconds=2 * size.seconds) as visit:
            await asyncio.sleep(size.settling)
            others = await rig.visit(*_others(size.rows + 1, size.tries), seconds=size.seconds)
            hogs = await visit.stop()
    met = served(others, _PATIENCE)
    return Outcome(
        worst(others), f"each under {_PATIENCE} s, no 503", met, {"others": figures(others), "hog": figures(hogs)}
    )


def _others(number: int, times: int) -> list[Group]:
    """A member with customer `number`, who is asked of Directus each time, and a clerk."""
    return [
        Group("page", [people.page(NEIGHBOUR, limit=10)], times=times),
        Group("retrieve", [people.payment(NEIGHBOUR, number)], times=times),
        Group("POST", [people.setup_intent(NEIGHBOUR, number)], times=times),
        Group("clerk's page", [people.page(CLERK, limit=10)], times=times),
    ]


async def _beforehand(rig: Rig, groups: list[Group]) -> None:
    """Let the callers be remembered. Raises RuntimeError where they are not served even alone."""
    found = await rig.visit(*groups, seconds=30)
    if not served(found, 30):
        raise RuntimeError(f"alone, the others got {figures(found)}")


def _pages(stripe: StripeAccount, limit: str) -> int:
    """Count the pages of payments of this size that were asked for."""
    asked = [call for call in stripe.asked if call.method == "GET" and call.path == "/v1/payment_intents"]
    return sum(call.query.get("limit") == limit for call in asked)


async def _quiet(stripe: StripeAccount, size: Size) -> None:
    """Wait until nothing is asked any more; a service may go on for as long as it lets a request wait."""
    last = -1
    async with asyncio.timeout(30 + 3 * size.seconds):
        while last != len(stripe.asked):
            last = len(stripe.asked)
            await asyncio.sleep(1)
