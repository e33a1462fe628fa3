"""The policies with a permission without an item rule, as read with the service token."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.policies import READ, DirectusPolicies, may_read_policies
from sidecar.clients.http import open_session
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.permissions import Action, AllowedFields, Permissions
from sidecar.core.access.whole_access import Assignment, Policies, Unruled, ranges
from sidecar.errors import DirectusUnavailable
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, Grant, Payload, Row, User, full, grants, partial

SERVICE = Credential("service", Source.SERVICE, None)
OWN = {"owner": {"_eq": "$CURRENT_USER"}}
NAME = AllowedFields(frozenset({"name"}))


def all_of(**other: Grant) -> Payload:
    """The service token's permissions, with other ones on the collections that are named here."""
    return {name: grants(name, read=other.get(name, full(*fields)))[name] for name, fields in READ.items()}


def permission(policy: str | None = "clerks", action: str = "read", **values: object) -> Row:
    row: Row = {"id": 1, "collection": "customers", "action": action, "fields": ["name"], "permissions": None}
    return {**row, "policy": policy, **values}


@asynccontextmanager
async def policies_of(
    directus: DirectusDouble,
    permissions: Payload | None = None,
    collections: Collection[str] = ("customers", "orders"),
    **user: Any,  # noqa: ANN401 - fields of a User
) -> AsyncIterator[DirectusPolicies]:
    directus.add_users([User("service", "service", all_of() if permissions is None else permissions, **user)])
    async with open_session(total=30, connect=30, connections=3) as session:
        client = DirectusClient(session, directus.url, address_header="X-Forwarded-For")
        yield DirectusPolicies(client, SERVICE, collections, "the service's")


def shop(directus: DirectusDouble) -> None:
    """A policy of clerks, which a role and a user hold, and the parent of that role."""
    directus.system["permissions"] += [permission(), permission("members", permissions=OWN)]
    directus.system["policies"] += [{"id": name, "name": name, "ip_access": None} for name in ("clerks", "members")]
    directus.system["access"] += [
        {"id": "a1", "policy": "clerks", "role": "clerk", "user": None},
        {"id": "a2", "policy": "clerks", "role": None, "user": "ada"},
        {"id": "a3", "policy": "members", "role": "member", "user": None},
    ]
    directus.system["roles"] += [{"id": "clerk", "parent": "staff"}, {"id": "staff", "parent": None}]


async def test_who_holds_what(directus: DirectusDouble) -> None:
    """O2: Permissions without a rule are found with their holders; a rule of another policy is none of them."""
    shop(directus)
    async with policies_of(directus) as source:
        found = await source.policies()

    assert found == Policies(
        [Unruled("clerks", "customers", Action.READ, NAME)],
        [Assignment("clerks", "clerk", None), Assignment("clerks", None, "ada")],
        {"clerk": "staff", "staff": None},
        {},
    )


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        (permission(permissions={}), True),
        (permission(permissions=[]), True),
        (permission(permissions=0), False),
        (permission(permissions=False), False),
        (permission(permissions={"_and": []}), False),
        (permission(permissions=OWN), False),
        (permission(permissions=""), False),
        (permission(policy=None), False),
        (permission(action="everything"), False),
        (permission(collection="orders"), True),
        (permission(collection="others"), False),
    ],
)
async def test_what_has_no_rule(directus: DirectusDouble, row: Row, counts: bool) -> None:  # noqa: FBT001 - the expectation
    """O2: null, {} and [] are none, as in Directus; anything else may be one, and other collections do not count."""
    shop(directus)
    directus.system["permissions"][:] = [row]
    async with policies_of(directus) as source:
        found = await source.policies()

    assert found is not None
    assert len(found.unruled) == counts


@pytest.mark.parametrize("fields", [None, [], ["*"], ["name", 7]])
async def test_fields(directus: DirectusDouble, fields: object) -> None:
    """C3: Fields that are null or no names are none; a permission to delete has no fields of its own."""
    shop(directus)
    directus.system["permissions"][:] = [permission(fields=fields), permission(action="delete", fields=None)]
    async with policies_of(directus) as source:
        found = await source.policies()

    assert found is not None
    names = frozenset(name for name in fields if isinstance(name, str)) if isinstance(fields, list) else frozenset()
    assert [each.fields for each in found.unruled] == [AllowedFields(names), AllowedFields(frozenset({"*"}))]


@pytest.mark.parametrize("collection", READ)
@pytest.mark.parametrize("grant", ["partial", "without a field", "none"])
async def test_a_token_that_may_not_read_everything(directus: DirectusDouble, collection: str, grant: str) -> None:
    """O2: Such a token tells nothing: Directus blanks what it may not read, and a blank rule looks like none."""
    fields = READ[collection]
    rights = {"partial": partial(*fields), "without a field": full(*fields[:-1]), "none": {"access": "none"}}[grant]
    shop(directus)
    async with policies_of(directus, all_of(**{collection: rights})) as source:
        assert await source.policies() is None

    assert [request.path for request in directus.requests] == ["/permissions/me"]


async def test_rights_that_go_meanwhile(directus: DirectusDouble) -> None:
    """O2: A rule may be blank because the right to read it went while the rows were read, so nothing counts."""
    shop(directus)

    async def blank(_request: web.Request, _handler: faults.Handler) -> web.StreamResponse:
        directus.users["service"].permissions = all_of(directus_permissions=partial("*"))
        return web.json_response({"data": [permission("members", permissions=None)]})

    directus.fail(blank, when=lambda request: request.path == "/permissions")
    async with policies_of(directus) as source:
        assert await source.policies() is None


async def test_a_refused_token(directus: DirectusDouble) -> None:
    """A service token that Directus refuses tells nothing, and is no outage."""
    async with policies_of(directus, refused="INVALID_CREDENTIALS") as source:
        assert await source.policies() is None


@pytest.mark.parametrize("path", ["/permissions/me", "/permissions", "/policies", "/access", "/roles"])
async def test_an_outage(directus: DirectusDouble, path: str) -> None:
    """C6: An outage is no answer, at whichever question it happens."""
    shop(directus)
    directus.fail(faults.answer(503), when=lambda request: request.path == path)
    async with policies_of(directus) as source:
        with pytest.raises(DirectusUnavailable):
            await source.policies()


async def test_policies_for_some_addresses(directus: DirectusDouble) -> None:
    """O2: A policy with `ip_access` has its ranges, where Directus believes the addresses that we pass on."""
    shop(directus)
    directus.system["policies"][0]["ip_access"] = ["10.0.0.0/8"]
    async with policies_of(directus, ip_access=["0.0.0.0/0"]) as source:
        found = await source.policies()

    assert found is not None
    assert found.ranges == {"clerks": ranges(["10.0.0.0/8"])}
    assert len(found.assignments) == 2


async def test_addresses_that_directus_does_not_believe(directus: DirectusDouble) -> None:
    """O2: Where it does not show that Directus believes our addresses, a policy with `ip_access` counts for nobody."""
    shop(directus)
    directus.system["policies"][0]["ip_access"] = ["10.0.0.0/8"]
    async with policies_of(directus) as source:
        found = await source.policies()

    assert found is not None
    assert found.assignments == []


async def test_a_token_with_app_access(directus: DirectusDouble) -> None:
    """O2: The app's own permissions, which such a token lists beside the stored ones, are left out."""
    shop(directus)
    directus.system["permissions"].append(permission(collection="directus_users", fields=["email"]))
    async with policies_of(directus, collections=["directus_users"], app_access=True) as source:
        found = await source.policies()

    assert found is not None
    assert [each.fields for each in found.unruled] == [AllowedFields(frozenset({"email"}))]


async def test_an_odd_list_of_addresses(directus: DirectusDouble) -> None:
    """C3: An `ip_access` that is no list applies nowhere."""
    shop(directus)
    directus.system["policies"][0]["ip_access"] = "10.0.0.0/8"
    async with policies_of(directus, ip_access=["0.0.0.0/0"]) as source:
        found = await source.policies()

    assert found is not None
    assert found.ranges == {"clerks": []}


async def test_a_policy_that_went_meanwhile(directus: DirectusDouble) -> None:
    """O2: A policy that is not there any more when its addresses are asked for gives nothing to its holders."""
    shop(directus)
    directus.system["policies"].clear()
    async with policies_of(directus) as source:
        assert await source.policies() == Policies()


async def test_more_than_the_bound(directus: DirectusDouble) -> None:
    """F5: More assignments than the bound tell nothing, instead of costing ever more questions."""
    shop(directus)
    directus.system["access"] += [
        {"id": f"x{number}", "policy": "clerks", "role": None, "user": f"u{number}"} for number in range(5_200)
    ]
    async with policies_of(directus) as source:
        assert await source.policies() is None


async def test_the_services_own_policy(directus: DirectusDouble) -> None:
    """Where only the service's own policy has no rule, nobody else holds one, so no more is asked."""
    directus.system["permissions"] += [permission("own")]
    directus.system["policies"] += [{"id": "own", "name": "the service's", "ip_access": ["10.0.0.0/8"]}]
    async with policies_of(directus) as source:
        assert await source.policies() == Policies()

    assert [request.path for request in directus.requests] == ["/permissions/me", "/permissions", "/policies"]


async def test_a_shop_without_such_permissions(directus: DirectusDouble) -> None:
    """Where every permission has a rule, two questions tell that nobody has whole access."""
    directus.system["permissions"] += [permission("members", permissions=OWN)]
    async with policies_of(directus) as source:
        assert await source.policies() == Policies()

    assert [request.path for request in directus.requests] == ["/permissions/me", "/permissions"]


def test_an_administrators_token() -> None:
    """A token that may read everything may read policies."""
    everything = {name: grants(name, read=full())[name] for name in READ}

    assert may_read_policies(Permissions.from_directus(everything, READ))
    assert not may_read_policies(Permissions({}))
