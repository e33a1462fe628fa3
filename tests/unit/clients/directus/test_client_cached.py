"""No read is answered by Directus's cache (CACHE_ENABLED), of which the double forgets nothing."""

from collections.abc import AsyncIterator

import pytest

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.items import DirectusItems
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.directus.server_info import PATH, ServerInfo, read_info
from sidecar.clients.http import open_session
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.permissions import Action, Permissions
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.unit.clients.directus.sources import credential

CALLER = credential("token")
CUSTOMERS = CustomersCollection("customers", "id", "stripe_customer_id")


@pytest.fixture
async def directus() -> AsyncIterator[DirectusDouble]:
    async with DirectusDouble.running() as double:
        double.add_users([User("user", "token", grants(read=full(), update=full()), roles=["one"])])
        yield double


@pytest.fixture
async def client(directus: DirectusDouble) -> AsyncIterator[DirectusClient]:
    async with open_session(total=1, connect=1, connections=1) as session:
        yield DirectusClient(session, directus.url, address_header="X-Forwarded-For")


async def test_permissions_taken_away(directus: DirectusDouble, client: DirectusClient) -> None:
    """C8: permissions and roles are those of now, although Directus keeps its answers."""
    source = DirectusPermissions(client, {"customers"})
    before = await source.permissions(CALLER), await source.identity(CALLER)

    directus.users["token"].permissions, directus.users["token"].roles = {}, ["two"]

    assert before[0].grants
    assert await source.permissions(CALLER) == Permissions({})
    assert (before[1].roles, (await source.identity(CALLER)).roles) == (("one",), ("two",))


async def test_a_collection_called_data(directus: DirectusDouble, client: DirectusClient) -> None:
    """C3: permissions on a collection called "data" are not taken for the envelope of all of them."""
    directus.users["token"].permissions = grants("data", read=full("id"))

    found = await DirectusPermissions(client, {"data", "read"}).permissions(CALLER)

    assert found.grant("data", Action.READ).usable
    assert not found.grant("read", Action.READ).usable


async def test_an_item_that_changes(directus: DirectusDouble, client: DirectusClient) -> None:
    """W4: an item's ID and the right to change the item are those of now."""
    row = directus.add_row()
    key = row["id"]
    assert isinstance(key, int)
    items = DirectusItems(client, collection=CUSTOMERS, claim_timeout=1)
    before = await items.customer_id(CALLER, key), await items.may_update(CALLER, key)

    row["stripe_customer_id"] = "cus_1"
    directus.users["token"].permissions = grants(read=full())

    assert before == (None, True)
    assert (await items.customer_id(CALLER, key), await items.may_update(CALLER, key)) == ("cus_1", False)


async def test_two_shares(directus: DirectusDouble, client: DirectusClient) -> None:
    """C2: Directus's cache knows no shares, so to it all shares are one; none gets another's permissions."""
    directus.add_users([User(name, name, grants(f"of_{name}", read=full()), of_a_share=True) for name in ("a", "b")])
    source = DirectusPermissions(client, {"of_a", "of_b"})

    found = [(await source.permissions(credential(name))).grants for name in ("a", "b")]

    assert [{collection for collection, _ in grant} for grant in found] == [{"of_a"}, {"of_b"}]


async def test_what_directus_is(directus: DirectusDouble, client: DirectusClient) -> None:
    """A license or a limit that came since the last question shows, with a token and without."""
    async with open_session(total=1, connect=1, connections=1) as session:
        await read_info(session, directus.url)
        await client.request(CALLER, "GET", PATH)
        directus.limit_max, directus.license = 10, {"license": {"source": "key"}}

        told = ServerInfo.from_directus((await client.request(CALLER, "GET", PATH)).data)
        assert (told.query_limit, (await read_info(session, directus.url)).tells_license) == (10, True)


@pytest.mark.parametrize("content", ['{"data": {"customers": {}}}', '{"customers": {}}'])
async def test_a_directus_that_exports_otherwise(
    directus: DirectusDouble, client: DirectusClient, content: str
) -> None:
    """C3: an answer that says of itself that it is an export is read as one, and any other as an envelope."""
    directus.fail(faults.answer(200, content))

    answer = await client.request(CALLER, "GET", "/permissions/me")

    assert answer.data == ({"customers": {}} if "data" in content else None)
