"""Rows in which one caller makes the service do much: calls to Stripe, questions to Directus, memory, purges."""

import asyncio
import statistics
from collections.abc import Mapping

from tests.benchmarks.fair import people
from tests.benchmarks.fair.account import object_id, worst_second
from tests.benchmarks.fair.machine import most_memory
from tests.benchmarks.fair.outcome import Outcome, failures, figures, seconds, took
from tests.benchmarks.fair.people import MEMBER, NEIGHBOUR, OWNER, READER, STRANGER
from tests.benchmarks.fair.plan import Group, Request, Tally
from tests.benchmarks.fair.real import edit, editor, owner_of
from tests.benchmarks.fair.rig import Ground, Rig
from tests.doubles.waiting import eventually

_MEMORY = 200  # MB
_POSTS = 40  # a second, for one caller
_ACCOUNT = 80  # calls a second: STRIPE_ACCOUNT_RPS with a live key
_STRIPE = 100  # calls a second that Stripe allows in live mode
_QUESTIONS = 10
_POSTING, _AT_ONCE = 10.0, 40
_EDITING = 5.0  # seconds for all edits of a profile
_PURGES = 6  # one a second, and one at the end
_SETTLING = 2.0  # seconds: the last purge comes one after the last change


async def endless_posts(ground: Ground) -> Outcome:
    """Directus answers at once, so that Stripe alone could hold the caller back."""
    size, number = ground.size, ground.size.rows
    longest = min(_POSTING, size.seconds)
    post = Group("posts", [people.setup_intent(MEMBER, number)], _AT_ONCE)
    async with ground.rig(question=0) as rig:
        async with rig.visiting(post, seconds=longest) as visit:
            other = Group("POST", [people.setup_intent(NEIGHBOUR, number + 1)], times=size.tries)
            others = await rig.visit(other, seconds=longest)
            hog = await visit.ended()
        posts = [call for call in rig.stripe.asked if call.method == "POST"]
    mean, worst = len(posts) / longest, worst_second(posts)
    seen = f"{mean:.0f} a second at Stripe, {worst} in the worst; another's POST {took(others['POST'])}"
    must = f"at most {_POSTS} a second, never more than {_ACCOUNT}"
    met = mean <= _POSTS and worst <= _ACCOUNT
    return Outcome(seen, must, met, {**figures(hog), "others": figures(others), "mean": mean, "worst_second": worst})


async def without_rows(ground: Ground) -> Outcome:
    """A caller whose permissions cover its own rows, of which there are none, asks for objects of others."""
    asked = [
        people.payment(STRANGER, 3),
        people.post(f"/stripe/payment_intents/{object_id('pi', 4)}/cancel", STRANGER),
        Request(f"/stripe/subscriptions/{object_id('sub', 5)}", STRANGER, "DELETE"),
        people.post("/stripe/refunds", STRANGER, payment_intent=object_id("pi", 6)),
    ]
    longest = min(_EDITING, ground.size.seconds)
    async with ground.rig(question=0) as rig:
        found = await rig.visit(Group("strange", asked, ground.size.fewer), seconds=longest)
        calls = len(rig.stripe.asked)
    tally = found["strange"]
    refused = len(tally.seconds) > 0 and set(tally.statuses) <= {"401", "429"}
    seen = f"{calls} Stripe calls for {tally.sent} requests ({calls / longest:.0f} a second)"
    seen += "" if refused else _failed(found)
    return Outcome(seen, "none", refused and calls == 0, {**figures(found), "calls": calls})


async def many_rows(ground: Ground) -> Outcome:
    """The caller's rows name 200 customers. Stripe answers at once, so that nothing but the service sets the pace."""
    async with ground.rig(payments=ground.size.rows, page=0) as rig:
        asked = Request("/stripe/customers?limit=1", OWNER)
        found = await rig.visit(Group("page", [asked], times=1), seconds=30)
        calls = rig.stripe.asked
    worst = worst_second(calls)
    seen = f"{len(calls)} Stripe calls, {worst} in the worst second; "
    seen += f"answered after {took(found['page'])}{_failed(found)}"
    must = f"at most {_STRIPE} in any second, which is Stripe's limit"
    met = worst <= _STRIPE and found["page"].only(200)
    return Outcome(seen, must, met, {**figures(found), "calls": len(calls), "worst_second": worst})


async def which_customer(ground: Ground) -> Outcome:
    """The same caller at a real Directus, whose permissions are remembered, does not say for which of its customers."""
    assert ground.stack is not None
    async with owner_of(ground.stack, ground.size.rows) as owner, ground.rig_on_directus() as rig:
        first = people.post("/stripe/customers", owner.token, email="ada@example.com")  # refused: it may not create
        await rig.visit(Group("first", [first], times=1), seconds=30)
        before = await _questions(rig)
        found = await rig.visit(Group("POST", [people.setup_intent(owner.token, None)], times=1), seconds=30)
        questions = round(await _questions(rig) - before)
    tally = found["POST"]
    seen = f"{questions} questions to Directus, answered {failures(found) or '201'} after {took(tally)}"
    met = questions <= _QUESTIONS and tally.only(400)
    return Outcome(seen, f"at most {_QUESTIONS}", met, {**figures(found), "questions": questions})


async def heavy_pages(ground: Ground) -> Outcome:
    """Each of the caller's 200 customers has 100 payments of some 2.5 KB."""
    size = ground.size
    async with ground.rig(payments=100 * (size.rows + 2)) as rig:
        found = await rig.visit(Group("page", [people.page(OWNER)], 3, times=1), seconds=2 * size.seconds)
        memory = most_memory(rig.sidecar.process.pid)
    seen = f"{memory:.0f} MB in all; answered after {took(found['page'])}{_failed(found)}"
    met = memory < _MEMORY and "200" in found["page"].statuses
    return Outcome(seen, f"under {_MEMORY} MB in all", met, {**figures(found), "MB": memory})


async def slow_readers(ground: Ground) -> Outcome:
    """Each reads a list of its own, some kilobytes a second."""
    size = ground.size
    asked = [people.since(READER, number) for number in range(size.slow_readers)]
    async with ground.rig() as rig:
        found = await rig.visit(Group("lists", asked, len(asked), reads_every=1.0), seconds=3 * size.seconds)
        memory = most_memory(rig.sidecar.process.pid)
    must = f"bounded by bytes: under {_MEMORY} MB"
    return Outcome(f"{memory:.0f} MB in all{_failed(found)}", must, memory < _MEMORY, {**figures(found), "MB": memory})


async def own_profile(ground: Ground) -> Outcome:
    """A user of a real Directus changes its own name again and again, while the service hears of changes."""
    assert ground.stack is not None
    stack, size = ground.stack, ground.size
    async with editor(stack) as user, ground.rig_on_directus(DIRECTUS_REALTIME="true") as rig:
        await eventually(lambda: _hears(rig))
        page = people.page(stack.people["clerk"].token)
        await rig.visit(Group("page", [page], times=1), seconds=10)
        before, asked_before = await rig.metric("sidecar_purges_total"), await _questions(rig)
        async with rig.visiting(Group("page", [page]), seconds=60) as visit:
            await edit(stack, user, size.edits, min(_EDITING, size.seconds))
            await asyncio.sleep(_SETTLING)
            found = await visit.stop()
        purges = round(await rig.metric("sidecar_purges_total") - before)
        asked = round(await _questions(rig) - asked_before)
    typical = statistics.median(found["page"].seconds or found["page"].waiting)
    seen = f"{purges} purges of everybody; another's pages cost {asked} questions to Directus and took "
    seen += f"{seconds(typical)}, at most {took(found['page'])}{_failed(found)}"
    met = purges <= _PURGES and not _failed(found)
    return Outcome(seen, f"coalesced: at most {_PURGES}", met, {**figures(found), "purges": purges, "questions": asked})


async def _hears(rig: Rig) -> bool:
    return await rig.metric("sidecar_feed_connected") == 1


async def _questions(rig: Rig) -> float:
    return await rig.metric("sidecar_upstream_seconds_count", 'upstream="directus"')


def _failed(found: Mapping[str, Tally]) -> str:
    failed = failures(found)
    return f"; answers: {failed}" if failed else ""
