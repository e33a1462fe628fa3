"""What `check` says about fields that STRIPE_OPERATIONS names."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.clients.directus.client import DirectusAnswer
from sidecar.commands.check_fields import field_lines
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Permissions
from sidecar.settings import Settings

FAULT = Line(Word.FAULT, "STRIPE_OPERATIONS: [refunds.create]: fields: returns has no field stat; did you mean state?")
WHOLE = {"access": "full", "fields": ["*"]}
KEY_ALONE = {"access": "partial", "fields": ["id"]}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "operations.toml"
    file.write_text("[refunds.create]\ncollection = 'returns'\nfields = { stat = 'status', id = 'id' }\n")
    return Settings(
        directus_url="http://127.0.0.1:1",
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
        stripe_operations=file,
    )


async def asked(settings: Settings, grant: object, answer: DirectusAnswer) -> tuple[list[Line], list[str]]:
    """Give the lines, and the requested paths."""
    paths = []

    async def ask(path: str, _address: str | None) -> DirectusAnswer:
        paths.append(path)
        return answer

    payload = {"returns": {"read": grant}}
    permissions = Permissions.from_directus(payload, payload)
    return [line async for line in field_lines(settings, permissions, ask)], paths


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ([{"field": "id"}, {"field": "state"}], [FAULT]),
        ([{"field": "id"}, {"field": "stat"}], []),
        ([], []),
        (None, []),
    ],
    ids=["another", "there", "none shown", "no answer"],
)
async def test_a_field_that_is_not_there(settings: Settings, fields: object, lines: list[Line]) -> None:
    """A field that the collection lacks is one fault; if Directus shows no fields, nothing is reported."""
    answer = (
        DirectusAnswer(200, {"data": fields}, None, None)
        if fields is not None
        else DirectusAnswer(403, {"errors": []}, "FORBIDDEN", None)
    )

    assert await asked(settings, WHOLE, answer) == (lines, ["/fields/returns"])


async def test_a_token_that_sees_some_fields_cannot_tell(settings: Settings) -> None:
    """Directus shows a token only the fields that it may read, so `check` neither asks nor reports."""
    assert await asked(settings, KEY_ALONE, DirectusAnswer(200, {"data": [{"field": "id"}]}, None, None)) == ([], [])
