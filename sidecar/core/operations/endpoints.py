"""The endpoints of Stripe's API: a method and a path without IDs, for which Stripe counts calls."""

from functools import lru_cache

from sidecar.core.operations.resources import RESOURCES
from sidecar.core.operations.table import OPERATIONS

# What may follow a resource's path in the place of an ID.
_VERBS = frozenset(row.verb for row in OPERATIONS if row.verb and row.path_resource is not row.resource)


@lru_cache(maxsize=1024)
def endpoint(method: str, path: str) -> str:
    """Name the endpoint of a call, such as `POST /v1/payment_intents/:id/cancel`."""
    for resource in RESOURCES.values():
        _, _, rest = path.partition(f"{resource.path}/")
        if not path.startswith(f"{resource.path}/") or f"/{rest}" in _VERBS:
            continue
        _, slash, verb = rest.partition("/")
        return f"{method} {resource.path}/:id{slash}{verb}"
    return f"{method} {path}"
