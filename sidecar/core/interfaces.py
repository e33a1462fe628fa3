"""The seams between web and clients: web uses these protocols, clients fulfill them, app joins the two."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Action, AllowedFields, Permissions
from sidecar.core.access.whole_access import Policies
from sidecar.core.operations.list_query import ListQuery, RenderedPage
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import ItemConflict

PrimaryKey = int | str
Render = Callable[[Page], Awaitable[bytes]]  # equal ones write the same bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """Stripe's answer to a change.

    `replayed`: Stripe repeats its answer to an earlier request with the same key, or refused to do again what was done
    before. `uncertain`: this call was itself sent earlier and got no answer, so that may have been the earlier one.
    """

    object: StripeObject
    replayed: bool = False
    uncertain: bool = False

    @property
    def first(self) -> bool:
        """Whether this call had the effect, as far as can be known."""
        return not self.replayed or self.uncertain


class PermissionSource(Protocol):
    async def permissions(self, credential: Credential) -> Permissions:
        """Say what Directus lets the owner of a credential do.

        Raises CredentialRefused, and DirectusUnavailable when there is no answer.
        """


class CallerSource(PermissionSource, Protocol):
    async def identity(self, credential: Credential) -> Identity:
        """Say who this is; call it only for a credential that Directus accepted. Raises DirectusUnavailable."""


class CallerCache(CallerSource, Protocol):
    async def permissions(self, credential: Credential, granted: Callable[[Permissions], bool] = ...) -> Permissions:
        """As above, from memory where an answer is young enough; only `granted` tells a yes from a no."""

    async def public(self, address: str, granted: Callable[[Permissions], bool]) -> Permissions:
        """Say what Directus's public policies let everybody at this address do to every item.

        Raises DirectusUnavailable.
        """


@dataclass(frozen=True, slots=True)
class SharedItem:
    """The item that a share shows; `key` is its primary key as a text."""

    collection: str
    key: str


class SharedItems(Protocol):
    async def shared_item(self, credential: Credential, share: str) -> SharedItem:
        """Say which item a share shows. Raises CredentialRefused where it shows none now, and DirectusUnavailable."""


class PolicySource(Protocol):
    async def policies(self) -> Policies | None:
        """Give the policies that have a permission without an item rule; None where they may not be read.

        Raises DirectusUnavailable.
        """


class Project(Protocol):
    async def name(self, credential: Credential | None) -> str:
        """Name this Directus among all that may share the Stripe account; without a credential nobody is asked.

        Raises DirectusUnavailable.
        """


class Items(Protocol):
    """The items of the customers collection. All raise ItemRefused and DirectusUnavailable."""

    async def customer_id(self, credential: Credential, item: PrimaryKey) -> str | None:
        """Read the item's Stripe customer ID with the caller's own rights; None where the field is empty."""

    async def may_update(self, credential: Credential, item: PrimaryKey) -> bool:
        """Say whether the caller may update this very item."""

    async def create(self, credential: Credential, values: Mapping[str, object]) -> PrimaryKey:
        """Create an item with the caller's own rights and give its primary key."""

    async def claim(self, credential: Credential, item: PrimaryKey, customer_id: str) -> bool:
        """Set the item's customer ID if it is empty; False where it was not. Two at once may both get True."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the customers collection as a caller sees it; `key` is None where it may not read the primary key.

    `alone`: no other row that the caller sees names the same customer.
    """

    fields: AllowedFields
    key: PrimaryKey | None = None
    alone: bool = True


@dataclass(frozen=True, slots=True)
class FirstRows:
    """A caller's first rows, by the customer that each names; `whole`: there are no others.

    Where there are others, one at least of all rows names a customer.
    """

    rows: Mapping[str, Row]
    whole: bool

    @property
    def name_any(self) -> bool:
        """Whether any row of the caller's names a customer."""
        return bool(self.rows) or not self.whole


class Rows(Protocol):
    """The rows of the customers collection that Directus lets a caller read. Raise ItemRefused, DirectusUnavailable."""

    async def find(self, credential: Credential, allowed: AllowedFields, customer_id: str) -> Row | None:
        """Find the row that names this customer; None where the caller sees no such row."""

    async def find_first(self, credential: Credential, allowed: AllowedFields) -> FirstRows:
        """Give the rows of one page, however many there are."""

    async def find_all(self, credential: Credential, allowed: AllowedFields) -> Mapping[str, Row]:
        """Give every customer that the caller's rows name, each with its row.

        Raises TooManyCustomers beyond the operator's bound.
        """

    async def find_these(
        self, credential: Credential, allowed: AllowedFields, customer_ids: Collection[str]
    ) -> Mapping[str, Row]:
        """Find the rows that name these customers, at most some hundred; one without a visible row is missing."""

    async def may(self, credential: Credential, action: Action, key: PrimaryKey) -> bool:
        """Say whether the caller may do this to the row with this primary key."""


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change to ask Stripe for; with a `key`, equal requests have their effect once.

    `version` is the version of the API for this call, instead of the service's own.
    """

    method: str
    path: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    key: str | None = None
    urgency: Urgency = Urgency.CALL
    version: str | None = None


class StripeObjects(Protocol):
    """Objects at Stripe, each by its ID. This and what follows raises StripeFailure."""

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject: ...


class StripeReads(StripeObjects, Protocol):
    """What lists are made of."""

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        """Give one page of a list, in Stripe's order."""


class StripeCalls(StripeObjects, Protocol):
    """What one operation does: it reads objects, and may change something."""

    async def send(self, request: ChangeRequest) -> Sent:
        """Ask for a change."""


class StripeShows(StripeReads, Protocol):
    """What is shown to callers."""

    async def retrieve(
        self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL, expand: Sequence[str] = ()
    ) -> StripeObject:
        """`expand` names what Stripe writes out instead of its ID (docs.stripe.com/api/expanding_objects)."""


class Stripe(StripeShows, StripeCalls, Protocol):
    """Stripe's API as the table of operations needs it."""


class RecentStripe(StripeShows, Protocol):
    """Stripe for one request, perhaps of a moment ago and then without secrets: only for what is shown."""

    @property
    def age(self) -> float | None:
        """How many seconds ago Stripe was asked for the oldest of what was given; None where all of it is new."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a list of some customers' objects has: those whose `attribute` has one of the values.

    Stripe's list takes a parameter of that name, unless the path says it. `told`: each object says it too.
    """

    attribute: str
    values: tuple[str, ...]
    in_path: bool = False
    told: bool = True


class UnknownCustomers(Protocol):
    """The customers in a caller's rows that the Stripe account does not have."""

    def unknown(self, customer_id: str) -> ItemConflict:
        """Tell the operator of one, and give the answer for a caller that has no other."""


class Lists(Protocol):
    """The lists that a caller may see. Both raise StripeFailure, and InvalidQuery for a foreign cursor.

    They raise ItemConflict where the account has none of the caller's customers.
    """

    async def page(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Page:
        """Give the requested page."""

    def whole(
        self, path: str, filters: Mapping[str, str], query: ListQuery, render: Render
    ) -> AsyncGenerator[RenderedPage]:
        """Give everything, newest first. Pages that came before a fault are given before it is raised."""
