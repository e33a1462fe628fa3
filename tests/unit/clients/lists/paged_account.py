"""An account at Stripe as one long list in memory, with pages as docs.stripe.com/api/pagination describes them.

It counts its requests, and it can be told to change or fail at any of them.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sidecar.clients.lists.account import rendered
from sidecar.core.operations.list_query import RenderedPage
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeRejected

Row = tuple[int, str]  # created, ID
Change = Callable[["Account", Mapping[str, str]], None]
NOW = 1_700_000_000


@dataclass(slots=True)
class Account:
    """`rows` are in the list's order. `changes` are made just before the request of that number is answered."""

    rows: list[Row]
    changes: Mapping[int, Change] = field(default_factory=dict)
    tamper: Callable[[int, list[Row], bool], tuple[list[Row], bool]] = lambda _, page, more: (page, more)
    latency: Callable[[], float] = lambda: 1.0
    asked: int = 0
    refused: int = 0
    under_way: int = 0
    most_under_way: int = 0
    deleted: set[str] = field(default_factory=set)
    parameters: list[dict[str, str]] = field(default_factory=list)
    answered: int = 0  # pages with at least one object

    async def fetch(self, parameters: Mapping[str, str]) -> RenderedPage:
        return await rendered(await self.page("", parameters), _render)

    async def page(self, path: str, parameters: Mapping[str, str], **_: Urgency) -> Page:  # noqa: ARG002
        """Answer as Stripe does, after a while; refuse a cursor that does not exist."""
        self.asked += 1
        self.parameters.append(dict(parameters))
        number = self.asked
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.latency())
        finally:
            self.under_way -= 1
        self.changes.get(number, _nothing)(self, parameters)
        page, more = self.tamper(number, *self._page(parameters))
        self.answered += bool(page)
        return Page([_as_object(row) for row in page], more=more)

    def _page(self, parameters: Mapping[str, str]) -> tuple[list[Row], bool]:
        start = self._start(parameters.get("starting_after"))
        since, until = int(parameters.get("created[gte]", "-1")), int(parameters.get("created[lt]", "9" * 12))
        found: list[Row] = []
        for row in self.rows[start:]:
            if since <= row[0] < until:
                found.append(row)
                if len(found) > int(parameters["limit"]):
                    return found[:-1], True
        return found, False

    def _start(self, cursor: str | None) -> int:
        if cursor is None:
            return 0
        for place, (_, identifier) in enumerate(self.rows):
            if identifier == cursor:
                return place + 1
        self.refused += 1
        facts = {"type": "invalid_request_error", "code": "resource_missing", "param": "starting_after"}
        raise StripeRejected("no such object", status=400, extensions={"stripe": facts})

    # Whole lists of an account never request this.

    async def retrieve(self, path: str, object_id: str, **_: Urgency) -> StripeObject:
        raise NotImplementedError

    def delete(self, place: int, number: int = 1) -> None:
        self.deleted.update(identifier for _, identifier in self.rows[place : place + number])
        del self.rows[place : place + number]

    def delete_at(self, cursor: str | None, number: int) -> None:
        """Delete the object at the cursor and the objects before it, `number` in all."""
        places = [place for place, (_, identifier) in enumerate(self.rows) if identifier == cursor]
        if places:
            self.delete(max(0, places[0] + 1 - number), min(number, places[0] + 1))

    def insert(self, created: int, identifier: str) -> None:
        place = next((place for place, row in enumerate(self.rows) if row[0] <= created), len(self.rows))
        self.rows.insert(place, (created, identifier))


def _nothing(_account: Account, _parameters: Mapping[str, str]) -> None:
    pass


def _as_object(row: Row) -> StripeObject:
    return {"id": row[1], "created": row[0]}


async def _render(_page: Page) -> bytes:
    return b""


def in_time_order(times: list[int]) -> list[Row]:
    return [(created, f"pi_{place}") for place, created in enumerate(sorted(times, reverse=True))]


def times(kind: str, number: int, seed: int) -> list[int]:
    """Give times of creation, spread in one of the ways in KINDS."""
    dice = random.Random(seed)  # noqa: S311 - test data
    return [KINDS[kind](dice, number, place) for place in range(number)]


KINDS: dict[str, Callable[[random.Random, int, int], int]] = {
    "even": lambda dice, _, __: NOW - dice.randrange(30_000_000),
    "one second": lambda *_: NOW,
    "two seconds": lambda dice, *_: NOW - dice.randrange(2),
    "bursts": lambda dice, number, _: NOW - 60_000 * dice.randrange(1 + number // 150),
    "gaps of years": lambda dice, *_: NOW - 60_000_000 * dice.randrange(20) - dice.randrange(5_000),
    "growing": lambda dice, *_: NOW - int(40_000_000 * dice.random() ** 4),
    "shrinking": lambda dice, *_: NOW - int(40_000_000 * dice.random() ** 0.3),
    "all of time": lambda dice, *_: dice.randrange(2_000_000_000),
    "from zero on": lambda dice, *_: dice.randrange(30),
    "zero": lambda *_: 0,
    "zero and now": lambda dice, *_: dice.choice([0, NOW]),
    "the future": lambda dice, *_: NOW + 10**10 + dice.randrange(10**6),
    "one stray": lambda dice, _, place: NOW - dice.randrange(1_000) if place else 3,
}
