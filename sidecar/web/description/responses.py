"""What an operation answers: results and refusals, with the headers that the service sets on them."""

from collections.abc import Mapping

from sidecar.core.operations.resources import Resource
from sidecar.core.operations.row import Kind, Operation
from sidecar.web.description.schemas import Schema, found_name, page_name, reference, whole_name

REFUSALS = {
    "400": "The request does not fit this operation, or Stripe does not accept a value in it.",
    "401": "The request has no credential, or none as `Bearer` in its Authorization header, Directus does not accept "
    "it, it is a share's or names no user, or it does not give the permission.",
    "402": "Stripe cannot complete the payment, for example because the card was declined.",
    "403": "A page of another site used a visitor's session (FOREIGN_ORIGIN: ALLOWED_ORIGINS does not list it), "
    "Directus refuses the item, or the caller does not have the permission, or is nobody, and DENIED_STATUS is 403.",
    "404": "There is no such object, no such route, or the operation is off (OPERATION_OFF; STRIPE_OPERATIONS turns it"
    " on).",
    "408": "The body did not arrive in time.",
    "409": "The request conflicts with what is there, or with another request that has the same key; the caller's"
    " item names a customer that is not in the Stripe account, or none of its items names one (NO_CUSTOMER_YET).",
    "413": "The body is too long.",
    "415": "The body is not application/json.",
    "417": "The request has an Expect other than 100-continue.",
    "422": "The caller has more customers than a caller with partial access may list.",
    "424": "Something outside of Stripe that the request depends on failed.",
    "429": "The rate limit of Stripe is reached. Retry-After says when to try again.",
    "431": "The headers or the address are too long.",
    "500": "The service made an error, and logged it.",
    "502": "Stripe gave no result.",
    "503": "Directus could not be asked, Stripe does not accept the service's key, or the service is busy;"
    " extensions.reason says which: directus, stripe_key or capacity.",
    "504": "Stripe did not answer in time.",
}
_RETRIED = frozenset({"429", "503"})

HEADERS: Mapping[str, Schema] = {
    "Age": {
        "description": "Only on what Stripe was not asked for now: how many seconds ago it was.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 60},
    },
    "Cache-Control": {"description": "No cache may store an answer.", "schema": {"const": "no-store"}},
    "Retry-After": {
        "description": "Seconds to wait before the next try.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-Request-Id": {
        "description": "The request's ID in the logs: the one that the client or a proxy sent, or a new one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{8,64}$"},
    },
    "X-Stripe-Consistency": {
        "description": "Only on a search: Stripe finds what is new or changed after a minute, or later.",
        "schema": {"const": "eventual"},
    },
    "X-Write-Back": {
        "description": "Only on a new customer whose ID is not in its item yet. `reconcile` or a retry writes it.",
        "schema": {"const": "pending"},
    },
}
_ALWAYS = ("Cache-Control", "X-Request-Id")


def results(operation: Operation, *, write_back: bool) -> dict[str, Schema]:
    """Describe the answers of an operation that succeeds, by status."""
    one = reference(operation.resource.kind)
    aged = ("Age",) if operation.kind is Kind.RETRIEVE else ()
    result = _result("The object, as far as the caller may see it.", one, *aged)
    match operation.kind:
        case Kind.LIST:
            return {"200": _list(operation.resource)}
        case Kind.SEARCH:
            found = reference(found_name(operation.resource))
            return {"200": _result("What was found, as Stripe answers it.", found, "X-Stripe-Consistency")}
        case Kind.CREATE:
            return {"201": result}
        case Kind.CREATE_CUSTOMER if write_back:
            pending = {"type": "object", "properties": {"write_back": {"const": "pending"}}}
            created = _result("The new customer.", {"allOf": [one, pending]}, "X-Write-Back")
            return {"201": created, "200": _result("The customer that the item already has.", one)}
        case Kind.CREATE_CUSTOMER:
            return {"201": _result("The new customer.", one)}
        case _:
            return {"200": result}


def refusals() -> dict[str, Schema]:
    """Refer to the refusals that every operation can answer."""
    return {status: {"$ref": f"#/components/responses/{status}"} for status in REFUSALS}


def refusal(status: str) -> Schema:
    more = ("Retry-After",) if status in _RETRIED else ()
    return _result(REFUSALS[status], reference("Errors"), *more)


def _result(description: str, schema: Schema, *headers: str) -> Schema:
    return {
        "description": description,
        "headers": _headers(*headers),
        "content": {"application/json": {"schema": schema}},
    }


def _list(resource: Resource) -> Schema:
    forms = [reference(whole_name(resource)), reference(page_name(resource))]
    lines = "One object a line. The last line says whether the list is complete."
    return {
        "description": "The whole list, or one page of it where the request has `limit`.",
        "headers": _headers("Age"),
        "content": {
            "application/json": {"schema": {"anyOf": forms}},
            "application/x-ndjson": {"schema": {"type": "string", "description": lines}},
        },
    }


def _headers(*more: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*_ALWAYS, *more)}
