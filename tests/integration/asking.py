"""Requests to the sidecar as its callers send them: directly and through nginx, with a token in each possible place."""

import json
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from aiohttp import web

from deploy.demo.admin import SESSION_COOKIE
from deploy.demo.stack import Stack, StripeRequest
from sidecar.app import create_app
from sidecar.core.operations.table import OPERATIONS
from sidecar.settings import Settings
from sidecar.web.server.runner import Runner
from tests.doubles.wire import Answer, exchange, request_bytes

Headers = Sequence[tuple[str, str]]


class Carried(StrEnum):
    """The token's place in the request."""

    HEADER = "header"
    QUERY = "query"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Question:
    """One operation; `customer` is the name of the customer in its path, if it has one."""

    operation: str
    customer: str = ""


QUESTIONS = (
    Question("payments.list"),
    Question("payments.list_for_customer", "Ada Lovelace"),
    Question("payments.list_for_customer", "Grace Hopper"),
    Question("customers.list"),
    Question("customers.retrieve", "Ada Lovelace"),
    Question("customers.retrieve", "Grace Hopper"),
    Question("customers.create"),
)


async def ask(
    url: str,
    target: str,
    token: str | None = None,
    *,
    carried: Carried = Carried.HEADER,
    new: Mapping[str, object] | None = None,
    method: str | None = None,
    headers: Headers = (),
    source: str = "127.0.0.1",
) -> Answer:
    """GET `target` from the server at `url`, or POST `new` to it, or use `method`; `source` is the client's address."""
    target, headers = _carrying(target, token, carried, headers)
    body = None if new is None else json.dumps(new).encode()
    if body is not None:
        headers = [*headers, ("Content-Type", "application/json")]
    method = method or ("GET" if body is None else "POST")
    port = urlsplit(url).port
    assert port is not None
    return await exchange(port, request_bytes(method, target, headers, body), source=source)


def target_of(stack: Stack, question: Question) -> str:
    [path] = [operation.path for operation in OPERATIONS if operation.name == question.operation]
    return "/stripe" + path.replace("{customer_id}", stack.customers.get(question.customer, ""))


def body_of(question: Question, who: str) -> dict[str, object] | None:
    return {"email": f"{who}@example.com"} if question.operation.endswith(".create") else None


def new_request_id() -> str:
    """Make an ID that the sidecar passes on to both upstreams, so that a test can find its own requests."""
    return f"test-{secrets.token_hex(8)}"


def verdict(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.code


def asked_for(requests: Iterable[StripeRequest]) -> set[str | None]:
    """Give the IDs of the requests for which Stripe was asked, each perhaps for several pages, or None for a probe."""
    return {request.headers.get("x-request-id") for request in requests}


def id_of(answer: Answer) -> str | None:
    """Give the ID that an answer has, which its requests to Stripe have too."""
    return answer.header("X-Request-Id")


def unmarked(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """Give an answer without its date and ID, which differ between any two answers."""
    kept = [(name, value) for name, value in answer.headers if name.lower() not in {"date", "x-request-id"}]
    return answer.status, kept, answer.body


async def metric(url: str, series: str) -> float:
    """Read one series, with its labels, from the sidecar at `url`."""
    text = (await ask(url, "/metrics")).body.decode()
    [value] = re.findall(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(value)


@asynccontextmanager
async def served(variables: Mapping[str, str]) -> AsyncIterator[str]:
    """Run the application in this process with settings named as in the environment; give its URL."""
    settings = Settings.model_validate({name.lower(): value for name, value in variables.items() if value})
    runner = Runner(create_app(settings), shutdown_timeout=0.2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _carrying(target: str, token: str | None, carried: Carried, headers: Headers) -> tuple[str, Headers]:
    if token is None:
        return target, headers
    match carried:
        case Carried.HEADER:
            return target, [*headers, ("Authorization", f"Bearer {token}")]
        case Carried.QUERY:
            return f"{target}{'&' if '?' in target else '?'}access_token={token}", headers
        case Carried.COOKIE:
            return target, [*headers, ("Cookie", f"{SESSION_COOKIE}={token}")]
