"""The two sides that `reconcile` compares and `link` joins: Stripe's customers, and items."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import aiohttp

from sidecar import opening
from sidecar.clients.directus.item_emails import ItemEmails
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.directus.service_items import DirectusItemLists
from sidecar.clients.lists.account_customers import pages_since
from sidecar.core.access.permissions import Permissions
from sidecar.core.flows.adoption import Adoption, of_before
from sidecar.core.flows.customer_state import CustomerState, find_customer, state_of
from sidecar.core.flows.item_links import ItemLinks, NamedItem
from sidecar.core.flows.reconcile import Fill, Finding, ListedCustomer, Problem, lacking
from sidecar.core.interfaces import ChangeRequest
from sidecar.core.operations.metadata import COLLECTION, ITEM, METADATA, PROJECT, SIGNATURE
from sidecar.core.operations.resources import CUSTOMER, StripeObject, is_customer_id
from sidecar.errors import ItemRefused
from sidecar.settings import Settings, SettingsFault

_NO_KEY = "INVALID_QUERY"  # Directus's code for an impossible primary key, such as a word where keys are numbers


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of Stripe's list: all IDs, and the customers whose metadata names an item of this collection."""

    ids: Sequence[str]
    customers: Sequence[ListedCustomer]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A customer whose metadata name an item of this collection without a signature by the current secret."""

    customer: str
    named: NamedItem


@dataclass(frozen=True, slots=True)
class Unsigned:
    """One page of Stripe's list: how many it has, and which of them may be ours without the current signature."""

    listed: int
    claimed: Sequence[Claimed]


class Ledger:
    """Methods raise DirectusUnavailable, ItemRefused and StripeFailure unless their docstring says otherwise."""

    def __init__(self, settings: Settings, directus: aiohttp.ClientSession, stripe: aiohttp.ClientSession) -> None:
        """Raises SettingsFault without a service token or a secret."""
        service, faults = opening.service_credential(settings), []
        if service is None:
            faults.append("DIRECTUS_SERVICE_TOKEN: is not set; the items are read and filled with it")
        if settings.sidecar_secret is None:
            faults.append("SIDECAR_SECRET: is not set; only what it signed is believed")
        if service is None or faults:
            raise SettingsFault(faults)
        self._service, self._collection = service, settings.customers_collection
        self._directus = opening.directus_client(settings, directus)
        self._lists = DirectusItemLists(self._directus, service, collection=self._collection)
        self._stripe = opening.stripe_client(settings, stripe)
        self._write_back = opening.write_back(settings, self._directus, self._stripe)
        self._status = settings.mirror.sources

    async def lacking_rights(self) -> list[str]:
        """Name the rights that the service token needs and lacks. Raises CredentialRefused."""
        return lacking(await self.permissions(), self._collection, self._status)

    async def permissions(self) -> Permissions:
        """Ask what the service token may do. Raises CredentialRefused."""
        return await DirectusPermissions(self._directus, {self._collection.name}).permissions(self._service)

    def emails(self, field: str) -> ItemEmails:
        return ItemEmails(self._directus, self._service, collection=self._collection, field=field)

    def everybody(self) -> AsyncIterator[Sequence[StripeObject]]:
        """List the account's customers, newest first, page by page."""
        return pages_since(self._stripe, None)

    async def customer(self, customer_id: str) -> StripeObject | None:
        return await find_customer(self._stripe, customer_id)

    async def customers(self, since: int | None) -> AsyncIterator[Listed]:
        """List the account's customers, newest first, back to `since` in seconds of Unix time."""
        links = await self.links()
        async for page in pages_since(self._stripe, since):
            yield Listed(
                [str(entry.get("id")) for entry in page], [one for entry in page for one in _ours(entry, links)]
            )

    async def of_before(self, since: int | None) -> AsyncIterator[Unsigned]:
        """List as `customers` does those that this project did not sign with its current secret."""
        links = await self.links()
        async for page in pages_since(self._stripe, since):
            found = [(str(entry.get("id")), of_before(links, entry.get("metadata"))) for entry in page]
            yield Unsigned(len(page), [Claimed(customer, named) for customer, named in found if named is not None])

    async def sign(self, adoption: Adoption) -> None:
        """Write this project's signed metadata onto the customer. May be repeated."""
        links = await self.links()
        path = f"{CUSTOMER.path}/{adoption.customer}"
        await self._stripe.send(ChangeRequest("POST", path, {"metadata": links.metadata(adoption.item)}))

    async def unsign(self, customer_id: str) -> None:
        """Take this project's metadata off a customer again; Stripe removes a key whose value is empty."""
        path, keys = f"{CUSTOMER.path}/{customer_id}", (PROJECT, COLLECTION, ITEM, SIGNATURE)
        await self._stripe.send(ChangeRequest("POST", path, {METADATA: dict.fromkeys(keys, "")}))

    async def links(self) -> ItemLinks:
        """Raises DirectusUnavailable where nobody says which project this is."""
        return await self._write_back.links(self._service)

    async def named(self, keys: Sequence[str]) -> dict[str, str | None]:
        """Give the customer ID of each of these items; the result lacks items that do not exist any more."""
        try:
            found = await self._lists.named(keys) if keys else {}
        except ItemRefused as refused:  # one impossible key makes Directus refuse the whole query
            if refused.code != _NO_KEY:
                raise
            found = {}
        for key in keys:
            if key not in found:
                found |= await self._alone(key)
        return found

    async def _alone(self, key: str) -> dict[str, str | None]:
        try:
            return await self._lists.named([key])
        except ItemRefused as refused:
            if refused.code != _NO_KEY:
                raise
            return {}

    def linked(self) -> AsyncIterator[dict[str, str]]:
        return self._lists.linked()

    async def state(self, customer_id: str) -> CustomerState:
        if not is_customer_id(customer_id):
            return CustomerState.UNKNOWN
        return state_of(await find_customer(self._stripe, customer_id))

    async def elsewhere(self, fill: Fill) -> Finding | None:
        """Say whether another item has the customer, whose owner would share it: the field may not be unique."""
        if await self._lists.holders(fill.customer) <= {fill.item}:
            return None
        return Finding(Problem.ELSEWHERE, fill.item, (fill.customer,))

    async def fill(self, fill: Fill) -> Finding | None:
        """Write the ID into the item; give None if the item has it now, even if another process wrote it."""
        problem = Problem.REFUSED
        try:
            await self._write_back.items.claim(self._service, fill.item, fill.customer)
        except ItemRefused as refused:
            problem = Problem.ELSEWHERE if refused.code == "RECORD_NOT_UNIQUE" else problem
        found = await self._alone(fill.item)
        if fill.item not in found:
            return Finding(Problem.GONE, fill.item, (fill.customer,))
        linked = found[fill.item]
        if linked is None:
            return Finding(problem, fill.item, (fill.customer,))
        return None if linked == fill.customer else Finding(Problem.SEVERAL, fill.item, (linked, fill.customer))


def _ours(entry: StripeObject, links: ItemLinks) -> list[ListedCustomer]:
    item = links.item_of(entry.get("metadata"))
    return [] if item is None or entry.get("deleted") else [ListedCustomer(str(entry.get("id")), item)]
