"""What a request without a credential may not name: a guest has no customer, and so nothing that belongs to one."""

from collections.abc import Mapping

from sidecar.core.operations.parameters import Reference, found
from sidecar.core.operations.row import Operation
from sidecar.errors import InvalidPayload


def refuse_owned(operation: Operation, values: Mapping[str, object]) -> None:
    """Raise InvalidPayload for a value that names a customer, or an object that belongs to one, at any depth."""
    for place, kind, _ in found(operation.taken, values, Reference):
        if kind.resource.owned:
            raise InvalidPayload(
                f"{place}: names something of a customer's, and a request without a credential has no customer. "
                "Leave it out, or sign in to Directus."
            )
