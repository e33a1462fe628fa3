"""The sidecar's assumptions about Directus's Flows: what answers a POST, and what the Flow is told of it.

If a new version of Directus fails here, look at `clients.directus.flows` and the section on Flows in sidecar/README.md.
"""

from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import pytest

from deploy.demo.stack import Stack
from tests.integration.webhook_flows import FAILING, Diary, Operation, diary, webhook_flow

THROWING: Operation = ("exec", {"code": "module.exports = async function() { throw new Error('no') }"})
WORDS: Operation = ("exec", {"code": "module.exports = async function() { return 'a text' }"})
AS_CALLER: Operation = ("item-read", {"collection": "customers", "query": {"limit": 1}, "permissions": "$trigger"})


@pytest.fixture
async def book(stack: Stack) -> AsyncIterator[Diary]:
    async with diary(stack.admin) as made:
        yield made


async def start(stack: Stack, flow: str, token: str | None = None) -> tuple[int, str]:
    """Give status and content type; a success with a body is JSON."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(stack.directus.url, headers=headers) as session,
        session.post(f"/flows/trigger/{flow}", json={"object": {"id": "in_1"}}) as answer,
    ):
        return answer.status, answer.content_type if await answer.read() else ""


@pytest.mark.parametrize(
    ("last", "how", "answer"),
    [
        (None, {}, (200, "application/json")),
        (WORDS, {}, (200, "application/json")),
        (None, {"return": "nothing"}, (204, "")),
        (None, {"async": True}, (204, "")),
        (FAILING, {"error_on_reject": True}, (500, "application/json")),
        (THROWING, {"error_on_reject": True}, (500, "application/json")),
        (AS_CALLER, {"error_on_reject": True}, (403, "application/json")),
    ],
)
async def test_answers(
    stack: Stack, book: Diary, last: Operation | None, how: dict[str, object], answer: tuple[int, str]
) -> None:
    """A Flow that ends well, or in the background, is a success in JSON or without a body."""
    operations = [book.entry("ran"), *([last] if last else [])]
    async with webhook_flow(stack.admin, *operations, **how) as flow:
        assert await start(stack, flow) == answer
        await book.has(1)


@pytest.mark.parametrize("last", [FAILING, THROWING])
async def test_a_failure_is_hidden(stack: Stack, last: Operation) -> None:
    """Without `error_on_reject`, a Flow that fails answers as if it had not."""
    async with webhook_flow(stack.admin, last) as flow:
        assert (await start(stack, flow))[0] == 200


@pytest.mark.parametrize(
    "how",
    [{"status": "inactive"}, {"method": "GET"}, {"trigger": "manual", "collections": ["customers"]}, None],
)
async def test_flows_that_a_post_does_not_start(stack: Stack, book: Diary, how: dict[str, object] | None) -> None:
    """An inactive Flow, one that a GET or an editor starts, and one that does not exist are all a 403."""
    async with webhook_flow(stack.admin, book.entry("ran"), **(how or {})) as flow:
        assert await start(stack, str(uuid4()) if how is None else flow) == (403, "application/json")

    assert await book.entries() == []


async def test_a_token_reaches_the_operations(stack: Stack, book: Diary) -> None:
    """Whoever starts a Flow with a token gives it to all its operations, so the sidecar sends none."""
    token = stack.people["administrator"].token
    async with webhook_flow(stack.admin, book.entry("{{$trigger.headers.authorization}}")) as flow:
        await start(stack, flow, token)

    assert await book.entries() == [f"Bearer {token}"]
