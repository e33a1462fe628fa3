"""Flows of a real Directus that a POST starts, and what they leave behind."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from deploy.demo.admin import DirectusAdmin
from tests.doubles.waiting import eventually

Operation = tuple[str, Mapping[str, object]]  # its type and its options
FAILING: Operation = ("throw-error", {"code": "BROKEN", "status": "500", "message": "the flow failed"})


@dataclass(frozen=True, slots=True)
class Diary:
    """A collection into which Flows write, one entry for each run."""

    admin: DirectusAdmin
    name: str

    def entry(self, text: str) -> Operation:
        """Give an operation that writes a text, in which `{{$trigger.body}}` is what started the Flow."""
        return "item-create", {"collection": self.name, "payload": {"text": text}, "permissions": "$full"}

    async def has(self, number: int) -> None:
        """Wait for entries of Flows that run in the background."""

        async def written() -> bool:
            return len(await self.entries()) >= number

        await eventually(written)

    async def entries(self) -> list[Any]:
        rows = await self.admin.request("GET", f"/items/{self.name}?sort=id&limit=-1")
        return [row["text"] for row in rows]


@asynccontextmanager
async def diary(admin: DirectusAdmin) -> AsyncIterator[Diary]:
    name = f"diary_{secrets.token_hex(4)}"
    fields = [
        {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}},
        {"field": "text", "type": "text", "schema": {}},
    ]
    await admin.request("POST", "/collections", {"collection": name, "schema": {}, "meta": {}, "fields": fields})
    try:
        yield Diary(admin, name)
    finally:
        await admin.request("DELETE", f"/collections/{name}")


async def make_flow(
    admin: DirectusAdmin,
    operations: Sequence[Operation],
    *,
    trigger: str = "webhook",
    status: str = "active",
    **options: object,
) -> str:
    """Create a Flow of operations in sequence and give its ID; the trigger is a POST unless `options` say otherwise."""
    made = {"name": "of a test", "trigger": trigger, "status": status, "options": {"method": "POST", **options}}
    flow = (await admin.request("POST", "/flows", made))["id"]
    following = None
    for number, (kind, values) in reversed(list(enumerate(operations))):
        operation = {"flow": flow, "name": kind, "key": f"step_{number}", "type": kind, "options": values}
        place = {"position_x": 20 * number, "position_y": 1, "resolve": following}
        following = (await admin.request("POST", "/operations", {**operation, **place}))["id"]
    await admin.request("PATCH", f"/flows/{flow}", {"operation": following})
    return str(flow)


@asynccontextmanager
async def webhook_flow(admin: DirectusAdmin, *operations: Operation, **how: Any) -> AsyncIterator[str]:  # noqa: ANN401 - as `make_flow` takes it
    """A Flow for one test, deleted at its end."""
    async with AsyncExitStack() as exits:
        flow = await make_flow(admin, operations, **how)
        exits.push_async_callback(admin.request, "DELETE", f"/flows/{flow}")
        yield flow
