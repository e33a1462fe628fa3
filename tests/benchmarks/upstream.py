"""A Stripe for benchmarks, in its own process: fast, of any size, with a given latency and rate limit.

    python -m tests.benchmarks.upstream PORT [--payments N] [--owners N] [--customers N] [--rate REQUESTS]

Objects are copies of Stripe's own examples (deploy/stripe_stand_in/fixtures.json), in Stripe's indented form.
Lists are newest first, with `limit`, `starting_after`, `ending_before`, `created` and `customer`
(docs.stripe.com/api/pagination). The same process answers `GET /permissions/me` as a Directus would for a clerk. It
takes commands: `GET /count/…` answers the number of requests for a path, `GET /grow/200` makes 200 payments that are
newer than all others, and from `GET /latency/0.06` on it waits that many seconds before each answer.
"""

import argparse
import asyncio
import json
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

_FIXTURES = Path(__file__).parents[2] / "deploy" / "stripe_stand_in" / "fixtures.json"
TEMPLATES = json.loads(_FIXTURES.read_text(encoding="utf-8"))
NEWEST = 1_760_000_000
SPACING = 97  # seconds between two objects, on average
_PERMISSIONS = {
    "data": {"customers": {action: {"access": "full", "fields": ["*"]} for action in ("create", "read", "update")}}
}


@dataclass(frozen=True, slots=True)
class Received:
    method: str
    target: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are whole lines, each with its end."""

    status: int
    body: bytes
    headers: str = ""


class Answering(Protocol):
    """`latency` is in seconds, before each answer."""

    latency: float

    def answer(self, request: Received) -> Answer: ...


class Objects:
    """One kind of object; the ID of one that was there first contains its position then, 0 for the newest.

    All have the `extra` attributes. Positions change when the list grows, IDs and owners do not.
    """

    def __init__(
        self, kind: str, prefix: str, number: int, owners: int, extra: Mapping[str, object] | None = None
    ) -> None:
        self.prefix = prefix
        self.owners = owners
        self._first, self._grown = number, 0
        # Steps between ages vary, as in real accounts, so that nothing relies on an even density.
        self.ages = [place * SPACING + place * 7919 % (SPACING * 3 // 2) for place in range(number)]
        self.ages.sort()
        template = TEMPLATES[kind] | dict(extra or {})
        marks = {"id": "@id@", "created": "@created@"} | ({"customer": "@owner@"} if prefix == "pi" else {})
        if "client_secret" in template:
            marks["client_secret"] = "@id@_secret_benchmark"
        self.text = "    " + json.dumps(template | marks, indent=2).replace("\n", "\n    ")
        self.written = [self._write(place, self.ages[place], place) for place in range(number)]

    def grow(self, number: int) -> None:
        """Make so many objects that are newer than all others."""
        for made in range(self._grown, self._grown + number):
            age = made * 7919 % SPACING - (made + 1) * SPACING
            self.ages.insert(0, age)
            self.written.insert(0, self._write(self._first + made, age, -1 - made))
        self._grown += number

    def _write(self, name: int, age: int, turn: int) -> bytes:
        text = self.text.replace("@id@", self.identifier(name)).replace('"@created@"', str(NEWEST - age))
        return text.replace("@owner@", f"cus_{turn % max(1, self.owners):014}").encode()

    def identifier(self, name: int) -> str:
        return f"{self.prefix}_{name:014}"

    def _place(self, identifier: str) -> int:
        name = int(identifier.rpartition("_")[2])
        return name + self._grown if name < self._first else self._grown - 1 - (name - self._first)

    def page(self, path: str, query: dict[str, str]) -> bytes:
        limit = int(query.get("limit", "10"))
        start, end = self._bounds(query)
        step = 1
        if "customer" in query:
            step, owner = self.owners, int(query["customer"].rpartition("_")[2])
            start += (owner + self._grown - start) % step
        places = range(start, end, step)
        shown = places[-limit:] if "ending_before" in query else places[:limit]
        more = json.dumps(len(places) > limit)
        head = f'{{\n  "object": "list",\n  "url": "{path}",\n  "has_more": {more},\n  "data": [\n'
        return head.encode() + b",\n".join(self.written[place] for place in shown) + b"\n  ]\n}\n"

    def _bounds(self, query: dict[str, str]) -> tuple[int, int]:
        """Give the first place of what the query may show, and the one after its last."""
        starts, ends = [0], [len(self.written)]
        # Older than a second is a greater age: the place of the first that old.
        for bounds, name, later in ((starts, "lt", 1), (starts, "lte", 0), (ends, "gte", 1), (ends, "gt", 0)):
            if f"created[{name}]" in query:
                bounds.append(bisect_left(self.ages, NEWEST - int(query[f"created[{name}]"]) + later))
        if "starting_after" in query:
            starts.append(self._place(query["starting_after"]) + 1)
        if "ending_before" in query:
            ends.append(self._place(query["ending_before"]))
        return max(starts), min(ends)


class Upstream:
    def __init__(self, options: argparse.Namespace) -> None:
        self.latency = 0.0
        self.rate: float = options.rate
        self.lists = {
            "/v1/payment_intents": Objects("payment_intent", "pi", options.payments, options.owners),
            "/v1/customers": Objects("customer", "cus", options.customers, 0),
        }
        self.asked: Counter[str] = Counter()
        self._turn = 0.0

    def answer(self, request: Received) -> Answer:
        path, _, query = request.target.partition("?")
        if path.startswith("/count/"):
            return Answer(200, str(self.asked[path.removeprefix("/count")]).encode())
        if path.startswith("/latency/"):
            self.latency = float(path.removeprefix("/latency/"))
            return Answer(200, b"{}")
        if path.startswith("/grow/"):
            self.lists["/v1/payment_intents"].grow(int(path.removeprefix("/grow/")))
            return Answer(200, b"{}")
        self.asked[path] += 1
        if path == "/permissions/me":
            return Answer(200, json.dumps(_PERMISSIONS).encode())
        return self._as_stripe(path, dict(parse_qsl(query)))

    def _as_stripe(self, path: str, query: dict[str, str]) -> Answer:
        if self._too_many():
            return Answer(429, b'{"error": {"type": "invalid_request_error", "code": "rate_limit"}}')
        if path in self.lists:
            return Answer(200, self.lists[path].page(path, query))
        if path.startswith("/v1/customers/cus_"):
            return Answer(200, self.lists["/v1/customers"].written[int(path.rpartition("_")[2])])
        return Answer(404, b'{"error": {"type": "invalid_request_error"}}')

    def _too_many(self) -> bool:
        if not self.rate:
            return False
        now = time.monotonic()
        self._turn = max(self._turn, now - 1) + 1 / self.rate
        return self._turn > now


class Connection(asyncio.Protocol):
    """Reads requests, one after the other, with bodies that have a Content-Length."""

    def __init__(self, upstream: Answering) -> None:
        self._upstream = upstream
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if len(rest) < length:
                return
            self._received = rest[length:]
            method, target, _ = head.decode("latin-1").split(" ", 2)
            self._answer(self._upstream.answer(Received(method, target, rest[:length])))

    def _answer(self, answer: Answer) -> None:
        lines = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: application/json\r\n{answer.headers}"
        whole = f"{lines}Content-Length: {len(answer.body)}\r\n\r\n".encode() + answer.body
        asyncio.get_running_loop().call_later(self._upstream.latency, self._send, whole)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--payments", type=int, default=100)
    parser.add_argument("--customers", type=int, default=100)
    parser.add_argument("--owners", type=int, default=100, help="customers that the payments belong to, in turn")
    parser.add_argument("--rate", type=float, default=0, help="requests per second before 429; 0 means no limit")
    upstream = Upstream(parser.parse_args())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(upstream), "127.0.0.1", parser.parse_args().port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
