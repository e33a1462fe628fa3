"""What `check` says of operations that are open to everybody."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar import opening
from sidecar.clients.http import open_session
from sidecar.commands.check_guests import guest_lines
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, Payload, full, grants, partial

PUBLIC = '[products.list]\ncollection = "shop"\npublic = true\n[prices.list]\ncollection = "shop"\n'


async def lines(directus: DirectusDouble, tmp_path: Path, text: str = PUBLIC, *, service: bool = False) -> list[Line]:
    file = tmp_path / "operations.toml"
    file.write_text(text)
    settings = Settings(
        directus_url=directus.url,
        directus_service_token=SecretStr("MARKED-service/+token") if service else None,
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
        stripe_operations=file,
    )
    async with open_session(total=5, connect=1, connections=1) as session:
        client = opening.directus_client(settings, session)
        return [line async for line in guest_lines(settings, client, opening.service_credential(settings))]


async def test_nothing_is_open(directus: DirectusDouble, tmp_path: Path) -> None:
    """Where no rule is public nothing is asked and nothing said."""
    assert await lines(directus, tmp_path, "") == []
    assert directus.requests == []


@pytest.mark.parametrize(
    ("public", "word"),
    [
        (grants("shop", read=full()), Word.OK),
        (grants("shop", read=partial()), Word.NOTE),
        (grants("shop", create=full()), Word.NOTE),
        ({}, Word.NOTE),
    ],
)
async def test_what_the_public_policy_grants(
    directus: DirectusDouble, tmp_path: Path, public: Payload, word: Word
) -> None:
    """Each public rule has a line; it is asked without a token."""
    directus.public.permissions = public

    [line] = await lines(directus, tmp_path)

    assert (line.word, "[products.list]" in line.text, '"read" on shop' in line.text) == (word, True, True)
    assert [request.values("Authorization") for request in directus.requests] == [[]]


async def test_a_public_policy_without_a_rule_beside_one_with(directus: DirectusDouble, tmp_path: Path) -> None:
    """O2: It sees whole access as the service does."""
    directus.public.permissions = grants("shop", read=partial())
    directus.users["MARKED-service/+token"].permissions = {
        f"directus_{name}": grants(read=full())["customers"] for name in directus.system
    }
    rule = {"collection": "shop", "action": "read", "permissions": None, "fields": ["*"]}
    directus.system["permissions"] = [{"id": 1, **rule, "policy": "everybodys"}]
    directus.system["policies"] = [{"id": "everybodys", "name": "everybody", "ip_access": None}]
    directus.system["access"] = [{"id": "a", "policy": "everybodys", "role": None, "user": None}]

    [line] = await lines(directus, tmp_path, service=True)

    assert line.word is Word.OK


async def test_directus_does_not_answer(directus: DirectusDouble, tmp_path: Path) -> None:
    """A Directus that does not say what everybody may do is a fault."""
    directus.fail(faults.answer(503, "{}"))

    [line] = await lines(directus, tmp_path)

    assert line.word is Word.FAULT
