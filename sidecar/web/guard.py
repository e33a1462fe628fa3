"""The gate is a type: a guarded handler takes a `Call`, and only `guard` makes one, after the gate let the caller in.

No middleware authenticates, so there is no list of paths that it should leave out.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from sidecar import context, tracing
from sidecar.core.access.policy import Reason, Requirement
from sidecar.core.flows.completion import Completion
from sidecar.core.flows.repeated_change import RepeatableStripe
from sidecar.core.interfaces import StripeCalls
from sidecar.core.operations.list_query import ListQuery
from sidecar.core.operations.operator_values import of_nobody
from sidecar.core.operations.row import Operation, named_object
from sidecar.core.operations.rules import Rule
from sidecar.errors import PermissionDenied
from sidecar.web.admission.answerable import AnswerableStripe, Subject
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.ownership import Ownership
from sidecar.web.keys import GATE, NOTES, OPERATION, PLACES, ROWS, ROWS_OF_ITEM, UNKNOWN_CUSTOMERS, VERDICT
from sidecar.web.requests.bodies import Reader
from sidecar.web.requests.queries import Queries
from sidecar.web.server.leaving import until_client_leaves
from sidecar.web.server.sending import send


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be served: well-formed for its operation, from a caller that was let in.

    `object_id` is the ID in the path. `filters` are the parameters by which a list chooses; `reader` reads the body of
    everything else.
    """

    rule: Rule
    request: web.Request
    ownership: Ownership
    reader: Reader
    query: ListQuery
    object_id: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        return self.rule.operation

    @property
    def caller(self) -> Caller:
        """The caller, with the customers that were found to be its own so far."""
        return self.ownership.caller

    def answerable(self, stripe: StripeCalls, told: str = "changed at Stripe") -> AnswerableStripe:
        """Give Stripe as this caller may change it: once Directus said who it is, with each change in the audit."""
        named = partial(self.request.app[GATE].user_id, self.caller)
        repeatable = RepeatableStripe(stripe, self.operation, self.object_id)
        return AnswerableStripe(repeatable, named, Subject(self.operation.name, self.object_id, told))

    def completion(self, answerable: AnswerableStripe) -> Completion:
        """Give what completes the request by the operator's values; Directus says once who the caller is."""
        fixed = self.rule.operator.fixed
        return Completion(of_nobody(fixed) if self.caller.is_guest else fixed, answerable.user, self.ownership.item_of)


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def guard(
    reader: Reader, requirement: Requirement, handler: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Let `handler` see only requests that are well-formed for the reader's operation and that Directus allows."""
    rule = reader.rule
    queries = Queries(reader)

    async def guarded(request: web.Request) -> web.StreamResponse:
        request[OPERATION] = rule.operation.name
        query, filters = queries.of(request)
        object_id = named_object(rule.operation, request.match_info)
        app = request.app
        gate, places = app[GATE], app[PLACES]
        try:
            with until_client_leaves(request) as client:
                with tracing.span("gate") as span:
                    caller = await gate.admit(request, requirement)
                    span.set("sidecar.permissions", str(request[NOTES].get("permissions")))
                name = caller.name
                context.caller.set(name)
                async with places.place(name) as place:
                    context.place.set(place)
                    ownership = await _owning(app, caller, object_id)
                    request[VERDICT] = Reason.GRANTED
                    if rule.operation.changes:
                        client.ignore()  # what has begun to change something has to finish
                    response = await handler(Call(rule, request, ownership, reader, query, object_id, filters))
                    await send(request, response)
                    return response
        except PermissionDenied as refusal:
            request[VERDICT] = refusal.reason
            raise

    return guarded


async def _owning(app: web.Application, caller: Caller, object_id: str | None) -> Ownership:
    """Where the path names a customer, let the caller only at a customer of its own."""
    rows = app[ROWS] if caller.shared_item is None else app[ROWS_OF_ITEM](caller.shared_item)
    ownership = Ownership(caller, rows, app[GATE].refusals, app[UNKNOWN_CUSTOMERS])
    if caller.requirement.names_customer and object_id is not None and not caller.has_all_customers:
        await ownership.require_own(object_id)
    return ownership
