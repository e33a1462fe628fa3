"""Which fields count for what a caller does: those of its rows, or those in every item."""

import pytest

from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.core.access.scope import Everything, NotLookedUp, Scope
from sidecar.web.admission.caller import Caller
from tests.doubles.collections import CUSTOMERS
from tests.unit.clients.directus.sources import credential

EVERYWHERE = AllowedFields(frozenset({"name"}))
SOMEWHERE = AllowedFields(frozenset({"name", "email"}))
NOTHING = AllowedFields()


@pytest.mark.parametrize(
    ("collection", "scope", "action", "unruled", "fields"),
    [
        (CUSTOMERS.name, NotLookedUp(), Action.READ, EVERYWHERE, SOMEWHERE),
        (CUSTOMERS.name, Everything(), Action.READ, EVERYWHERE, EVERYWHERE),
        (CUSTOMERS.name, NotLookedUp(), Action.UPDATE, EVERYWHERE, EVERYWHERE),
        (CUSTOMERS.name, NotLookedUp(), Action.UPDATE, NOTHING, SOMEWHERE),
        ("orders", NotLookedUp(), Action.READ, EVERYWHERE, EVERYWHERE),
        ("orders", Everything(), Action.READ, EVERYWHERE, EVERYWHERE),
        ("orders", NotLookedUp(), Action.READ, NOTHING, NOTHING),
        ("orders", Everything(), Action.CREATE, EVERYWHERE, EVERYWHERE),
    ],
)
def test_fields(collection: str, scope: Scope, action: Action, unruled: AllowedFields, fields: AllowedFields) -> None:
    """O2, R6: Fields that a rule adds count only where the rows of customers tell which rows these are."""
    permissions = Permissions({(collection, action): Grant(Access.PARTIAL, SOMEWHERE, unruled)})
    caller = Caller(credential("token"), permissions, Requirement(collection, action, CUSTOMERS), scope)

    assert caller.fields(action) == fields
