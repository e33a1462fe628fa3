"""A Stripe and an ownership check in memory, for tests of how one call is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.core.interfaces import ChangeRequest, Sent
from sidecar.core.operations.resources import EPHEMERAL_KEY, RESOURCES, Resource, StripeObject
from sidecar.core.urgency import Urgency
from sidecar.errors import InvalidPayload, ItemConflict, PermissionDenied, StripeRejected

OWN, OTHER, FOREIGN = "cus_OWN", "cus_OTHER", "cus_FOREIGN"


def thing(resource: Resource, name: str, owner: str | None = None, **more: object) -> StripeObject:
    """Make an object that names its customer, as an ID, if its kind names one."""
    own: dict[str, object] = {}
    if not resource.via and resource.owned and resource.kind != "customer":
        own = naming(resource, owner)
    prefix = resource.prefixes[0] if resource.prefixes else "x"
    return {resource.identity: f"{prefix}_{name}", "object": resource.kind, **own, **more}


def naming(resource: Resource, owner: str | None) -> dict[str, object]:
    """Give the part of an object that names its customer, as Stripe writes it."""
    if resource is EPHEMERAL_KEY:
        return {"associated_objects": [] if owner is None else [{"type": "customer", "id": owner}]}
    found: dict[str, object] = {}
    for name in reversed(resource.customer_at):
        found = {name: found or owner}
    return found


@dataclass
class Stripe:
    """`answer` is the answer to any change; `status` is the one to a missing ID."""

    objects: dict[str, StripeObject] = field(default_factory=dict)
    answer: StripeObject = field(default_factory=dict)
    status: int = 404
    retrieved: list[tuple[str, str]] = field(default_factory=list)
    sent: list[tuple[str, str, Mapping[str, object], str | None, Urgency]] = field(default_factory=list)

    @classmethod
    def of(cls, *objects: StripeObject) -> "Stripe":
        return cls({str(each["id"]): each for each in objects})

    async def retrieve(self, path: str, object_id: str, **_: Urgency) -> StripeObject:
        self.retrieved.append((path, object_id))
        found = self.objects.get(object_id)
        if found is None or RESOURCES[str(found["object"])].path != path:
            raise StripeRejected("Stripe does not accept this request.", status=self.status, extensions={})
        return found

    async def send(self, request: ChangeRequest) -> Sent:
        parameters = dict(request.parameters)
        self.sent.append((request.method, request.path, parameters, request.key, request.urgency))
        return Sent(self.answer)


@dataclass
class Ownership:
    """Only the customers in `own` are the caller's; `asked` are the customers that were looked up."""

    own: tuple[str, ...] = (OWN, OTHER)
    asked: list[str | None] = field(default_factory=list)
    required_any: int = 0

    async def require_any(self) -> None:
        self.required_any += 1
        if not self.own:
            raise self.refusal()

    async def require_own(self, customer_id: str | None) -> None:
        self.asked.append(customer_id)
        if customer_id not in self.own:
            raise self.refusal()

    async def only_customer(self) -> str:
        if not self.own:
            raise self.refusal()
        if len(self.own) > 1:
            raise InvalidPayload("customer: say which one.")
        return self.own[0]

    def refusal(self) -> PermissionDenied:
        return PermissionDenied("not yours", reason="not_visible")

    def unknown(self, customer_id: str) -> ItemConflict:
        return ItemConflict(f"{customer_id} is unknown")
