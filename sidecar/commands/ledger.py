"""The two sides that `reconcile` compares: Stripe's customers, and the items that they name."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from sidecar import opening
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.directus.service_items import DirectusItemLists
from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.core.flows.create_customer import named_item
from sidecar.core.flows.reconcile import CustomerState, Fill, Finding, ListedCustomer, Problem, lacking
from sidecar.core.interfaces import Page
from sidecar.core.operations.list_query import MOST
from sidecar.core.operations.resources import StripeObject, is_customer_id
from sidecar.core.urgency import Urgency
from sidecar.errors import ItemRefused, StripeRejected
from sidecar.settings import Settings, SettingsFault

_PATH = "/v1/customers"
_NO_KEY = "INVALID_QUERY"  # Directus's code for an impossible primary key, such as a word where keys are numbers


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of Stripe's list: all IDs, and the customers whose metadata names an item of this collection."""

    ids: Sequence[str]
    customers: Sequence[ListedCustomer]


class Ledger:
    """Methods raise DirectusUnavailable, ItemRefused and StripeFailure unless their docstring says otherwise."""

    def __init__(self, settings: Settings, directus: aiohttp.ClientSession, stripe: aiohttp.ClientSession) -> None:
        """Raises SettingsFault without a service token."""
        service = opening.service_credential(settings)
        if service is None:
            raise SettingsFault(["DIRECTUS_SERVICE_TOKEN: is not set; `reconcile` reads and fills the items with it"])
        self._service, self._collection = service, settings.customers_collection
        self._directus = opening.directus_client(settings, directus)
        self._lists = DirectusItemLists(self._directus, service, collection=self._collection)
        self._stripe = opening.stripe_client(settings, stripe)
        self._write_back = opening.write_back(settings, self._directus)

    async def lacking_rights(self) -> list[str]:
        """Name the rights that the service token needs and lacks. Raises CredentialRefused."""
        source = DirectusPermissions(self._directus, {self._collection.name})
        return lacking(await source.permissions(self._service), self._collection)

    async def customers(self, since: int | None) -> AsyncIterator[Listed]:
        """List the account's customers, newest first, back to `since` in seconds of Unix time."""
        filters = {} if since is None else {"created[gte]": str(since)}

        async def fetch(parameters: Mapping[str, str]) -> Page:
            return await self._stripe.page(_PATH, {**filters, **parameters}, urgency=Urgency.LIST)

        pages = CursorPages(fetch)
        while not pages.over:
            page = (await pages.next(MOST)).data
            yield Listed([str(entry.get("id")) for entry in page], [one for entry in page for one in self._ours(entry)])

    def _ours(self, entry: StripeObject) -> list[ListedCustomer]:
        item = named_item(self._write_back, entry.get("metadata"))
        return [] if item is None or entry.get("deleted") else [ListedCustomer(str(entry.get("id")), item)]

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
        try:
            customer = await self._stripe.retrieve(_PATH, customer_id)
        except StripeRejected as rejected:
            if rejected.status != HTTPStatus.NOT_FOUND:
                raise
            return CustomerState.UNKNOWN
        return CustomerState.DELETED if customer.get("deleted") else CustomerState.ALIVE

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
