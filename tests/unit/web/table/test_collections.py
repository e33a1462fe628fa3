"""Rows that the operator maps to another collection, and the effect of an item rule there or on the customers."""

import pytest

from sidecar.core.operations.row import Scoping
from tests.doubles.directus import Grant, User, full, grants, partial
from tests.doubles.running_app import RunningApp
from tests.unit.web.table.cases import CASES, ENDING
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER, TENANT

NONE: Grant = {"access": "none"}
READ = partial("id", "stripe_customer_id")
MAPPED = {name: case for name, case in CASES.items() if case.row.scoping not in {Scoping.REFUSED, Scoping.IDENTITY}}
BILLS = {name: f'collection = "bills"\naction = "{case.row.action}"' for name, case in MAPPED.items()}
CATALOG = [name for name, case in CASES.items() if not case.row.resource.owned]


async def someone(app: RunningApp, customers: dict[str, Grant], /, **more: dict[str, Grant]) -> User:
    """A caller with these grants by collection and action, which owns the row of cus_OWN."""
    permissions = grants("customers", **customers)
    for collection, actions in more.items():
        permissions |= grants(collection, **actions)
    user = User("user-tenant", "MARKED-someone", permissions)
    app.directus.add_users([user])
    app.tokens.add(user.token)
    return user


def every(access: Grant) -> dict[str, Grant]:
    return dict.fromkeys(("create", "read", "update"), access)


async def verdicts(shop: RunningApp, user: User) -> set[tuple[int, str | None]]:
    answers = [await case.call(shop, user) for case in MAPPED.values()]
    return {(each.status, each.extensions.get("reason")) for each in answers}


async def test_full_there_and_full_on_customers(open_shop: OpenShop) -> None:
    """A caller with both full grants has no limit: it also gets answers about other customers."""
    shop = await open_shop(BILLS)
    user = await someone(shop, {"read": full()}, bills=every(full()))

    answers = {name: await case.about("FOREIGN").call(shop, user) for name, case in MAPPED.items()}

    assert {name: each.body for name, each in answers.items() if each.status not in {200, 201}} == {}


async def test_full_there_and_partial_on_customers(open_shop: OpenShop) -> None:
    """The right on the other collection allows the action, and the rows of customers limit it to the caller's own."""
    shop = await open_shop(BILLS)
    user = await someone(shop, {"read": READ}, bills=every(full()))
    foreign = [await case.about("FOREIGN").call(shop, user) for case in MAPPED.values() if case.owned]
    changes = [request.method for request in shop.stripe.asked if request.method != "GET"]

    own = {name: await case.call(shop, user) for name, case in MAPPED.items() if name not in ENDING}

    assert {(401, "not_visible")} == {(each.status, each.extensions["reason"]) for each in foreign}
    assert changes == []
    assert {name: each.body for name, each in own.items() if each.status not in {200, 201}} == {}


@pytest.mark.parametrize(
    ("customers", "bills", "reason"),
    [
        ({"read": full()}, partial(), "partial_access"),
        ({"read": READ}, partial(), "partial_access"),
        ({"read": full()}, NONE, "no_access"),
        ({"read": full(), "create": full(), "update": full()}, NONE, "no_access"),
        ({}, full(), "no_customers"),
        ({"create": full(), "update": full()}, full(), "no_customers"),
        ({"read": partial("id", "name")}, full(), "no_id_field"),
        ({"read": READ, "update": partial("stripe_customer_id")}, full(), "id_field_writable"),
        ({"read": READ, "create": full("*")}, full(), "id_field_writable"),
    ],
)
async def test_insufficient_grants(open_shop: OpenShop, customers: dict[str, Grant], bills: Grant, reason: str) -> None:
    """Each insufficient combination of the two grants is refused with its reason, on every row, before Stripe."""
    shop = await open_shop(BILLS)
    user = await someone(shop, customers, bills=every(bills))

    assert {(401, reason)} == await verdicts(shop, user)
    assert shop.stripe.asked == []


async def test_the_refusal_names_where_it_is_mended(open_shop: OpenShop) -> None:
    """Without readable rows of customers the answer names that collection and not the row's own."""
    shop = await open_shop(BILLS)
    user = await someone(shop, {}, bills=every(full()))

    answer = await CASES["invoices.retrieve"].call(shop, user)

    assert (answer.extensions["collection"], answer.extensions["action"]) == ("customers", "read")
    assert '"read" on the collection "customers"' in answer.message


@pytest.mark.parametrize("name", CATALOG)
@pytest.mark.parametrize(("access", "status"), [(full("id"), 200), (partial(), 401), (NONE, 401)])
async def test_objects_without_a_customer(shop: RunningApp, name: str, access: Grant, status: int) -> None:
    """Products, prices and the balance need full access to their collection; rows of customers do not matter."""
    user = await someone(shop, {}, shop={"read": access})

    assert status == (await CASES[name].call(shop, user)).status


async def test_readers_act_for_their_own_customers(open_shop: OpenShop) -> None:
    """If the operator lets readers act, a reader of all customers cannot act for them, a reader of its own can."""
    shop = await open_shop({"billing_portal_sessions.create": 'action = "read"'})
    case = CASES["billing_portal_sessions.create"]
    reader = User("user-reader", "MARKED-reader", grants(read=full()))
    shop.directus.add_users([reader])
    shop.tokens.add(reader.token)

    refused = await case.call(shop, reader)
    asked = [*shop.stripe.asked]
    answers = [await case.call(shop, user) for user in (TENANT, MANAGER)]

    assert (refused.status, refused.extensions["reason"], asked) == (401, "own_only", [])
    assert '"update" on the collection "customers"' in refused.message
    assert [each.status for each in answers] == [201, 201]


@pytest.mark.parametrize("fields", ["null", "star"])
async def test_deleting_needs_no_fields(open_shop: OpenShop, fields: str) -> None:
    """An operation under `delete` needs `delete` in Directus, and shows what the caller may read."""
    shop = await open_shop({"subscriptions.cancel": 'action = "delete"'})
    grant: Grant = {"access": "full"} if fields == "null" else full()
    user = await someone(shop, {"read": full("id", "stripe_customer_id"), "delete": grant})

    answer = await CASES["subscriptions.cancel"].call(shop, user)

    assert answer.status == 200
    assert set(answer.json()) <= CASES["subscriptions.cancel"].row.resource.base


@pytest.mark.parametrize("name", ["subscriptions.cancel", "setup_intents.create"])
async def test_changing_ones_own_takes_sight_of_its_key(shop: RunningApp, name: str) -> None:
    """Without the primary key Directus cannot be asked about an item; the refusal says so, before any question."""
    user = await someone(shop, {"read": partial("stripe_customer_id"), "update": partial("name")})

    answer = await CASES[name].call(shop, user)

    assert (answer.status, answer.extensions["reason"], shop.stripe.asked) == (401, "no_key_field", [])


@pytest.mark.parametrize("cursor", ["starting_after", "ending_before"])
async def test_a_cursor_names_a_customer(shop: RunningApp, cursor: str) -> None:
    """R3, R6: a caller that may not read customers' IDs cannot find out with a cursor which ones exist."""
    user = await someone(shop, {"read": full("name")})

    answer = await shop.call(user, f"/stripe/customers?limit=1&{cursor}=cus_OTHER")

    assert (answer.status, answer.extensions["reason"], shop.stripe.asked) == (401, "no_id_field", [])


async def test_an_action_of_the_operators(open_shop: OpenShop) -> None:
    """Directus must grant the action that the file names; the row's own action does not replace it."""
    shop = await open_shop({"invoices.retrieve": 'action = "share"'})
    user = await someone(shop, {"read": full(), "update": full(), "create": full()})

    answer = await CASES["invoices.retrieve"].call(shop, user)

    assert (answer.status, answer.extensions["reason"], answer.extensions["action"]) == (401, "no_access", "share")


@pytest.mark.parametrize(
    "name", ["invoices.retrieve", "payment_intents.cancel", "subscriptions.create", "charges.list"]
)
async def test_rows_that_may_be_read_and_not_changed(open_shop: OpenShop, name: str) -> None:
    """If a row needs `update`, the caller cannot act for a customer whose item it may only read."""
    shop = await open_shop({name: 'action = "update"'})
    user = await someone(shop, {"read": full("id", "stripe_customer_id"), "update": partial("name")})

    foreign, own = await CASES[name].about("FOREIGN").call(shop, user), await CASES[name].call(shop, user)

    assert (foreign.status, foreign.extensions["reason"]) == (401, "not_visible")
    assert CASES[name].status == own.status


@pytest.mark.parametrize("name", ["charges", "invoices", "subscriptions", "payment_methods", "payments", "customers"])
async def test_whole_lists_of_items_that_may_be_changed(open_shop: OpenShop, name: str) -> None:
    """If a list needs `update`, it contains the objects of items that the caller may update, and no others."""
    shop = await open_shop({f"{name}.list": 'action = "update"'})
    user = await someone(shop, {"read": full("id", "stripe_customer_id"), "update": partial("name")})

    answer = await shop.call(user, f"/stripe/{name}")

    assert answer.status == 200
    assert b"FOREIGN" not in answer.body
    assert b"OWN" in answer.body


@pytest.mark.parametrize(
    ("name", "status"), [("setup_intents.create", 201), ("billing_portal_sessions.create", 201), ("invoices.list", 200)]
)
async def test_the_customer_may_be_left_out(open_shop: OpenShop, name: str, status: int) -> None:
    """A scoped caller with one customer need not name it; with two it must, if only one can be meant."""
    shop = await open_shop(BILLS)
    user = await someone(shop, {"read": READ}, bills=every(full()))
    body: dict[str, object] = {each: value for each, value in CASES[name].json.items() if each == "return_url"}
    case = CASES[name].bare(body)

    alone = await case.call(shop, user)
    sent = shop.stripe.asked[-1]
    shop.directus.add_row(owner=user.name, stripe_customer_id="cus_OTHER")
    two = await case.call(shop, user)

    assert status == alone.status
    assert "cus_OWN" in sent.text()
    assert (200 if case.row.method == "GET" else 400) == two.status


@pytest.mark.parametrize(("read", "shown"), [(READ, True), (full("id", "stripe_customer_id"), False)])
async def test_a_secret_by_a_collections_field_list(open_shop: OpenShop, read: Grant, *, shown: bool) -> None:
    """With consent a field list on another collection shows the secret of the caller's own payment only if scoped."""
    shop = await open_shop(BILLS, STRIPE_EXPOSE_CLIENT_SECRET="true")
    shop.shows_client_secrets = True
    user = await someone(shop, {"read": read}, bills=every(full("id")))

    answer = await CASES["payment_intents.create"].call(shop, user)

    assert (answer.status, "client_secret" in answer.json()) == (201, shown)


@pytest.mark.parametrize(
    "name", ["charges.list", "invoices.list", "payment_intents.create", "billing_portal_sessions.create"]
)
async def test_naming_a_customer_takes_the_id_field(shop: RunningApp, name: str) -> None:
    """A caller that may see every customer but not its ID does not learn an object's owner, even by naming one."""
    user = await someone(shop, {"read": full("name"), "update": full("name")})

    answer = await CASES[name].call(shop, user)

    assert (answer.status, answer.extensions.get("reason")) == (401, "no_id_field")


@pytest.mark.parametrize("name", ["products.retrieve", "prices.retrieve"])
async def test_whole_objects_without_a_customer(shop: RunningApp, name: str) -> None:
    """A caller that may read every field of the deciding collection sees a product or price as Stripe wrote it."""
    user = await someone(shop, {}, shop={"read": full()})

    answer = await CASES[name].call(shop, user)

    assert "metadata" in answer.json()
