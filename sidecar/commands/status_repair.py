"""The second work of ``reconcile``: fields that repeat what belongs to a customer are made true, whatever was missed.

Names and addresses are left to events, and an ID of a deleted customer to a person.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from sidecar import opening
from sidecar.clients.directus.service_items import DirectusItemLists
from sidecar.clients.lists.snapshots import CustomerSnapshots
from sidecar.commands.report import Report
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.flows.customer_state import lacks_customer
from sidecar.core.flows.follow_customer import LinkedItem, LinkedItems, Rights, follow
from sidecar.core.flows.write_values import write
from sidecar.core.interfaces import PrimaryKey
from sidecar.core.operations.resources import CUSTOMER, is_customer_id
from sidecar.errors import EventFailed, StripeRejected
from sidecar.settings import Settings


class StatusRepair:
    """Does nothing where no such field is mapped. Raises DirectusUnavailable, Refused and StripeFailure."""

    def __init__(
        self, settings: Settings, directus: aiohttp.ClientSession, stripe: aiohttp.ClientSession, report: Report
    ) -> None:
        client, service = opening.directus_client(settings, directus), opening.service_credential(settings)
        assert service is not None  # noqa: S101 - the ledger has looked
        items: LinkedItems = opening.linked_items(settings, client)
        self._items = _Untouched(items) if report.dry_run else items
        self._lists = DirectusItemLists(client, service, collection=settings.customers_collection)
        self._mirror, self._report = settings.mirror.of_belongings, report
        self._snapshots = CustomerSnapshots(opening.stripe_client(settings, stripe), self._mirror.origins)

    async def of_everybody(self) -> None:
        """Look at every customer that an item is linked to, then at items that have a status of nobody's."""
        if not self._mirror.sources:
            return
        async for items in self._lists.linked():
            await self.of_these(dict.fromkeys(items.values()))
        for item in await self._lists.unlinked(self._mirror.sources):
            await self._release(item)

    async def of_these(self, customers: Collection[str]) -> None:
        for customer in customers:
            if self._mirror.sources and is_customer_id(customer):
                await self._follow(customer)
                self._report.progress("Looking at what belongs to customers")

    async def _follow(self, customer: str) -> None:
        """A customer that the account does not have is reported elsewhere: the key may be another account's."""
        try:
            async for change in follow(customer, self._snapshots, self._items, self._mirror):
                self._report.repair(str(change.item), change.fields)
        except EventFailed as failed:
            self._report.unrepaired(customer, failed.detail or failed.message)
        except StripeRejected as rejected:
            if not lacks_customer(rejected, CUSTOMER.path):
                raise

    async def _release(self, item: PrimaryKey) -> None:
        written = await write(self._items, item, None, dict.fromkeys(self._mirror.sources))
        if written.fields:
            self._report.repair(str(item), written.fields)


@dataclass(frozen=True, slots=True)
class _Untouched:
    """Items that only look as if they were changed, for a dry run."""

    _items: LinkedItems

    async def rights(self) -> Rights:
        return await self._items.rights()

    async def types(self, fields: Collection[str]) -> Mapping[str, str]:
        return await self._items.types(fields)

    async def linked(self, customer_id: str, fields: AllowedFields) -> Sequence[LinkedItem]:
        return await self._items.linked(customer_id, fields)

    async def change(self, _item: PrimaryKey, _customer_id: str | None, _values: Mapping[str, object]) -> bool:
        return True
