"""What Stripe answered is given again for a moment, without secrets, and never past a change."""

import asyncio
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path

import orjson
import pytest

from sidecar.clients.changes import Alone, Changes
from sidecar.clients.stripe.recent_answers import RecentAnswers
from sidecar.clients.stripe.skim import skimmed
from sidecar.core.pages import Page
from sidecar.core.views import View
from sidecar.metrics import Metrics
from sidecar.web.answers.rendering import render_page
from tests.doubles.changes import ChangesElsewhere
from tests.doubles.virtual_time import in_virtual_time

FIXTURES = Path(__file__).parents[4] / "deploy" / "stripe_stand_in" / "fixtures.json"
SECRET = "pi_1_secret_MARKED"
FULL = View(everything=True, customer_ids=True)


def page_of(*ids: str, secret: str | None = None, more: bool = False) -> Page:
    hidden = {} if secret is None else {"client_secret": secret}
    data = [{"id": one, "object": "payment_intent", "created": 1, **hidden, "note": "x"} for one in ids]
    page = skimmed(orjson.dumps({"object": "list", "data": data, "has_more": more, "url": "/v1/x"}))
    assert page is not None
    return page


def answers(seconds: float = 5, changes: Changes | None = None, most: int = 2**20) -> RecentAnswers:
    return RecentAnswers(seconds, changes or Alone(), Metrics(), most=most)


async def ids(recent: RecentAnswers, key: str = "key", *, secrets: bool = False) -> list[str | None] | None:
    found = await recent.page(key, secrets=secrets)
    return None if found is None else [entry.id for entry in found.page.listed]


@in_virtual_time
async def test_until_the_time() -> None:
    """A page is given until its seconds are over, counted from when Stripe was asked, with its age; then it is gone."""
    recent = answers()
    await asyncio.sleep(10)
    recent.keep_page("key", page_of("pi_1"), 8.0)

    found = await recent.page("key", secrets=False)
    await asyncio.sleep(2.9)
    late = await recent.page("key", secrets=False)
    await asyncio.sleep(0.2)

    assert (found and found.age, late and round(late.age, 1)) == (2.0, 4.9)
    assert await recent.page("key", secrets=False) is None
    assert recent.size == 0


@in_virtual_time
async def test_it_does_not_stay_in_memory() -> None:
    """What is over is let go without anybody asking for it."""
    recent = answers()
    recent.keep_page("key", page_of("pi_1"), 0.0)
    held = recent._answers

    await asyncio.sleep(5.1)

    assert dict.__len__(held._Cache__data) == 0  # type: ignore[attr-defined]  # as it is, without asking it to expire


@in_virtual_time
async def test_what_was_answered_later_counts() -> None:
    """An answer to an earlier question that comes later does not replace a newer one; a newer one does."""
    recent = answers()
    await asyncio.sleep(2)
    given = []
    for began, one in ((1.0, "pi_1"), (0.5, "pi_0"), (1.5, "pi_2")):
        recent.keep_page("key", page_of(one), began)
        given.append(await ids(recent))

    assert given == [["pi_1"], ["pi_1"], ["pi_2"]]


@pytest.mark.parametrize("began", [3.0, 2.9])
@in_virtual_time
async def test_not_past_a_change(began: float) -> None:
    """C7: what Stripe was asked for before a change, or at its very moment, is not given, also if it comes later."""
    recent = answers()
    recent.keep_page("before", page_of("pi_1"), 0.0)
    await asyncio.sleep(3)

    recent.forget()
    recent.keep_page("during", page_of("pi_2"), began)
    recent.keep_object("object", {"id": "pi_2", "object": "payment_intent"}, began)
    recent.keep_page("after", page_of("pi_3"), 3.1)

    assert [await ids(recent, key) for key in ("before", "during", "after")] == [None, None, ["pi_3"]]
    assert await recent.object("object", secrets=False) is None


@in_virtual_time
async def test_a_change_at_another_replica() -> None:
    """Each time it is asked whether any replica told of a change since; where nobody knows, it is not given."""
    changes = ChangesElsewhere()
    recent = answers(60, changes)
    await asyncio.sleep(1)
    recent.keep_page("key", page_of("pi_1"), 0.5)
    recent.keep_page("other", page_of("pi_2"), 0.6)

    assert (await ids(recent), changes.looks) == (["pi_1"], [0.5])
    await changes.tell()
    assert await ids(recent) is None
    changes.last = float("-inf")
    assert (await ids(recent), await ids(recent, "other")) == (None, ["pi_2"])
    changes.known = False
    assert await ids(recent, "other") is None


@in_virtual_time
async def test_who_shows_secrets() -> None:
    """A request that shows secrets has only what had none."""
    recent = answers()
    recent.keep_page("with", page_of("pi_1", secret=SECRET), 0.0)
    recent.keep_page("without", page_of("pi_2"), 0.0)
    recent.keep_object("one", {"id": "pi_1", "object": "payment_intent", "client_secret": SECRET}, 0.0)
    recent.keep_object("two", {"id": "pi_2", "object": "payment_intent"}, 0.0)

    assert [await ids(recent, key, secrets=True) for key in ("with", "without")] == [None, ["pi_2"]]
    assert [await ids(recent, key) for key in ("with", "without")] == [["pi_1"], ["pi_2"]]
    found = [await recent.object(key, secrets=secrets) for key in ("one", "two") for secrets in (False, True)]
    assert [one and one.object for one in found] == [
        {"id": "pi_1", "object": "payment_intent"},
        None,
        {"id": "pi_2", "object": "payment_intent"},
        {"id": "pi_2", "object": "payment_intent"},
    ]


def held(value: object) -> Iterator[object]:
    """Give all that an object refers to, and what that refers to."""
    yield value
    if isinstance(value, dict):
        inner: Iterator[object] = iter([*value, *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        inner = iter(value)
    elif isinstance(value, Page):
        inner = iter([getattr(value, name) for name in Page.__slots__])
    elif is_dataclass(value):
        inner = iter([getattr(value, field.name) for field in fields(value)])
    else:
        inner = iter(())
    for one in inner:
        yield from held(one)


@in_virtual_time
async def test_no_secret_is_held() -> None:
    """S1: whatever was remembered, looked into and written, no secret is in memory."""
    recent = answers()
    escaped = Page([{"id": "pi_9", "object": "payment_intent", "note": f"\\u00e9 {SECRET}"}], more=True)
    recent.keep_page("page", page_of("pi_1", secret=SECRET), 0.0)
    recent.keep_page("parsed", escaped, 0.0)
    recent.keep_object("one", {"id": "pi_1", "object": "payment_intent", "a": [{"b": {"c": SECRET}}]}, 0.0)
    for key in ("page", "parsed"):
        found = await recent.page(key, secrets=False)
        assert found is not None
        assert found.page.data
        for view in (FULL, View(attributes=frozenset({"note"}))):
            assert b"pi_" in render_page(found.page, view)

    everything = list(held(dict(recent._answers.items())))

    assert sum(isinstance(one, bytes) and b"pi_1" in one for one in everything) >= 3
    assert not [one for one in everything if "MARKED" in repr(one)]


@in_virtual_time
async def test_written_once_for_equal_views() -> None:
    """What was written of a page is given to the next with an equal view, and counts in bytes until it is forgotten."""
    recent = answers()
    recent.keep_page("key", page_of("pi_1", secret=SECRET), 0.0)
    first = await recent.page("key", secrets=False)
    assert first is not None
    before = recent.size

    written = render_page(first.page, FULL)
    second = await recent.page("key", secrets=False)

    assert second is not None
    assert second.page is not first.page
    assert second.page.renderings.get((FULL, "page")) is written
    assert recent.size >= before + len(written)
    recent.forget()
    render_page(first.page, View())
    assert recent.size == 0


@in_virtual_time
async def test_bounded_by_bytes() -> None:
    """F5: all together take no more than their bytes: what was not used for longest goes first."""
    recent = answers(most=40_000)
    for number in range(40):
        recent.keep_page(str(number), page_of("pi_1"), 0.0)
        assert await ids(recent, "0") == ["pi_1"]
        assert recent.size <= 40_000

    there = [await ids(recent, str(number)) is not None for number in range(40)]
    assert (there[0], there[1], there[-1]) == (True, False, True)
    assert 10 <= sum(there) < 40


@in_virtual_time
async def test_what_was_asked_for_counts() -> None:
    """F5: long parameters take their bytes too."""
    recent = answers()
    recent.keep_object("short", {}, 0.0)
    before = recent.size

    recent.keep_object("x" * 10_000, {}, 0.0)

    assert recent.size > before + 10_000


@in_virtual_time
async def test_a_large_answer_is_not_remembered() -> None:
    """F5: one answer takes an eighth at most, so that it does not push out all others."""
    recent = answers(most=80_000)
    recent.keep_object("small", {"id": "x", "note": "x" * 7_000}, 0.0)
    recent.keep_object("large", {"id": "x", "note": "x" * 9_000}, 0.0)

    assert [await recent.object(key, secrets=False) is not None for key in ("small", "large")] == [True, False]


@pytest.mark.parametrize("kind", ["payment_intent", "customer"])
@in_virtual_time
async def test_they_take_what_is_counted(kind: str) -> None:
    """F5: pages and what is written of them take little more memory than the bytes that are counted."""
    value = json.loads(FIXTURES.read_text())[kind]
    raw = json.dumps({"object": "list", "data": [value] * 100, "has_more": True}, indent=2).encode()
    small = json.dumps({"object": "list", "data": [value], "has_more": True}).encode()
    recent = answers(most=2**25)

    tracemalloc.start()
    try:
        for number in range(30):
            for key, text in ((("large", number), raw), (("small", number), small)):
                page = skimmed(bytes(bytearray(text)))
                assert page is not None
                recent.keep_page(key, page, 0.0)
                found = await recent.page(key, secrets=False)
                assert found is not None
                render_page(found.page, View(attributes=frozenset({"metadata"})))
        del page, found
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken <= 1.1 * recent.size


@pytest.mark.parametrize("odd", [[{"id": 5}], [{"id": "x", "note": partial}], [{"created": "now"}]])
@in_virtual_time
async def test_what_is_not_as_usual(odd: list[dict[str, object]]) -> None:
    """What cannot be copied is not remembered, and is no error."""
    recent = answers()

    recent.keep_page("key", Page(odd, more=False), 0.0)
    recent.keep_object("one", {"note": partial}, 0.0)

    assert await recent.page("key", secrets=False) is None
    assert await recent.object("one", secrets=False) is None


@in_virtual_time
async def test_counted() -> None:
    """The metrics say how often Stripe was asked, how often not, and how many bytes there are."""
    metrics = Metrics()
    recent = RecentAnswers(5, Alone(), metrics)
    recent.keep_page("key", page_of("pi_1"), 0.0)

    for key in ("key", "key", "other"):
        await ids(recent, key)

    lines = metrics.exposition().decode().splitlines()
    assert 'sidecar_stripe_reads_total{answer="remembered"} 2.0' in lines
    assert 'sidecar_stripe_reads_total{answer="asked"} 1.0' in lines
    assert f"sidecar_remembered_bytes {float(recent.size)}" in lines
