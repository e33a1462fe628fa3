"""A Stripe with one customer and a Directus with its items, of which each step of a follower can be awaited."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.flows.follow_customer import Change, LinkedItem, Rights, follow
from sidecar.core.flows.mirror import Mirror
from sidecar.core.interfaces import PrimaryKey
from sidecar.core.operations.resources import StripeObject
from sidecar.core.status.snapshot import Snapshot
from sidecar.errors import ItemRefused
from tests.doubles.collections import CUSTOMERS

FIELD_MAP = FieldMap({"cus": ("id",), "mail": ("email",), "name": ("name",), "where": ("address",)})
MIRROR = Mirror.of(FIELD_MAP, CUSTOMERS)
ADA: StripeObject = {"id": "cus_1", "object": "customer", "email": "ada@example.com", "name": "Ada", "address": None}
TRUE = {"cus": "cus_1", "mail": "ada@example.com", "name": "Ada", "where": None}
ALL = AllowedFields(frozenset({"mail", "name", "where"}))
GONE: StripeObject = {"id": "cus_1", "object": "customer", "deleted": True}

Step = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    await asyncio.sleep(0)


@dataclass
class World:
    """Stripe's one customer, and Directus's items by key. `between` is awaited at each step of a follower.

    `within` is awaited within a change, since Directus looks for the item before it writes into it.
    """

    customer: StripeObject = field(default_factory=lambda: dict(ADA))
    rows: dict[PrimaryKey, dict[str, object]] = field(default_factory=dict)
    fields: AllowedFields = ALL
    update: AllowedFields | None = None
    mirror: Mirror = MIRROR
    between: Step = _nothing
    refused: frozenset[str] = frozenset()
    never_null: bool = False
    within: Step = _nothing
    code: str = "FAILED_VALIDATION"
    subscription: StripeObject | None = None
    entitlements: tuple[str, ...] = ()
    types_of_fields: Mapping[str, str] = field(default_factory=dict)
    asked: int = 0
    listed: int = 0
    written: list[tuple[PrimaryKey, Mapping[str, object]]] = field(default_factory=list)

    async def read(self, customer_id: str) -> Snapshot:
        """Read one part after the other, as several calls do."""
        assert customer_id == "cus_1"
        self.asked += 1
        await self.between()
        customer = dict(self.customer)
        if customer.get("deleted"):
            return Snapshot(customer)
        await self.between()
        subscription = None if self.subscription is None else dict(self.subscription)
        await self.between()
        entitlements = tuple(self.entitlements)
        await self.between()
        return Snapshot(customer, subscription, entitlements)

    async def rights(self) -> Rights:
        return Rights(self.fields, self.update or AllowedFields(self.fields.names | {"cus"}))

    async def types(self, fields: Collection[str]) -> Mapping[str, str]:
        return {name: self.types_of_fields[name] for name in fields if name in self.types_of_fields}

    async def linked(self, customer_id: str, fields: AllowedFields) -> Sequence[LinkedItem]:
        self.listed += 1
        await self.between()
        found = [(key, row) for key, row in self.rows.items() if row["cus"] == customer_id]
        shown = [LinkedItem(key, {n: v for n, v in row.items() if n == "cus" or fields.allow(n)}) for key, row in found]
        await self.between()
        return shown

    async def change(self, item: PrimaryKey, customer_id: str | None, values: Mapping[str, object]) -> bool:
        if self.refused.intersection(values) or (self.never_null and None in values.values()):
            raise ItemRefused("no", status=400, code=self.code)
        await self.between()
        row = self.rows.get(item)
        if row is None or row["cus"] != customer_id:
            return False
        await self.within()
        row.update(values)
        self.written.append((item, values))
        await self.between()
        return True

    async def follow(self) -> list[Change]:
        return [change async for change in follow("cus_1", self, self, self.mirror)]

    def at_step(self, number: int, happens: Callable[[], None]) -> None:
        """Run something once, at the step with this number."""
        steps = iter(range(1, 1000))

        async def step() -> None:
            if next(steps) == number:
                happens()

        self.between = step

    @property
    def truth(self) -> bool:
        """Say whether every item linked to the customer matches Stripe, and none is linked to a deleted one."""
        holding = [row for row in self.rows.values() if row["cus"] == "cus_1"]
        return not holding if self.customer.get("deleted") else all(self.repeats(row) for row in holding)

    def repeats(self, row: Mapping[str, object]) -> bool:
        """Say whether an item says of the customer what Stripe says."""
        state = self.mirror.wanted(
            Snapshot(self.customer, self.subscription, self.entitlements), self.types_of_fields
        ).values
        return {name: row[name] for name in state} == state


def item(**values: object) -> dict[str, object]:
    return {**TRUE, "note": "the editors' own", **values}
