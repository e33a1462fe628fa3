"""The documents' Flow on a real Directus: a new item gets its customer."""

import json
from typing import Any

from deploy.demo.admin import DirectusAdmin, Rule
from deploy.demo.stack import Stack
from tests.documents.pages import SIDECAR, block_after
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually
from tests.integration.asking import served
from tests.integration.conftest import Newcomer
from tests.integration.test_access_write_back import settings_of

PROGRAM = (
    Rule("customers", "create", ("name", "email")),
    Rule("customers", "read", ("id", "stripe_customer_id")),
    Rule("customers", "update", ("email",)),
)


def documented() -> dict[str, Any]:
    """Give the Flow in sidecar/README.md."""
    flow: dict[str, Any] = json.loads(block_after(SIDECAR, "flow"))
    return flow


async def install(admin: DirectusAdmin, url: str, token: str) -> str:
    """Create the Flow as the app does: its operations in sequence, each naming the next."""
    given = documented()
    flow = (await admin.request("POST", "/flows", {**given["flow"], "status": "active"}))["id"]
    following = None
    for number, operation in reversed(list(enumerate(given["operations"]))):
        options = json.loads(
            json.dumps(operation["options"])
            .replace("http://sidecar:8080", url)
            .replace("THE-USERS-STATIC-TOKEN", token)
        )
        made = {**operation, "options": options, "flow": flow, "name": operation["key"], "resolve": following}
        place = {"position_x": 20 * number, "position_y": 1}
        following = (await admin.request("POST", "/operations", {**made, **place}))["id"]
    await admin.request("PATCH", f"/flows/{flow}", {"operation": following})
    return str(flow)


async def test_a_new_item_gets_its_customer(stack: Stack, stripe: StripeDouble, newcomer: Newcomer) -> None:
    """An item that is created in Directus names its Stripe customer a moment later."""
    program = await newcomer(*PROGRAM)
    async with served(settings_of(stack, stripe)) as url:
        flow = await install(stack.admin, url, program.token)

        item = (await stack.admin.request("POST", "/items/customers", {"email": "o'brien+a@example.com"}))["id"]

        async def has_customer() -> bool:
            row = await stack.admin.request("GET", f"/items/customers/{item}?fields=stripe_customer_id")
            return row["stripe_customer_id"] is not None

        try:
            await eventually(has_customer)
        finally:
            await stack.admin.request("DELETE", f"/flows/{flow}")
            await stack.admin.request("DELETE", f"/items/customers/{item}")
    [customer] = stripe.customers
    assert customer["email"] == "o'brien+a@example.com"
