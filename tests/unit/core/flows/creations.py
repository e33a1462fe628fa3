"""Items and a Stripe in memory, for tests of how a customer is created."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.create_customer import Creator
from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.flows.write_back import WriteBack
from sidecar.core.interfaces import ChangeRequest, PrimaryKey, Sent
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency
from sidecar.errors import DirectusUnavailable, ItemRefused, SidecarError, StripeFailure, StripeRejected

CALLER = Credential("caller", Source.HEADER, "192.0.2.7")
SERVICE = Credential("service", Source.SERVICE, None)
CREATOR = Creator(CALLER, may_read=True)
ADA = {"email": "ada@example.com", "name": "Ada"}
DOWN = DirectusUnavailable("down")
SECRET = "of-the-unit-tests-and-32-bytes-long"
REFUSED = ItemRefused("no", status=403, code="FORBIDDEN")


@dataclass
class Items:
    """The collection in memory. `failing`: method -> error. `raced`: what another caller writes just before a claim."""

    rows: dict[PrimaryKey, str | None] = field(default_factory=dict)
    updatable: bool = True
    raced: str | None = None
    failing: dict[str, SidecarError] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    created: list[Mapping[str, object]] = field(default_factory=list)

    def _step(self, name: str, credential: Credential) -> None:
        self.calls.append((name, credential.token))
        if name in self.failing:
            raise self.failing[name]

    async def customer_id(self, credential: Credential, item: PrimaryKey) -> str | None:
        self._step("customer_id", credential)
        return self.rows[item] or None

    async def may_update(self, credential: Credential, item: PrimaryKey) -> bool:
        self._step("may_update", credential)
        return self.updatable and item in self.rows

    async def create(self, credential: Credential, values: Mapping[str, object]) -> PrimaryKey:
        self._step("create", credential)
        self.created.append(values)
        item = len(self.rows) + 1
        self.rows[item] = None
        return item

    async def claim(self, credential: Credential, item: PrimaryKey, customer_id: str) -> bool:
        self._step("claim", credential)
        await asyncio.sleep(0)
        self.rows[item] = self.raced or self.rows[item]
        empty = not self.rows[item]
        if empty:
            self.rows[item] = customer_id
        return empty


@dataclass
class Stripe:
    """Implements idempotency as Stripe does (docs.stripe.com/api/idempotent_requests): a key gives its first customer.

    This also applies to a customer in `deleted`, and to one in `wiped`, which Stripe calls unknown.
    """

    error: StripeFailure | None = None
    by_key: dict[str, StripeObject] = field(default_factory=dict)
    metadata: list[Mapping[str, str]] = field(default_factory=list)
    retrieved: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    wiped: set[str] = field(default_factory=set)
    uncertain: bool = False

    async def lately(self) -> AsyncIterator[StripeObject]:
        """List what is not deleted, as Stripe does."""
        for customer in reversed(self.by_key.values()):
            if customer["id"] not in self.deleted | self.wiped:
                yield customer

    @property
    def ids(self) -> list[object]:
        """Every customer ever created, in order."""
        return [customer["id"] for customer in self.by_key.values()]

    async def send(self, request: ChangeRequest) -> Sent:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        assert (request.method, request.path, request.urgency) == ("POST", "/v1/customers", Urgency.CALL)
        assert request.key is not None
        metadata = request.parameters["metadata"]
        assert isinstance(metadata, dict)
        self.metadata.append(metadata)
        replayed = request.key in self.by_key
        new = {"id": f"cus_{len(self.by_key) + 1}", **request.parameters}
        return Sent(self.by_key.setdefault(request.key, new), replayed, self.uncertain)

    async def retrieve(self, path: str, object_id: str, **_: Urgency) -> StripeObject:
        assert path == "/v1/customers"
        self.retrieved.append(object_id)
        if object_id in self.wiped:
            raise StripeRejected("no", status=404, extensions={"stripe": {"code": "resource_missing"}})
        return {"id": object_id, "deleted": True} if object_id in self.deleted else {"id": object_id}


@dataclass
class Named:
    """A Directus that knows its name. `asked`: the tokens that asked for it."""

    text: str = "directus"
    error: SidecarError | None = None
    asked: list[str] = field(default_factory=list)

    async def name(self, credential: Credential | None) -> str:
        assert credential is not None
        self.asked.append(credential.token)
        if self.error is not None:
            raise self.error
        return self.text


def write_back(
    items: Items,
    *,
    service: Credential | None = SERVICE,
    secrets: Sequence[str] = (SECRET,),
    project: Named | None = None,
    stripe: Stripe | None = None,
) -> WriteBack:
    """`stripe` is the one whose customers are looked through while a secret is replaced."""
    return WriteBack(
        items,
        project=project or Named(),
        secrets=secrets,
        collection="customers",
        service=service,
        field_map=FieldMap({"cus": ("id",), "mail": ("email",), "name": ("name",)}),
        created_lately=(stripe or Stripe()).lately,
    )


LINKS = ItemLinks("directus", "customers", (SECRET,))
