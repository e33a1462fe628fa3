"""Both sides of the books as `reconcile` reads and fills them: Stripe's customers, and the items they name."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import aiohttp

from sidecar.clients.directus.client import DirectusClient, DirectusPermissions
from sidecar.clients.directus.items import DirectusItems
from sidecar.clients.directus.service_items import DirectusItemLists
from sidecar.clients.stripe.client import StripeClient
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.create_customer import WriteBack, named_item
from sidecar.core.flows.reconcile import Customer, Fill, Finding, Problem, State, lacking
from sidecar.core.operations.resources import StripeObject, is_customer_id
from sidecar.errors import ItemRefused, StripeRejected
from sidecar.settings import Settings, SettingsFault

_PATH = "/v1/customers"
_NOT_FOUND = 404
_NO_KEY = "INVALID_QUERY"  # Directus on what can be no primary key of the collection, such as a word for a number


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of Stripe's list: all IDs, and the customers that name an item of ours."""

    ids: Sequence[str]
    customers: Sequence[Customer]


class Ledger:
    """All methods raise DirectusUnavailable, ItemRefused and StripeFailure where nothing else is said."""

    def __init__(self, settings: Settings, directus: aiohttp.ClientSession, stripe: aiohttp.ClientSession) -> None:
        """Raises SettingsFault without a service token."""
        self._settings, self._service = settings, _service(settings)
        collection = settings.customers_collection
        self._directus = DirectusClient(directus, settings.directus_url, address_header="X-Forwarded-For")
        self._items = DirectusItems(
            self._directus,
            collection=collection,
            claim_timeout=settings.write_back_timeout,
        )
        self._lists = DirectusItemLists(self._directus, self._service, collection=collection)
        self._stripe = _stripe(settings, stripe)
        self._write_back = WriteBack(
            self._items, settings.directus_project, collection.name, self._service, FieldMap({})
        )

    async def lacking_rights(self) -> list[str]:
        """Name what the service token may not do and must. Raises CredentialRefused."""
        collection = self._settings.customers_collection
        source = DirectusPermissions(self._directus, {collection.name})
        return lacking(await source.permissions(self._service), collection)

    async def customers(self, since: int | None) -> AsyncIterator[Listed]:
        """Go through the account, newest first, back to `since` in seconds of Unix time."""
        filters = {} if since is None else {"created[gte]": str(since)}
        async for page in self._stripe.pages(_PATH, filters):
            yield Listed([str(entry.get("id")) for entry in page], [one for entry in page for one in self._ours(entry)])

    def _ours(self, entry: StripeObject) -> list[Customer]:
        item = named_item(self._write_back, entry.get("metadata"))
        return [] if item is None or entry.get("deleted") else [Customer(str(entry.get("id")), item)]

    async def named(self, keys: Sequence[str]) -> dict[str, str | None]:
        """Give the ID that each of these items holds; an item that is not among them is gone."""
        try:
            found = await self._lists.named(keys) if keys else {}
        except ItemRefused as refused:  # one that can be no key spoils the question for all
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

    def holding(self) -> AsyncIterator[dict[str, str]]:
        return self._lists.holding()

    async def state(self, customer_id: str) -> State:
        if not is_customer_id(customer_id):
            return State.UNKNOWN
        try:
            customer = await self._stripe.retrieve(_PATH, customer_id)
        except StripeRejected as rejected:
            if rejected.status != _NOT_FOUND:
                raise
            return State.UNKNOWN
        return State.DELETED if customer.get("deleted") else State.ALIVE

    async def fill(self, fill: Fill) -> Finding | None:
        """None where the item holds the customer now, whoever wrote it."""
        problem = Problem.REFUSED
        try:
            await self._items.claim(self._service, fill.item, fill.customer)
        except ItemRefused as refused:
            problem = Problem.ELSEWHERE if refused.code == "RECORD_NOT_UNIQUE" else problem
        found = await self._alone(fill.item)
        if fill.item not in found:
            return Finding(Problem.GONE, fill.item, (fill.customer,))
        held = found[fill.item]
        if held is None:
            return Finding(problem, fill.item, (fill.customer,))
        return None if held == fill.customer else Finding(Problem.SEVERAL, fill.item, (held, fill.customer))


def _service(settings: Settings) -> Credential:
    if settings.directus_service_token is None:
        raise SettingsFault(["DIRECTUS_SERVICE_TOKEN: is not set; `reconcile` reads and fills the items with it"])
    return Credential(settings.directus_service_token.get_secret_value(), Source.SERVICE, None)


def _stripe(settings: Settings, session: aiohttp.ClientSession) -> StripeClient:
    return StripeClient(
        session,
        base=settings.stripe_api_base,
        key=settings.stripe_live_secret_key.get_secret_value(),
        version=settings.stripe_api_version,
        timeout=settings.stripe_timeout,
    )
