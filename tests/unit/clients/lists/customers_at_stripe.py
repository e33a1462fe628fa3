"""Payments by customer and customers by ID at Stripe, with pages as docs.stripe.com/api/pagination describes them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from sidecar.core.operations.list_query import Span
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import ItemConflict, StripeRejected, StripeUnavailable

Payments = dict[str, list[StripeObject]]


@dataclass(slots=True)
class Stripe:
    """`payments` by customer, newest first; `customers` by ID, None for an error. Each call takes `latency` seconds.

    `change` is called with the number of each call of a page before it is answered. `asked` has the customer, and
    `limits` the limit of each page.
    """

    payments: Payments = field(default_factory=dict)
    customers: Mapping[str, StripeObject | None] = field(default_factory=dict)
    tamper: Callable[[int, Page], Page] = lambda _, page: page
    change: Callable[[int], None] = lambda _: None
    latency: float = 1
    under_way: int = 0
    most_under_way: int = 0
    asked: list[str] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    urgencies: set[Urgency] = field(default_factory=set)
    given: int = 0  # objects

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:  # noqa: ARG002
        customer, limit = parameters["customer"], int(parameters["limit"])
        assert 1 <= limit <= 100
        self.limits.append(limit)
        await self._request(customer, urgency)
        self.change(len(self.limits))
        if customer not in self.payments:
            raise missing("customer", 400)
        bounds = (int(parameters[name]) if name in parameters else None for name in ("created[gte]", "created[lt]"))
        span, before = Span(*bounds), "ending_before" in parameters
        found = [entry for entry in self._rest(customer, parameters) if span.contains(int(str(entry["created"])))]
        given = found[-limit:] if before else found[:limit]
        self.given += len(given)
        page = Page(given, more=len(found) > limit, raw=orjson.dumps(given))
        return self.tamper(len(self.limits), page)

    def _rest(self, customer: str, parameters: Mapping[str, str]) -> list[StripeObject]:
        own = self.payments[customer]
        for name in ("starting_after", "ending_before"):
            if name in parameters:
                place = next((place for place, entry in enumerate(own) if entry["id"] == parameters[name]), None)
                if place is None:
                    raise missing(name, 400)
                return own[place + 1 :] if name == "starting_after" else own[:place]
        return own

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:  # noqa: ARG002
        await self._request(object_id, urgency)
        listed = {str(entry["id"]): entry for entries in self.payments.values() for entry in entries}
        if object_id not in {**listed, **self.customers}:
            raise missing("id", 404)
        found = {**listed, **self.customers}[object_id]
        if found is None:
            raise StripeUnavailable("down")
        return found

    async def _request(self, asked: str, urgency: Urgency) -> None:
        self.asked.append(asked)
        self.urgencies.add(urgency)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.latency)
        finally:
            self.under_way -= 1


def missing(parameter: str, status: int) -> StripeRejected:
    facts = {"type": "invalid_request_error", "code": "resource_missing", "param": parameter}
    return StripeRejected("no such object", status=status, extensions={"stripe": facts})


@dataclass(slots=True)
class Unknown:
    """`told` are the customers that the account does not have, in the order in which the list told of them."""

    told: list[str] = field(default_factory=list)

    def unknown(self, customer_id: str) -> ItemConflict:
        self.told.append(customer_id)
        return ItemConflict(customer_id)


def payments_of(owned: Mapping[str, list[int]], **attributes: object) -> Payments:
    """Give payments by their customers and times of creation."""
    return {
        customer: [
            {"id": f"pi_{customer}_{place}", "created": moment, "customer": customer, **attributes}
            for place, moment in enumerate(sorted(moments, reverse=True))
        ]
        for customer, moments in owned.items()
    }


def own_list(payments: Payments, span: Span = Span()) -> list[str]:  # noqa: B008 - it is frozen
    """Give the reference: the IDs of all objects, newest first, and by customer where the time is equal."""
    everything = [entry for customer in sorted(payments) for entry in payments[customer]]
    own = [entry for entry in everything if span.contains(int(str(entry["created"])))]
    own.sort(key=lambda entry: -int(str(entry["created"])))
    return [str(entry["id"]) for entry in own]
