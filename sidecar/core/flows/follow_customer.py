"""Makes items follow their customer: they repeat what is mapped of it, and lose its ID when it is deleted.

After each write Stripe is read again, until nothing has changed meanwhile. So when two replicas handle two changes at
once, the later state at Stripe lasts, whichever replica wrote last. That holds for a state that takes several calls
too: each part of it is read after the write.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar.core.access.permissions import AllowedFields
from sidecar.core.flows.mirror import Mirror, Wanted
from sidecar.core.flows.write_values import Changing, Unwritten, Written, write
from sidecar.core.interfaces import PrimaryKey
from sidecar.core.status.snapshot import Snapshots
from sidecar.errors import EventFailed

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """An item that contains a customer's ID, with the requested values that Directus showed."""

    key: PrimaryKey
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """What an event did in Directus, for the audit: the names of the fields, without their values.

    `item` is None where it is not known by its primary key.
    """

    item: PrimaryKey | None
    fields: tuple[str, ...]
    what: str = "item changed"


@dataclass(frozen=True, slots=True)
class Rights:
    """The fields of items that the service may read and update."""

    read: AllowedFields
    update: AllowedFields


class LinkedItems(Changing, Protocol):
    """Items by the customer they are linked to, as the service. Raise Refused and DirectusUnavailable."""

    async def rights(self) -> Rights: ...

    async def types(self, fields: Collection[str]) -> Mapping[str, str]:
        """Give the types of those of these fields that the service may read."""

    async def linked(self, customer_id: str, fields: AllowedFields) -> Sequence[LinkedItem]:
        """Give every item, with those of the mapped fields that are among these."""


async def follow(customer_id: str, snapshots: Snapshots, items: LinkedItems, mirror: Mirror) -> AsyncIterator[Change]:
    """Make every item of this customer agree with Stripe; give each change once it is made.

    Raises Refused, DirectusUnavailable and StripeFailure, and EventFailed where either side keeps changing, or once
    all the rest is written, where a value could not be.
    """
    unwritten = Unwritten(customer_id)
    async for change in _agree(customer_id, snapshots, items, mirror, unwritten):
        yield change
    unwritten.require_none()


async def _agree(
    customer_id: str, snapshots: Snapshots, items: LinkedItems, mirror: Mirror, unwritten: Unwritten
) -> AsyncIterator[Change]:
    rights = await items.rights()
    linked = await items.linked(customer_id, rights.read)
    if not linked:
        return  # most customers of a shared account have no item here: Stripe is not asked about those
    follower = _Follower(customer_id, items, mirror, rights, await items.types(mirror.sources), unwritten)
    wanted, tried = await follower.wanted(snapshots), set[PrimaryKey]()
    for _ in range(_ROUNDS):
        untried, agreed = True, True
        for item in linked:
            async for written in follower.settle(item, wanted):
                untried, agreed = False, agreed and written.linked
                tried.add(item.key)
                if written.fields:
                    yield Change(item.key, tuple(written.fields))
        if untried:
            return
        before, wanted = wanted, await follower.wanted(snapshots)
        if agreed and wanted == before:
            return
        linked = await items.linked(customer_id, rights.read)
        for key in sorted(tried.difference(item.key for item in linked), key=str):
            await follower.release(key)
    raise EventFailed("This customer changes all the time. Send the event again.", detail=customer_id)


@dataclass(frozen=True, slots=True)
class _Follower:
    """Writes into items of one customer; `types` are those of the fields that repeat what belongs to it."""

    customer_id: str
    items: LinkedItems
    mirror: Mirror
    rights: Rights
    types: Mapping[str, str]
    unwritten: Unwritten

    async def wanted(self, snapshots: Snapshots) -> Wanted:
        return self.mirror.wanted(await snapshots.read(self.customer_id), self.types)

    async def settle(self, item: LinkedItem, wanted: Wanted) -> AsyncIterator[Written]:
        """Write what the item lacks, and give each attempt.

        The ID goes last, with the rest once more, since another replica may have written an older state in between. It
        stays where anything was not written: nobody would find the item again to take away what may open something.
        """
        self.unwritten.barred(item.key, self.mirror.unseen(wanted, item.values))
        async for written in self._write(item, self.mirror.lacking(wanted, item.values, self.types)):
            yield written
        if not wanted.linked and self.unwritten.rest(item.key, wanted.values) == wanted.values:
            async for written in self._write(item, {**wanted.values, self.mirror.id_field: None}):
                yield written

    async def release(self, key: PrimaryKey) -> None:
        """Take from an item without a customer what this may have written just after another replica cleared its ID.

        Directus looks and writes in two steps, so a write can reach an item that is no longer linked.
        """
        if self.mirror.sources:
            await write(self.items, key, None, dict.fromkeys(self.mirror.sources))

    async def _write(self, item: LinkedItem, lacking: Mapping[str, object]) -> AsyncIterator[Written]:
        """Write those of these values that the service may write, that fit, and that were not refused before."""
        barred = {name: value for name, value in lacking.items() if not self.rights.update.allow(name)}
        self.unwritten.barred(item.key, barred)
        self.unwritten.unfit(item.key, self.mirror.unfit(lacking, self.types))
        values = self.unwritten.rest(item.key, lacking)
        if values:
            written = await write(self.items, item.key, self.customer_id, values)
            self.unwritten.forget(item.key, written.fields)
            self.unwritten.refused(item.key, values, written.refused)
            yield written
