"""How a new customer's ID gets into its item.

The items API has no compare-and-set: Directus first finds the empty item and then changes it, so two writers at once
can both be told that they did it. Stripe, not the claim, tells which call created a customer.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from sidecar.core.access.credentials import Credential
from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.interfaces import Items, PrimaryKey, Project
from sidecar.core.operations.resources import StripeObject, is_customer_id
from sidecar.errors import DirectusUnavailable, ItemConflict, ItemRefused

_SEVERAL = "Several customers at Stripe were created for this item. Whoever runs this service must decide: `reconcile`."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WriteBack:
    """`project` distinguishes several Directus on one Stripe account. `service` writes the ID, or else the caller.

    `secrets` are of at least 32 bytes, the current one first. `created_lately` gives the account's customers of
    somewhat more than the last day, for which Stripe keeps idempotency keys.
    """

    items: Items
    project: Project
    secrets: Sequence[str]
    collection: str
    service: Credential | None
    field_map: FieldMap
    created_lately: Callable[[], AsyncIterator[StripeObject]]

    async def links(self, caller: Credential) -> ItemLinks:
        """Raises DirectusUnavailable where nobody says which project this is."""
        return ItemLinks(await self.project.name(self.service or caller), self.collection, self.secrets)

    async def held(self, item: PrimaryKey, service: Credential) -> str | None:
        """Read the ID as the service: Directus may show it as null to a caller, though the item has a customer."""
        try:
            return await self.items.customer_id(service, item)
        except ItemRefused as refused:
            raise DirectusUnavailable(f"the service token may not read item {item} ({refused.code})") from refused

    async def earlier(self, item: PrimaryKey, links: ItemLinks) -> str | None:
        """Find the customer that an earlier try of today created for the item.

        Raises StripeFailure, and ItemConflict where there are several.
        """
        found = [
            str(customer["id"])
            async for customer in self.created_lately()
            if links.item_of(customer.get("metadata")) == str(item) and is_customer_id(customer.get("id"))
        ]
        if len(found) > 1:
            raise ItemConflict(_SEVERAL, extensions={"item": item}, detail=", ".join(found))
        return found[0] if found else None

    async def claim(self, item: PrimaryKey, customer_id: str, caller: Credential) -> str | None:
        """Put the ID into the item if it has none; give the ID there now, None if unknown. Raises ItemConflict."""
        writer, claimed = self.service or caller, False
        try:
            claimed = await self.items.claim(writer, item, customer_id)
        except (DirectusUnavailable, ItemRefused) as error:
            _log.warning("an ID was not written", extra={"item": item, "code": error.code, "detail": error.detail})
            if error.code == "RECORD_NOT_UNIQUE":
                raise ItemConflict("Another item has this item's customer.", extensions={"item": item}) from error
        try:
            return await self.items.customer_id(writer, item)
        except (DirectusUnavailable, ItemRefused):
            return customer_id if claimed else None
