"""What `check` says about caches: Directus's own, and one in between."""

import pytest
from pydantic import SecretStr

from sidecar import opening
from sidecar.commands.check_cache import cache_lines
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble


async def lines(directus: DirectusDouble) -> list[Line]:
    settings = Settings(
        directus_url=directus.url,
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
    )
    async with opening.directus_session(settings) as session:
        return [line async for line in cache_lines(settings, session)]


async def test_no_cache(directus: DirectusDouble) -> None:
    """A Directus without CACHE_ENABLED, or with CACHE_AUTO_PURGE, gives one line."""
    directus.caches = False

    assert [line.word for line in await lines(directus)] == [Word.OK]


async def test_a_directus_that_keeps_answers(directus: DirectusDouble) -> None:
    """A Directus with CACHE_ENABLED and without CACHE_AUTO_PURGE is named, with what to set; we are not fooled."""
    own, others = await lines(directus)

    assert (own.word, others.word) == (Word.OK, Word.NOTE)
    assert "300 s" in others.text
    assert "set CACHE_AUTO_PURGE=true" in others.text


async def test_a_directus_that_keeps_exports_too(directus: DirectusDouble) -> None:
    """If an answer in the form that the service asks for may be kept, that is a fault."""
    directus.fail(faults.answer(200, '{"data": {}}', Cache_Control="max-age=60"), when=lambda one: "info" in one.path)

    own, _ = await lines(directus)

    assert (own.word, "CACHE_AUTO_PURGE=true" in own.text) == (Word.FAULT, True)


async def test_a_cache_in_between(directus: DirectusDouble) -> None:
    """If two questions that nobody asked before get one answer, a cache in between is at fault."""
    directus.fail(faults.answer(200, '{"data": "always the same"}'), when=lambda one: "random" in one.path)

    own, _ = await lines(directus)

    assert (own.word, "between here and Directus" in own.text) == (Word.FAULT, True)


@pytest.mark.parametrize("fault", [faults.answer(403, '{"errors": []}'), faults.answer(404, "<html>", "text/html")])
async def test_a_route_that_is_not_let_through(directus: DirectusDouble, fault: faults.Fault) -> None:
    """An answer that is no text of Directus's says nothing about a cache."""
    directus.fail(fault, when=lambda one: "random" in one.path)

    assert [line.word for line in await lines(directus)] == [Word.OK, Word.NOTE]


async def test_directus_stops_answering(directus: DirectusDouble) -> None:
    """Without answers there is nothing to say."""
    directus.fail(faults.reset_before_headers)

    assert await lines(directus) == []
