"""What `check` says of operations that are open to everybody."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar import opening
from sidecar.clients.http import open_session
from sidecar.commands.check_guests import guest_lines
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings
from tests.doubles.directus import DirectusDouble
from tests.doubles.everybody import publish, reader
from tests.doubles.running_app import SERVICE_TOKEN

PUBLIC = '[products.list]\ncollection = "shop"\npublic = true\n[prices.list]\ncollection = "shop"\n'


async def lines(directus: DirectusDouble, tmp_path: Path, text: str = PUBLIC) -> list[Line]:
    file = tmp_path / "operations.toml"
    file.write_text(text)
    settings = Settings(
        directus_url=directus.url,
        directus_service_token=SecretStr(SERVICE_TOKEN),
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
        stripe_operations=file,
    )
    service = opening.service_credential(settings)
    assert service is not None
    async with open_session(total=5, connect=1, connections=3) as session:
        client = opening.directus_client(settings, session)
        return [line async for line in guest_lines(settings, client, service)]


async def test_nothing_is_open(directus: DirectusDouble, tmp_path: Path) -> None:
    """Where no rule is public nothing is asked and nothing said."""
    assert await lines(directus, tmp_path, "") == []
    assert directus.requests == []


@pytest.mark.parametrize(
    ("published", "word", "said"),
    [
        (lambda directus: publish(directus, "shop"), Word.OK, "open to everybody"),
        (lambda directus: publish(directus, "shop", ip_access=["192.0.2.1"]), Word.OK, "open at some addresses"),
        (lambda directus: publish(directus, "shop", item={"id": {"_eq": 1}}), Word.FAULT, "for every item"),
        (lambda directus: publish(directus, "shop", "create"), Word.FAULT, "for every item"),
        (lambda _: None, Word.FAULT, "for every item"),
    ],
)
async def test_what_the_public_policy_grants(
    directus: DirectusDouble, tmp_path: Path, published: Callable[[DirectusDouble], object], word: Word, said: str
) -> None:
    """Each public rule has a line, which says what is missing."""
    directus.add_users([reader()])
    published(directus)

    [line] = await lines(directus, tmp_path)

    assert line.word is word
    assert "[products.list]" in line.text
    assert said in line.text
    assert '"read" on shop' in line.text


async def test_a_token_that_may_not_read_policies(directus: DirectusDouble, tmp_path: Path) -> None:
    """What cannot be told is a fault, which says what mends it."""
    [line] = await lines(directus, tmp_path)

    assert line.word is Word.FAULT
    assert "run `provision`" in line.text
