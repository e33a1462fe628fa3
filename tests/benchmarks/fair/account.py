"""A Stripe that takes 60 ms for each call, notes when each came, and refuses updates of a subscription on demand.

It limits nothing: what Stripe would refuse (docs.stripe.com/rate-limits) is counted, not answered with a 429.
IDs contain a number; whose an object is follows from it: customer number n % `owners`.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl

from tests.benchmarks.upstream import TEMPLATES, Answer, Answering, Connection, Objects, Received

# What Stripe's example leaves empty and a shop's payments have, so that an object has its usual 2.5 KB.
_PAYMENT = {
    "description": "Order 2026-11-30/4711, two items, delivered by parcel service",
    "receipt_email": "ada.lovelace@example.com",
    "statement_descriptor_suffix": "ORDER 4711",
    "shipping": {
        "address": {
            "city": "London",
            "country": "GB",
            "line1": "12 St James's Square",
            "line2": None,
            "postal_code": "SW1Y 4JH",
            "state": None,
        },
        "carrier": "Parcel service",
        "name": "Ada Lovelace",
        "phone": "+44 20 7946 0000",
        "tracking_number": "PS0123456789GB",
    },
    "metadata": {f"order_attribute_{number}": f"value-{number}-0123456789abcdef" for number in range(10)},
}
_KINDS = {
    "setup_intents": "setup_intent",
    "subscriptions": "subscription",
    "refunds": "refund",
    "charges": "charge",
    "payment_intents": "payment_intent",
}
_PROBE = "/v1/customers?limit=1"  # by which the service tries its key
_MISSING = Answer(404, b'{"error": {"type": "invalid_request_error", "code": "resource_missing"}}')


@dataclass(frozen=True, slots=True)
class Asked:
    """`at` is by time.monotonic."""

    at: float
    method: str
    target: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2]))


class StripeAccount:
    """`refusal` is the answer to every update of a subscription while it is set.

    `asked` has all calls that were made for somebody, in order.
    """

    def __init__(self, *, payments: int, owners: int, latency: float) -> None:
        self.latency = latency
        self.owners = owners
        self.port = 0
        self.refusal: Answer | None = None
        self.asked: list[Asked] = []
        self._lists = {
            "payment_intents": Objects("payment_intent", "pi", payments, owners, _PAYMENT),
            "customers": Objects("customer", "cus", owners, 0),
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request: Received) -> Answer:
        if request.target != _PROBE:
            self.asked.append(Asked(time.monotonic(), request.method, request.target))
        path, _, query = request.target.partition("?")
        _, _, kind, *rest = path.split("/")
        if request.method == "POST":
            return self._changed(kind, rest, dict(parse_qsl(request.body.decode())))
        if not rest:
            found = self._lists.get(kind)
            return _MISSING if found is None else Answer(200, found.page(path, dict(parse_qsl(query))))
        return self._one(kind, rest[0])

    def _changed(self, kind: str, rest: list[str], form: dict[str, str]) -> Answer:
        if kind == "subscriptions" and rest and self.refusal is not None:
            return self.refusal
        if rest:
            return self._one(kind, rest[0])
        return self._made(kind, "new_00000000000000", form.get("customer"))

    def _one(self, kind: str, identifier: str) -> Answer:
        number = int(identifier.rpartition("_")[2])
        if kind not in self._lists:
            return self._made(kind, identifier, customer_id(number % self.owners))
        written = self._lists[kind].written
        return Answer(200, written[number]) if number < len(written) else _MISSING

    def _made(self, kind: str, identifier: str, customer: str | None) -> Answer:
        template = TEMPLATES[_KINDS[kind]]
        return Answer(200, json.dumps(template | {"id": identifier, "customer": customer}).encode())


def customer_id(number: int) -> str:
    return f"cus_{number:014}"


def object_id(prefix: str, number: int) -> str:
    return f"{prefix}_{number:014}"


def too_many(code: str, reason: str | None = None) -> Answer:
    """Give a 429 of Stripe's; `reason` is its Stripe-Rate-Limited-Reason."""
    error = {"type": "invalid_request_error", "code": code, "message": "This object cannot be accessed right now."}
    headers = "" if reason is None else f"Stripe-Rate-Limited-Reason: {reason}\r\n"
    return Answer(429, json.dumps({"error": error}).encode(), headers)


def worst_second(asked: Iterable[Asked]) -> int:
    """Give the largest number of calls within any one second."""
    times = sorted(call.at for call in asked)
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


@asynccontextmanager
async def stripe_account(*, payments: int, owners: int, latency: float) -> AsyncIterator[StripeAccount]:
    account = StripeAccount(payments=payments, owners=owners, latency=latency)
    async with listening(account) as account.port:
        yield account


@asynccontextmanager
async def listening(upstream: Answering) -> AsyncIterator[int]:
    """Let an upstream answer at a free port, and give that."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(upstream), "127.0.0.1", 0, backlog=2048)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
