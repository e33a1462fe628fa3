"""What `check` says about lists of items: their way to Directus, and Directus's limit."""

import pytest
from pydantic import SecretStr

from sidecar import opening
from sidecar.commands.check_items import item_lines
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User, full, grants

NO_SEARCH = faults.answer(405, "<html>", "text/html")


async def lines(directus: DirectusDouble) -> list[Line]:
    settings = Settings(
        directus_url=directus.url,
        directus_service_token=SecretStr("service"),
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
    )
    service = opening.service_credential(settings)
    assert service is not None
    async with opening.directus_session(settings) as session:
        client = opening.directus_client(settings, session)
        return [line async for line in item_lines(settings, client, service)]


@pytest.fixture(autouse=True)
def token(directus: DirectusDouble) -> None:
    directus.add_users([User("service", "service", grants(read=full("id", "stripe_customer_id")))])


@pytest.mark.parametrize("most", [None, 100, 1000])
async def test_nothing_special(directus: DirectusDouble, most: int | None) -> None:
    """A Directus that takes SEARCH and pages of a hundred items gives one line, after one question."""
    directus.limit_max = most

    [line] = await lines(directus)

    assert (line.word, "SEARCH" in line.text) == (Word.OK, True)
    assert len(directus.requests) == 1


@pytest.mark.parametrize("most", [1, 50])
async def test_a_low_limit(directus: DirectusDouble, most: int) -> None:
    """A low QUERY_LIMIT_MAX is found and named, though the collection is empty."""
    directus.limit_max = most

    way, limit = await lines(directus)

    assert (way.word, limit.word) == (Word.OK, Word.NOTE)
    assert f"at most {most} items" in limit.text
    assert "QUERY_LIMIT_MAX" in limit.text


async def test_no_search(directus: DirectusDouble) -> None:
    """A proxy without SEARCH is named, and what is done instead."""
    directus.fail(NO_SEARCH, when=lambda request: request.method == "SEARCH")

    [line] = await lines(directus)

    assert (line.word, "no SEARCH" in line.text, "GET" in line.text) == (Word.NOTE, True, True)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (NO_SEARCH, "let SEARCH or GET through"),
        (faults.reset_before_headers, "let SEARCH or GET through"),
        (faults.answer(200, "<html>", "text/html"), "status 200 with text/html"),
        (faults.answer(302, "<html>", "text/html"), "status 302 with text/html"),
        (faults.answer(403, '{"errors": [{"extensions": {"code": "FORBIDDEN"}}]}'), "FORBIDDEN"),
    ],
)
async def test_no_list_at_all(directus: DirectusDouble, fault: faults.Fault, text: str) -> None:
    """If no list can be read, that is a fault."""
    directus.fail(fault)

    [line] = await lines(directus)

    assert line.word is Word.FAULT
    assert text in line.text
