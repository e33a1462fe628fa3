"""Requests without a credential: Directus's public policy decides on what the operator opened, and on nothing else."""

import json
from collections.abc import Callable, Mapping

import pytest

from sidecar.core.operations.table import OPERATIONS
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.everybody import publish, reader
from tests.doubles.invariants import log_records
from tests.doubles.running_app import SERVICE_TOKEN, RunningApp
from tests.doubles.stripe import CLIENT_SECRET
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.conftest import OpenShop

OPEN = [row.name for row in OPERATIONS if row.for_guests]
PUBLIC: Mapping[str, str] = dict.fromkeys(OPEN, 'collection = "shop"\npublic = true')
CHECKOUT = CASES["checkout_sessions.create"]
GUEST_CHECKOUT = CHECKOUT.bare({name: value for name, value in CHECKOUT.json.items() if name != "customer"})
FREE = {name: CASES[name] for name in OPEN} | {CHECKOUT.name: GUEST_CHECKOUT}
SERVICE = {"DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN}
Published = Callable[[DirectusDouble], object]


def both(directus: DirectusDouble) -> None:
    """Grant everybody all that the open operations take."""
    publish(directus, "shop")
    publish(directus, "shop", "update")


def few_fields(directus: DirectusDouble) -> None:
    publish(directus, "shop", "update", "id")


async def opened(
    open_shop: OpenShop,
    directus: DirectusDouble,
    published: Published = both,
    tables: Mapping[str, str] = PUBLIC,
    **settings: str,
) -> RunningApp:
    shop = await open_shop(tables, **SERVICE, **settings)
    directus.add_users([reader()])
    published(directus)
    return shop


def shape(answer: Answer) -> tuple[int, str | None, object]:
    return answer.status, answer.code, answer.extensions.get("reason")


def test_what_can_be_opened() -> None:
    """Only reading what is nobody's, and the checkout, can be open to everybody."""
    assert OPEN == [
        "checkout_sessions.create",
        "products.list",
        "products.retrieve",
        "prices.list",
        "prices.retrieve",
    ]
    assert [row.name for row in OPERATIONS if row.for_guests and (row.resource.owned or row.changes)] == [CHECKOUT.name]


async def test_closed_by_default(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """A4: Without `public = true` nobody is let in without a credential, whatever the public policy grants."""
    shop = await opened(open_shop, directus, tables={})
    for collection in ("shop", "customers"):
        for action in ("read", "create", "update"):
            publish(directus, collection, action)

    answers = {name: await case.call(shop, None) for name, case in CASES.items()}

    assert {name: shape(each) for name, each in answers.items()} == dict.fromkeys(CASES, (401, "NO_CREDENTIALS", None))
    assert directus.requests == []


async def test_the_others_stay_closed(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """A4: One open operation opens no other."""
    shop = await opened(open_shop, directus)
    closed = [name for name in CASES if name not in OPEN]

    answers = {name: shape(await CASES[name].call(shop, None)) for name in closed}

    assert answers == dict.fromkeys(closed, (401, "NO_CREDENTIALS", None))
    assert directus.requests == []


async def test_open(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """Where the public policy grants it, everybody is served, and Directus is asked with the service token alone."""
    shop = await opened(open_shop, directus)

    answers = {name: (await case.call(shop, None)).status for name, case in FREE.items()}

    assert answers == {name: case.status for name, case in FREE.items()}
    questions = len(directus.requests)
    assert {request.values("Authorization")[0] for request in directus.requests} == {f"Bearer {SERVICE_TOKEN}"}
    assert (await shop.call(None, "/stripe/products?limit=1", source="127.0.0.2")).status == 200
    assert len(directus.requests) == questions


@pytest.mark.parametrize(
    "published",
    [
        lambda _: None,
        lambda directus: publish(directus, "shop", "read"),
        lambda directus: publish(directus, "shop", "update", item={"id": {"_eq": 1}}),
        lambda directus: publish(directus, "customers", "update"),
        lambda directus: publish(directus, "shop", "update", ip_access=["192.0.2.1"]),
        lambda directus: publish(directus, "shop", "update").update(role="clerk"),
        lambda directus: publish(directus, "shop", "update").update(user="ada"),
    ],
    ids=["nothing", "another action", "some items", "another collection", "elsewhere", "a role's", "a user's"],
)
async def test_not_granted(directus: DirectusDouble, open_shop: OpenShop, published: Published) -> None:
    """What the public policy does not grant for every item is refused, remembered, and never a 403."""
    shop = await opened(open_shop, directus, published, DENIED_STATUS="403")

    first = await GUEST_CHECKOUT.call(shop, None)
    questions = len(directus.requests)
    again = await GUEST_CHECKOUT.call(shop, None)

    assert [shape(each) for each in (first, again)] == [(401, "NO_CREDENTIALS", "no_access")] * 2
    assert "public policy" in first.message
    assert len(directus.requests) == questions
    assert shop.stripe.asked == []


async def test_a_service_that_may_not_read_policies(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """O2: Where the service cannot tell what everybody may do, nobody is let in without a credential."""
    shop = await opened(open_shop, directus)
    directus.users[SERVICE_TOKEN].permissions = grants(read=full())

    assert shape(await CASES["products.list"].call(shop, None)) == (401, "NO_CREDENTIALS", "no_access")


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Basic YTpi")],
        [("Authorization", "Bearer  x")],
        [("Authorization", "Bearer a b")],
        [("Authorization", "token")],
        [("Cookie", "directus_session_token=")],
        [("Cookie", "another=x")],
    ],
    ids=str,
)
async def test_no_credential_by_directus_rules(
    directus: DirectusDouble, open_shop: OpenShop, headers: list[tuple[str, str]]
) -> None:
    """A3: What Directus does not read as a credential is none, so whoever sends it is a guest."""
    shop = await opened(open_shop, directus)

    answer = await CASES["products.list"].call(shop, None, *headers)

    assert answer.status == 200, answer.body


@pytest.mark.parametrize("code", ["INVALID_CREDENTIALS", "TOKEN_EXPIRED", "INVALID_TOKEN"])
@pytest.mark.parametrize("place", ["header", "query", "cookie"])
async def test_a_bad_credential_is_no_guest(
    directus: DirectusDouble, open_shop: OpenShop, code: str, place: str
) -> None:
    """A6: A credential that Directus refuses is a 401 with its code, also where everybody without one is let in."""
    shop = await opened(open_shop, directus)
    gone = User("gone", "MARKED-gone", refused=code)
    directus.add_users([gone])
    shop.tokens.add(gone.token)
    target, user = "/stripe/products?limit=1", gone if place == "header" else None
    headers = [("Cookie", f"directus_session_token={gone.token}")] if place == "cookie" else []

    answer = await shop.call(
        user, f"{target}&access_token={gone.token}" if place == "query" else target, headers=headers
    )

    assert (answer.status, answer.code) == (401, code)


@pytest.mark.parametrize("target", ["/stripe/products?access_token=", "/stripe/products?access_token=a&access_token=b"])
async def test_an_unclear_credential_is_no_guest(directus: DirectusDouble, open_shop: OpenShop, target: str) -> None:
    """A2: An ambiguous credential stays a 400."""
    shop = await opened(open_shop, directus)

    assert (await shop.call(None, target)).status == 400


async def test_a_user_without_the_permission_is_no_guest(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """Somebody who is known has what Directus gives this user, and not what it gives everybody without a role."""
    shop = await opened(open_shop, directus)
    poor = User("poor", "MARKED-poor")
    directus.add_users([poor])
    shop.tokens.add(poor.token)

    assert shape(await CASES["products.list"].call(shop, poor)) == (401, "FORBIDDEN", "no_access")


async def test_an_unruled_permission_beside_a_ruled_one(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """O2: A public policy's permission without an item rule gives whole access beside another one with a rule."""
    shop = await opened(open_shop, directus, lambda _: publish(directus, "shop", item={"id": {"_eq": 1}}))
    publish(directus, "shop", "read", "id")

    assert (await CASES["products.list"].call(shop, None)).status == 200


async def test_fields(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """R6: A guest sees what the fields of the public permission map to."""
    tables = {
        **PUBLIC,
        "products.retrieve": f'{PUBLIC["products.retrieve"]}\nfields = {{ title = "statement_descriptor" }}',
    }
    shop = await opened(open_shop, directus, lambda _: publish(directus, "shop", "read", "title"), tables)

    product = (await CASES["products.retrieve"].call(shop, None)).json()
    price = (await CASES["prices.retrieve"].call(shop, None)).json()

    assert "statement_descriptor" in product
    assert "metadata" not in product | price


async def test_addresses(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """C2: A public policy with `ip_access` lets guests in at its addresses only, in any order."""
    shop = await opened(open_shop, directus, lambda _: publish(directus, "shop", ip_access=["127.0.0.2"]))
    case = CASES["products.retrieve"]

    answers = [
        (await shop.call(None, f"/stripe{case.target}", source=f"127.0.0.{number}")).status for number in (1, 2, 1, 2)
    ]

    assert answers == [401, 200, 401, 200]


@pytest.mark.parametrize("exposed", [False, True])
async def test_checkout(directus: DirectusDouble, open_shop: OpenShop, *, exposed: bool) -> None:
    """A guest gets the page of the session that it made, and its secret only where secrets are exposed."""
    shop = await opened(open_shop, directus, few_fields, STRIPE_EXPOSE_CLIENT_SECRET=str(exposed).lower())
    shop.shows_client_secrets = exposed

    answer = await GUEST_CHECKOUT.call(shop, None)

    session = answer.json()
    assert (answer.status, session["object"]) == (201, "checkout.session")
    assert session["url"]
    assert (CLIENT_SECRET in json.dumps(session)) is exposed
    [sent] = [request for request in shop.stripe.asked if request.method == "POST"]
    assert not [name for name, _ in sent.form if name.startswith("customer")]


async def test_nobody_answers_for_a_checkout(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """The audit names no user for what a guest made, and no event: so its line is a guest's."""
    shop = await opened(open_shop, directus)

    answer = await GUEST_CHECKOUT.call(shop, None)

    [line] = log_records(shop.log, "changed at Stripe")
    assert (line["object"], line["user"], line["event"]) == (answer.json()["id"], None, None)


@pytest.mark.parametrize("customer", ["cus_OWN", "cus_ABSENT"])
async def test_a_guest_names_no_customer(directus: DirectusDouble, open_shop: OpenShop, customer: str) -> None:
    """R2: A guest has no customer, so it may name none."""
    shop = await opened(open_shop, directus)
    publish(directus, "customers")

    answer = await GUEST_CHECKOUT.having(customer=customer).call(shop, None)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert answer.message.startswith("customer: ")
    assert shop.stripe.asked == []


async def test_a_guest_has_no_keys(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """W5: Nobody could tell one guest's idempotency key from another's, so a guest may choose none."""
    shop = await opened(open_shop, directus)

    answer = await GUEST_CHECKOUT.call(shop, None, ("Idempotency-Key", "checkout-1"))

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert answer.message.startswith("Idempotency-Key: ")
    assert shop.stripe.asked == []


async def test_two_checkouts_are_two(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """W5: Equal requests of guests have their effect each, so no guest gets another one's session."""
    shop = await opened(open_shop, directus)

    answers = [await GUEST_CHECKOUT.call(shop, None) for _ in range(2)]

    assert len({each.json()["id"] for each in answers}) == 2


async def test_only_these_prices(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """The operator's list of prices holds for guests too."""
    tables = {**PUBLIC, CHECKOUT.name: f'{PUBLIC[CHECKOUT.name]}\nprices = ["price_OTHER"]'}
    shop = await opened(open_shop, directus, both, tables)

    answer = await GUEST_CHECKOUT.call(shop, None)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert shop.stripe.asked == []


async def test_directus_away(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """C6: A guest is not let in while Directus cannot be asked, and is told so; nothing of it is remembered."""
    shop = await opened(open_shop, directus)
    directus.fail(faults.answer(503, "{}"), times=1)

    answers = [(await CASES["products.list"].call(shop, None)).status for _ in range(2)]

    assert answers == [503, 200]
