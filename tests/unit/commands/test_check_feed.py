"""Whether the service would hear of changes in Directus, as `check` sees it against a faulty Directus."""

import pytest
from pydantic import SecretStr

from sidecar.clients.directus.change_feed import COLLECTIONS
from sidecar.commands.check_feed import feed_lines
from sidecar.commands.lines import Word
from sidecar.core.access.permissions import Permissions
from sidecar.settings import Settings

ON = {"websocket": {"rest": {"authentication": "handshake", "path": "/websocket"}}}
SETTINGS = Settings(
    directus_url="http://127.0.0.1:1",
    directus_service_token=SecretStr("service"),
    directus_realtime=True,
    directus_timeout=0.05,
    stripe_live_secret_key=SecretStr("rk_test_x"),
    stripe_customers_collection="customers",
)


def permissions(access: str = "full", field: str = "id") -> Permissions:
    """Give the same answer for each collection of the feed."""
    payload = {name: {"read": {"access": access, "fields": [field]}} for name in COLLECTIONS}
    return Permissions.from_directus(payload, payload)


async def found(granted: Permissions, info: object) -> list[tuple[Word, str]]:
    return [(line.word, line.text) async for line in feed_lines(SETTINGS, granted, info)]


@pytest.mark.parametrize("granted", [permissions("none"), permissions("partial"), permissions(field="name")])
async def test_rights_that_are_not_enough(granted: Permissions) -> None:
    """A right to fewer than all IDs is a fault: changes of the other items would not be heard."""
    [(word, text)] = await found(granted, ON)

    assert word is Word.FAULT
    assert ", ".join(COLLECTIONS) in text


@pytest.mark.parametrize(
    ("info", "setting"),
    [({"websocket": False}, "WEBSOCKETS_ENABLED"), ({"websocket": {"rest": False}}, "WEBSOCKETS_REST_ENABLED")],
)
async def test_websockets_that_are_off(info: object, setting: str) -> None:
    """WebSockets that Directus says are off are a fault that names their setting, next to a fault of the rights."""
    alone, both = await found(permissions(), info), await found(permissions("none"), info)

    [(word, text)] = alone
    assert word is Word.FAULT
    assert setting in text
    assert len(both) == 2


@pytest.mark.parametrize("info", [ON, {}, None])
async def test_a_feed_that_cannot_be_followed(info: object) -> None:
    """If nothing else is wrong, the feed is tried; a feed that admits nobody is a fault within its time limit."""
    [(word, text)] = await found(permissions(), info)

    assert word is Word.FAULT
    assert "proxies" in text
