"""What the operator sets and what a client may choose, from the request to what arrives at Stripe."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.directus import Grant, User, full, grants, partial
from tests.doubles.everybody import publish, reader
from tests.doubles.running_app import SERVICE_TOKEN, RunningApp
from tests.doubles.samples import RETURN_URL
from tests.doubles.server import Recorded
from tests.doubles.wire import Answer
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, TENANT

CHECKOUT = """
set.mode = "subscription"
set.automatic_tax.enabled = true
set.subscription_data.metadata = { user = "$user", item = "$item" }
allow = [
  "client_reference_id",
  "metadata.order",
  "subscription_data.metadata.cart",
  { discounts = [{ coupon = "SUMMER" }] },
  { discounts = [{ promotion_code = "promo_ABC" }] },
  { subscription_data = { trial_period_days = 14 } },
]
"""
SET = [
    ("automatic_tax[enabled]", "true"),
    ("mode", "subscription"),
    ("subscription_data[metadata][item]", "1"),
    ("subscription_data[metadata][user]", "user-tenant"),
]
PAGE = {"line_items": [{"price": "price_MONTH"}], "success_url": RETURN_URL}
SENT = [("customer", "cus_OWN"), ("line_items[0][price]", "price_MONTH"), ("success_url", RETURN_URL)]


async def post(app: RunningApp, user: User | None, path: str, body: object, method: str = "POST") -> Answer:
    headers = [("Content-Type", "application/json")]
    return await app.call(user, f"/stripe{path}", method=method, headers=headers, body=json.dumps(body).encode())


def changes(app: RunningApp) -> list[Recorded]:
    return [request for request in app.stripe.asked if request.method != "GET"]


def form(app: RunningApp) -> list[tuple[str, str]]:
    """Give the form of the one change that Stripe was asked for, in order."""
    [request] = changes(app)
    return sorted(request.form)


@pytest.fixture
async def shop(open_shop: OpenShop) -> RunningApp:
    return await open_shop({"checkout_sessions.create": CHECKOUT})


async def test_what_is_set_is_sent(shop: RunningApp) -> None:
    """What the operator sets arrives with what the client sent, and the words with who calls for which item."""
    answer = await post(shop, TENANT, "/checkout/sessions", PAGE)

    assert answer.status == 201, answer.body
    assert form(shop) == sorted([*SET, *SENT])


async def test_what_is_allowed_is_sent(shop: RunningApp) -> None:
    """A client's own texts, and one of the listed values, arrive beside what is set, also within the same object."""
    chosen = {
        "client_reference_id": "a&b=c",
        "metadata": {"order": "47"},
        "discounts": [{"promotion_code": "promo_ABC"}],
        "subscription_data": {"trial_period_days": 14, "metadata": {"cart": "é"}},
    }

    answer = await post(shop, TENANT, "/checkout/sessions", {**PAGE, **chosen})

    assert answer.status == 201, answer.body
    assert [each for each in form(shop) if each not in {*SET, *SENT}] == [
        ("client_reference_id", "a&b=c"),
        ("discounts[0][promotion_code]", "promo_ABC"),
        ("metadata[order]", "47"),
        ("subscription_data[metadata][cart]", "é"),
        ("subscription_data[trial_period_days]", "14"),
    ]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"mode": None}, "mode"),
        ({"automatic_tax": {"enabled": False}}, "automatic_tax"),
        ({"automatic_tax": {}}, "automatic_tax"),
        ({"automatic_tax": {"liability": {"type": "self"}}}, "automatic_tax"),
        ({"subscription_data": None}, "subscription_data"),
        ({"subscription_data": "x"}, "subscription_data"),
        ({"subscription_data": [{"trial_period_days": 14}]}, "subscription_data"),
        ({"subscription_data": {"metadata": None}}, "subscription_data.metadata"),
        ({"subscription_data": {"metadata": ""}}, "subscription_data.metadata"),
        ({"subscription_data": {"metadata": {"user": "me"}}}, "subscription_data.metadata.user"),
        ({"subscription_data": {"metadata": {"item": None}}}, "subscription_data.metadata.item"),
    ],
)
async def test_what_is_set_is_no_clients(shop: RunningApp, body: dict[str, object], place: str) -> None:
    """Whatever a client sends at a set place, above or below it is refused by name, and nothing is sent."""
    answer = await post(shop, TENANT, "/checkout/sessions", {**PAGE, **body})

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert answer.message == f"{place}: the operator sets it; leave it out."
    assert shop.stripe.asked == []


@pytest.mark.parametrize(
    "body",
    [
        {"discounts": [{"coupon": "WINTER"}]},
        {"discounts": [{"coupon": "SUMMER"}, {"promotion_code": "promo_ABC"}]},
        {"discounts": [{"coupon": "SUMMER", "promotion_code": "promo_ABC"}]},
        {"discounts": {"coupon": "SUMMER"}},
        {"discounts": []},
        {"subscription_data": {"trial_period_days": 15}},
        {"subscription_data": {"trial_period_days": "14"}},
        {"subscription_data": {"trial_period_days": True}},
        {"subscription_data": {"trial_end": 1}},
        {"metadata": {"other": "x"}},
        {"metadata": {"order[x]": "x"}},
        {"metadata": {"order": {"a": "x"}}},
        {"metadata": {"order": 47}},
        {"metadata": {"order": "x" * 501}},
        {"metadata": "x"},
        {"metadata[order]": "x"},
        {"client_reference_id": "x" * 201},
        {"client_reference_id": 3},
        {"discounts[0][coupon]": "WINTER"},
    ],
    ids=json.dumps,
)
async def test_nothing_else_may_be_chosen(shop: RunningApp, body: dict[str, object]) -> None:
    """A value that is not listed, another key, and a text of another type or length are refused unsent and unechoed."""
    answer = await post(shop, TENANT, "/checkout/sessions", {**PAGE, **body})

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert "SUMMER" not in answer.message
    assert shop.stripe.asked == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["subscription", "payment"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["enabled", "metadata", "user", "item", "cart"]) | st.text(max_size=9), inner)
    ),
    max_leaves=6,
)
places = st.sampled_from(
    ["mode", "automatic_tax", "subscription_data", "metadata", "automatic_tax[enabled]", "subscription_data[metadata]"]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(places, anything, max_size=3))
async def test_no_client_changes_what_is_set(shop: RunningApp, body: dict[str, Any]) -> None:
    """Whatever JSON a client sends, either nothing arrives at Stripe, or all that is set does, each once."""
    before = len(changes(shop))

    await post(shop, TENANT, "/checkout/sessions", {**PAGE, **body})

    for request in changes(shop)[before:]:
        sent = [each for each in request.form if each[0] in dict(SET)]
        assert sorted(sent) == SET


async def test_required_values_that_are_set_are_not_required(open_shop: OpenShop) -> None:
    """Where the operator sets what a client would have to send, an empty object is enough."""
    items = 'set.items = [{ price = "price_MONTH" }]\nset.payment_behavior = "default_incomplete"'
    shop = await open_shop({"subscriptions.create": items, "payment_intents.create": 'set.price = "price_ONE"'})

    first = await post(shop, TENANT, "/subscriptions", {})
    second = await post(shop, TENANT, "/payment_intents", {"quantity": 2})

    assert (first.status, second.status) == (201, 201), (first.body, second.body)
    assert [sorted(request.form) for request in changes(shop)] == [
        [("customer", "cus_OWN"), ("items[0][price]", "price_MONTH"), ("payment_behavior", "default_incomplete")],
        [
            ("amount", "500"),
            ("currency", "eur"),
            ("customer", "cus_OWN"),
            ("metadata[price]", "price_ONE"),
            ("metadata[quantity]", "2"),
        ],
    ]


async def test_an_amount_may_be_the_operators(open_shop: OpenShop) -> None:
    """A set amount needs no consent to clients' amounts, and leaves no client a price or a currency."""
    shop = await open_shop({"payment_intents.create": 'set = { amount = 500, currency = "usd" }'})

    answer = await post(shop, TENANT, "/payment_intents", {})
    refused = [
        await post(shop, TENANT, "/payment_intents", {name: value})
        for name, value in {"amount": 1, "currency": "eur", "price": "price_ONE", "quantity": 2}.items()
    ]

    assert answer.status == 201, answer.body
    assert form(shop) == [("amount", "500"), ("currency", "usd"), ("customer", "cus_OWN")]
    assert {each.status for each in refused} == {400}


async def test_our_own_metadata_stay(open_shop: OpenShop) -> None:
    """What shows how an amount came about is beside the operator's and the client's metadata."""
    lines = 'set.metadata.shop = "north"\nallow = ["metadata.order"]'
    shop = await open_shop({"payment_intents.create": lines})

    answer = await post(shop, TENANT, "/payment_intents", {"price": "price_ONE", "metadata": {"order": "7"}})

    assert answer.status == 201, answer.body
    assert [each for each in form(shop) if each[0].startswith("metadata")] == [
        ("metadata[order]", "7"),
        ("metadata[price]", "price_ONE"),
        ("metadata[quantity]", "1"),
        ("metadata[shop]", "north"),
    ]


async def test_a_change_clears_an_allowed_key(open_shop: OpenShop) -> None:
    """In a change null clears a key of metadata, and no client clears all of them."""
    shop = await open_shop({"subscriptions.update": 'allow = ["metadata.note"]'})

    cleared = await post(shop, TENANT, "/subscriptions/sub_OWN", {"metadata": {"note": None}})
    others: tuple[object, ...] = (None, "", [])
    refused = [await post(shop, TENANT, "/subscriptions/sub_OWN", {"metadata": value}) for value in others]

    assert cleared.status == 200, cleared.body
    assert form(shop) == [("metadata[note]", "")]
    assert {each.status for each in refused} == {400}


async def test_values_in_a_deletion_are_a_query(open_shop: OpenShop) -> None:
    """What is set for a DELETE is in its query, where Stripe reads it."""
    shop = await open_shop({"subscriptions.cancel": 'set = { prorate = true, cancellation_details.comment = "$user" }'})

    answer = await post(shop, TENANT, "/subscriptions/sub_OWN", {}, "DELETE")

    assert answer.status == 200, answer.body
    [request] = changes(shop)
    assert sorted(request.query.items()) == [("cancellation_details[comment]", "user-tenant"), ("prorate", "true")]


@pytest.mark.parametrize("query", ["", "?limit=2"])
async def test_a_list_chooses_by_what_is_set(open_shop: OpenShop, query: str) -> None:
    """What is set for a list chooses its objects, whole and by page; a client that chooses by it is refused."""
    shop = await open_shop({"prices.list": 'collection = "shop"\nset = { active = true, lookup_keys = ["a", "b"] }'})

    answer = await shop.call(MANAGER, f"/stripe/prices{query}")
    refused = await shop.call(MANAGER, "/stripe/prices?active=true")

    assert answer.status == 200, answer.body
    wanted = {("active", "true"), ("lookup_keys[0]", "a"), ("lookup_keys[1]", "b")}
    assert all(wanted <= set(parse_qsl(request.target.partition("?")[2])) for request in shop.stripe.asked)
    assert (refused.status, refused.message) == (400, "active: the operator sets it; leave it out.")


async def test_a_customers_metadata(open_shop: OpenShop) -> None:
    """A customer that is created for an item names it, and has the operator's metadata about it and its creator."""
    lines = 'set.metadata = { user = "$user", item = "$item" }\nset.tax_exempt = "none"\nallow = ["metadata.source"]'
    settings = {"STRIPE_WRITE_BACK": "true", "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN}
    shop = await open_shop({"customers.create": lines}, **settings)

    answer = await shop.create(CLERK, name="Ada", metadata={"source": "web"})

    assert answer.status == 201, answer.body
    [request] = changes(shop)
    sent = dict(request.form)
    assert {name: sent[f"metadata[{name}]"] for name in ("user", "source")} == {"user": "user-clerk", "source": "web"}
    assert sent["metadata[item]"] == sent["metadata[directus_item]"]
    assert (sent["tax_exempt"], "metadata[directus_signature]" in sent) == ("none", True)


async def test_a_customers_metadata_without_items(open_shop: OpenShop) -> None:
    """Without write-back a customer has the operator's metadata alone, and a client's own keys are refused."""
    shop = await open_shop({"customers.create": 'set.metadata.user = "$user"'})

    answer = await shop.create(CLERK, name="Ada")
    refused = [await shop.create(CLERK, metadata=value) for value in ({"user": "x"}, {"directus_item": "1"}, None)]

    assert answer.status == 201, answer.body
    assert form(shop) == [("email", "ada@example.com"), ("metadata[user]", "user-clerk"), ("name", "Ada")]
    assert {each.status for each in refused} == {400}


async def test_what_is_allowed_needs_no_field(open_shop: OpenShop) -> None:
    """Metadata that the operator allows may be written by callers without a field that maps to it; a name may not."""
    shop = await open_shop({"customers.update": 'allow = ["metadata.note", { description = "VIP" }]'})

    answer = await post(shop, CLERK, "/customers/cus_OWN", {"metadata": {"note": "x"}})
    refused = await post(shop, CLERK, "/customers/cus_OWN", {"description": "VIP"})

    assert answer.status == 200, answer.body
    assert form(shop) == [("metadata[note]", "x")]
    assert refused.status == 400


ITEM = {"billing_portal_sessions.create": None, "subscriptions.update": 'set.metadata.item = "$item"'}
CHANGE = ("/subscriptions/sub_OWN", {"description": "x"})


async def test_the_item_with_whole_access(open_shop: OpenShop) -> None:
    """With whole access the item is that of the object's customer, for one question more to Directus."""
    shop = await open_shop(ITEM)
    await post(shop, MANAGER, "/setup_intents", {"customer": "cus_OWN"})
    before = [request.path for request in shop.directus.requests]

    answer = await post(shop, MANAGER, *CHANGE)

    assert answer.status == 200, answer.body
    assert ("metadata[item]", "1") in changes(shop)[-1].form
    asked = [request.path for request in shop.directus.requests[len(before) :]]
    assert [path for path in asked if path not in before] == ["/items/customers"]


@pytest.mark.parametrize(
    "readable",
    [
        partial("stripe_customer_id", "name"),
        full("stripe_customer_id", "name"),
        full("id", "name"),
    ],
    ids=["no key in own rows", "no key", "no customer ID"],
)
async def test_an_item_that_may_not_be_read(open_shop: OpenShop, readable: Grant) -> None:
    """A caller that may not read which item names the customer is refused, and nothing is sent."""
    shop = await open_shop(ITEM)
    user = User("user-tenant", "MARKED-reading/+token~", grants(read=readable, update=full("name")))
    shop.directus.add_users([user])
    shop.tokens.add(user.token)

    answer = await post(shop, user, *CHANGE)

    assert (answer.status, answer.message.partition(":")[0], changes(shop)) == (400, "metadata.item", [])


@pytest.mark.parametrize("user", [TENANT, MANAGER], ids=["partial", "whole"])
async def test_one_of_several_items(open_shop: OpenShop, user: User) -> None:
    """Where several items name the customer none is taken for the one."""
    shop = await open_shop(ITEM)
    shop.directus.unique = set()
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OWN", name="Ada", email="ada@example.com")

    answer = await post(shop, user, *CHANGE)

    assert (answer.status, answer.message.partition(":")[0], changes(shop)) == (400, "metadata.item", [])


ABOUT_CUSTOMERS = """
set.customer_creation = "always"
set.customer_email = "shop@example.com"
set.customer_update.address = "auto"
set.tax_id_collection.enabled = true
"""


@pytest.mark.parametrize(
    ("user", "customer", "sent"),
    [
        (TENANT, None, ["customer", "customer_update[address]"]),
        (MANAGER, "cus_OWN", ["customer", "customer_update[address]"]),
        (MANAGER, None, ["customer_creation", "customer_email"]),
        (None, None, ["customer_creation", "customer_email"]),
    ],
    ids=["own", "named", "nobody", "guest"],
)
async def test_one_rule_for_members_and_guests(
    open_shop: OpenShop, user: User | None, customer: str | None, sent: list[str]
) -> None:
    """Of what is set only that arrives which Stripe takes with a customer, or without one, as the request is."""
    public = 'collection = "shop"\npublic = true\naction = "read"'
    shop = await open_shop(
        {"checkout_sessions.create": f"{public}\n{ABOUT_CUSTOMERS}"}, DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN
    )
    shop.directus.add_users([reader()])
    publish(shop.directus, "shop")
    named = {} if customer is None else {"customer": customer}

    answer = await post(shop, user, "/checkout/sessions", {**PAGE, "mode": "subscription", **named})

    assert answer.status == 201, answer.body
    assert [name for name, _ in form(shop) if name.startswith("customer")] == sent
    assert ("tax_id_collection[enabled]", "true") in form(shop)


@pytest.mark.parametrize("user", [TENANT, MANAGER])
async def test_what_is_left_out_is_no_clients(open_shop: OpenShop, user: User) -> None:
    """What is set is no client's either where it is left out."""
    shop = await open_shop({"checkout_sessions.create": ABOUT_CUSTOMERS})

    for body in ({"customer_email": "ada@example.com"}, {"customer_update": {"address": "never"}}):
        answer = await post(shop, user, "/checkout/sessions", {**PAGE, "mode": "subscription", **body})
        assert answer.message == f"{next(iter(body))}: the operator sets it; leave it out."


async def test_what_is_allowed_only_with_a_customer(open_shop: OpenShop) -> None:
    """What Stripe takes only with a customer is refused by its name where none is named."""
    allow = 'allow = [{ customer_update = { address = "auto" } }]'
    shop = await open_shop({"checkout_sessions.create": allow})
    body = {**PAGE, "mode": "subscription", "customer_update": {"address": "auto"}}

    refused = await post(shop, MANAGER, "/checkout/sessions", body)
    answer = await post(shop, TENANT, "/checkout/sessions", body)

    assert (refused.status, refused.message.partition(":")[0]) == (400, "customer_update")
    assert (answer.status, [name for name, _ in form(shop) if name == "customer_update[address]"]) == (
        201,
        ["customer_update[address]"],
    )


async def test_a_set_discount_leaves_no_promotion_codes(open_shop: OpenShop) -> None:
    """What excludes a set parameter at Stripe is no client's, as what is set is not."""
    shop = await open_shop({"checkout_sessions.create": 'set.discounts = [{ coupon = "SUMMER" }]'})
    body = {**PAGE, "mode": "subscription"}

    refused = await post(shop, TENANT, "/checkout/sessions", {**body, "allow_promotion_codes": True})
    answer = await post(shop, TENANT, "/checkout/sessions", body)

    assert (refused.status, refused.code) == (400, "INVALID_PAYLOAD")
    assert answer.status == 201, answer.body
    assert ("discounts[0][coupon]", "SUMMER") in form(shop)


async def test_a_guest_is_nobody(open_shop: OpenShop) -> None:
    """A guest's request is sent without what names the caller, which no guest can send either; a member's has it."""
    public = 'collection = "shop"\npublic = true\naction = "read"'
    about = 'set.client_reference_id = "$user"\nset.metadata = { user = "$user", item = "$item", shop = "north" }'
    shop = await open_shop({"checkout_sessions.create": f"{public}\n{about}"}, DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN)
    shop.directus.add_users([reader()])
    publish(shop.directus, "shop")
    body = {**PAGE, "mode": "subscription"}

    claimed = await post(shop, None, "/checkout/sessions", {**body, "metadata": {"user": "user-tenant"}})
    answers = [await post(shop, user, "/checkout/sessions", body) for user in (None, TENANT)]

    assert (claimed.status, claimed.message.partition(":")[0]) == (400, "metadata")
    assert [each.status for each in answers] == [201, 201]
    sent = [[each for each in request.form if each[0] not in dict(SENT)] for request in changes(shop)]
    north, mode = ("metadata[shop]", "north"), ("mode", "subscription")
    member = [("client_reference_id", "user-tenant"), ("metadata[item]", "1"), north, ("metadata[user]", "user-tenant")]
    assert [sorted(each) for each in sent] == [[north, mode], [*member, mode]]
