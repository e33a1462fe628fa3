"""The usual kinds of rows of the table, with what the rows of each have in common."""

from functools import partial

from sidecar.core.access.permissions import Action
from sidecar.core.operations.row import Kind, Operation, Scoping

listed = partial(Operation, method="GET", kind=Kind.LIST, action=Action.READ)
retrieved = partial(Operation, method="GET", kind=Kind.RETRIEVE, action=Action.READ, scoping=Scoping.OWNED)
created = partial(Operation, method="POST", kind=Kind.CREATE, action=Action.UPDATE, scoping=Scoping.FILLED)
changed = partial(Operation, method="POST", kind=Kind.ACT, action=Action.UPDATE, scoping=Scoping.OWNED)
offered = partial(Operation, method="GET", action=Action.READ, on_customers=False)  # no customer owns it
