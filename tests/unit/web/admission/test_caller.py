"""Which fields count for what a caller does: those of its rows, or those in every item."""

import json
from base64 import urlsafe_b64encode

import pytest

from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.core.access.scope import Everything, NotLookedUp, Scope
from sidecar.web.admission.caller import Caller, name_of
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
    caller = Caller(credential("token"), permissions, Requirement(collection, action, CUSTOMERS), scope, "name")

    assert caller.fields(action) == fields


def session(user: str, number: int) -> str:
    """A token as Directus issues them."""
    payload = {"id": user, "session": f"s{number}", "iss": "directus"}
    parts = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "HS256"}, payload)]
    return f"{parts[0]}.{parts[1]}.signature"


def test_names() -> None:
    """F1: all sessions of one user are one caller, a static token is one by itself, and no name tells the token."""

    def name(token: str) -> str:
        return name_of(credential(token))

    zoe, eve = [session("zoe", number) for number in range(3)], session("eve", 0)

    assert len({name(token) for token in zoe}) == 1
    assert len({name(token) for token in (zoe[0], eve, "static-1", "static-2")}) == 4
    assert not any("static" in name(token) or "zoe" in name(token) for token in (*zoe, "static-1"))
