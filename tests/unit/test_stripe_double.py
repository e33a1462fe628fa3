"""The double of Stripe answers each call of each kind as documented, and nothing else."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from deploy.stripe_stand_in.kinds import KINDS
from deploy.stripe_stand_in.parameters import hints, members
from tests.doubles.stripe import CLIENT_SECRET, StripeDouble

RETURN = "https://app.example.com/account"


@dataclass(frozen=True, slots=True)
class World:
    """Two customers, each with one object of every kind; `ids` are the first one's, by kind."""

    stripe: StripeDouble
    ids: dict[str, str]
    other: dict[str, str]

    async def ask(
        self, method: str, path: str, parameters: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Send parameters in the query, or with POST in a form; {kind} is replaced by an ID."""
        sent = urlencode({name: value.format(**self.ids) for name, value in (parameters or {}).items()})
        url = self.stripe.url + path.format(**self.ids)
        headers = {"Authorization": f"Bearer {self.stripe.key}", **headers}
        form = {"data": sent, "headers": {**headers, "Content-Type": "application/x-www-form-urlencoded"}}
        how: dict[str, Any] = form if method == "POST" else {"headers": headers}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url if method == "POST" else f"{url}?{sent}", **how) as answer,
        ):
            return answer.status, await answer.json()

    async def have(self, method: str, path: str, parameters: dict[str, str] | None = None) -> dict[str, Any]:
        status, answer = await self.ask(method, path, parameters)
        assert status == 200, answer
        return answer


def one_of_each(stripe: StripeDouble) -> dict[str, str]:
    customer = str(stripe.add("customer")["id"])
    made = {"customer": customer}
    for kind in KINDS:
        if kind not in {"customer", "refund", "subscription_item"}:
            made[kind] = str(stripe.add(kind, customer=customer).get("id"))
    stripe.objects["invoice"][0]["subscription"] = made["subscription"]
    stripe.objects["charge"][0]["payment_intent"] = made["payment_intent"]
    made["refund"] = str(stripe.add("refund", payment_intent=made["payment_intent"], charge=made["charge"])["id"])
    made["subscription_item"] = str(stripe.objects["subscription_item"][0]["id"])
    return {name.replace(".", "_"): object_id for name, object_id in made.items()}


@pytest.fixture
def world(stripe: StripeDouble) -> World:
    return World(stripe, one_of_each(stripe), one_of_each(stripe))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "retrieve" in KINDS[kind].calls])
async def test_retrieve(world: World, kind: str) -> None:
    """Every kind is retrieved by its ID; another is not found."""
    name = kind.replace(".", "_")

    found = await world.have("GET", f"{KINDS[kind].path}/{{{name}}}")
    status, missing = await world.ask("GET", f"{KINDS[kind].path}/{{{name}}}0")

    assert (found["object"], found["id"]) == (kind, world.ids[name])
    assert (status, missing["error"]["code"]) == (404, "resource_missing")


FILTERS = [
    ("customer", {"created[gte]": "0"}, 2),
    ("payment_intent", {"customer": "{customer}"}, 1),
    ("charge", {"customer": "{customer}"}, 1),
    ("charge", {"payment_intent": "{payment_intent}"}, 1),
    ("refund", {"payment_intent": "{payment_intent}"}, 1),
    ("refund", {"charge": "{charge}"}, 1),
    ("invoice", {"customer": "{customer}", "status": "draft"}, 1),
    ("invoice", {"subscription": "{subscription}"}, 1),
    ("invoice", {"status": "paid"}, 0),
    ("subscription", {"customer": "{customer}", "status": "all"}, 1),
    ("subscription", {"status": "canceled"}, 0),
    ("subscription", {"status": "ended"}, 0),
    ("payment_method", {"customer": "{customer}", "type": "card"}, 1),
    ("payment_method", {"type": "sepa_debit"}, 0),
    ("product", {"active": "true"}, 2),
    ("product", {"active": "false"}, 0),
    ("product", {"ids[0]": "{product}"}, 1),
    ("price", {"currency": "usd", "type": "recurring", "recurring[interval]": "month"}, 2),
    ("price", {"product": "{product}"}, 0),
    ("balance_transaction", {"type": "charge", "currency": "usd"}, 2),
]


@pytest.mark.parametrize(("kind", "filters", "number"), FILTERS, ids=[f"{row[0]} {row[1]}" for row in FILTERS])
async def test_filters(world: World, kind: str, filters: dict[str, str], number: int) -> None:
    """A list contains exactly the objects that its filters choose."""
    answer = await world.have("GET", KINDS[kind].path, filters)

    assert (answer["object"], len(answer["data"])) == ("list", number)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "list" in KINDS[kind].calls])
async def test_list_parameters(world: World, kind: str) -> None:
    """Every list refuses a parameter that Stripe does not document for it, such as `created` of payment methods."""
    path = KINDS[kind].below or KINDS[kind].path
    status, answer = await world.ask("GET", path, {"nonsense": "1"})
    dated, _ = await world.ask("GET", path, {"created[gte]": "1"})

    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "parameter_unknown", "nonsense")
    assert dated == (200 if "created" in members(hints(KINDS[kind].takes("list"))) else 400)


async def test_entitlements(world: World) -> None:
    """Entitlements are listed for one customer, which must be named, and do not say whose they are."""
    of_nobody, answer = await world.ask("GET", "/v1/entitlements/active_entitlements")
    [found] = (await world.have("GET", "/v1/entitlements/active_entitlements", {"customer": "{customer}"}))["data"]

    assert (of_nobody, answer["error"]["param"]) == (400, "customer")
    assert set(found) == {"feature", "id", "livemode", "lookup_key", "object"}


CREATES: list[tuple[str, dict[str, str], dict[str, object]]] = [
    ("customer", {"email": "a@example.com", "address[line1]": "1"}, {"address": {"line1": "1"}}),
    ("customer", {"preferred_locales[0]": "en", "metadata[0]": "7"}, {"metadata": {"0": "7"}}),
    (
        "payment_intent",
        {"amount": "5", "currency": "eur", "customer": "{customer}", "metadata[price]": "none"},
        {"amount": 5, "status": "requires_payment_method"},
    ),
    ("refund", {"payment_intent": "{payment_intent}", "amount": "5"}, {"amount": 5, "status": "succeeded"}),
    ("refund", {"charge": "{charge}", "reason": "duplicate"}, {"amount": 100, "reason": "duplicate"}),
    (
        "subscription",
        {"customer": "{customer}", "items[0][price]": "{price}", "default_payment_method": "{payment_method}"},
        {"status": "active", "cancel_at_period_end": False},
    ),
    ("setup_intent", {"customer": "{customer}", "usage": "on_session"}, {"usage": "on_session"}),
    (
        "checkout.session",
        {
            "mode": "subscription",
            "success_url": RETURN,
            "line_items[0][price]": "{price}",
            "line_items[0][quantity]": "3",
        },
        {"amount_total": 6000, "status": "open", "success_url": RETURN},
    ),
    ("billing_portal.session", {"customer": "{customer}", "return_url": RETURN}, {"return_url": RETURN}),
    ("customer_session", {"customer": "{customer}", "components[buy_button][enabled]": "true"}, {"livemode": False}),
]
SECRETS = {"payment_intent", "setup_intent", "checkout.session"}


@pytest.mark.parametrize(("kind", "form", "shown"), CREATES, ids=[row[0] for row in CREATES])
async def test_create(world: World, kind: str, form: dict[str, str], shown: dict[str, object]) -> None:
    """A created object shows the parameters, each value with its own type, and exists from then on."""
    made = await world.have("POST", KINDS[kind].path, form)

    assert shown == {name: made[name] for name in shown}
    assert made["object"] == kind
    assert made == world.stripe.objects[kind][0]
    assert made["id"].startswith(f"{KINDS[kind].prefix}_") if KINDS[kind].prefix else "id" not in made
    assert (kind in SECRETS) == (CLIENT_SECRET in str(made.get("client_secret")))
    if "customer" in form:
        assert made["customer"] == world.ids["customer"]


@pytest.mark.parametrize(
    ("kind", "form", "code"),
    [
        ("customer", {"nonsense": "1"}, "parameter_unknown"),
        ("customer", {"address[nonsense]": "1"}, "parameter_unknown"),
        ("payment_intent", {"amount": "5", "currency": "eur", "payment_method_types[0]": "card"}, "parameter_unknown"),
        ("payment_intent", {"currency": "eur"}, "parameter_missing"),
        ("payment_intent", {"amount": "5.5", "currency": "eur"}, "parameter_invalid_integer"),
        ("payment_intent", {"amount": "5", "currency": "eur", "customer": "cus_none"}, "resource_missing"),
        ("payment_intent", {"amount": "5", "currency": "eur", "confirm": "True"}, None),
        ("refund", {}, "parameter_missing"),
        ("refund", {"charge": "ch_none"}, "resource_missing"),
        ("refund", {"charge": "{charge}", "reason": "because"}, None),
        ("subscription", {"customer": "{customer}"}, "parameter_missing"),
        ("subscription", {"customer": "{customer}", "items[0][price]": "price_none"}, "resource_missing"),
        ("subscription", {"customer": "{customer}", "items[0][prize]": "{price}"}, "parameter_unknown"),
        ("checkout.session", {"mode": "payment", "line_items": "{price}"}, None),
        ("billing_portal.session", {"return_url": RETURN}, "parameter_missing"),
        ("setup_intent", {"payment_method": "pm_none"}, "resource_missing"),
    ],
)
async def test_refused_creations(world: World, kind: str, form: dict[str, str], code: str | None) -> None:
    """A refused creation has Stripe's code, and creates nothing."""
    before = len(world.stripe.objects[kind])

    status, answer = await world.ask("POST", KINDS[kind].path, form)

    assert (status, answer["error"].get("code")) == (400, code)
    assert len(world.stripe.objects[kind]) == before


CHANGES: list[tuple[str, str, dict[str, str], dict[str, object]]] = [
    ("POST", "/v1/customers/{customer}", {"name": "Ada", "email": ""}, {"name": "Ada", "email": None}),
    ("POST", "/v1/payment_intents/{payment_intent}/cancel", {}, {"status": "canceled"}),
    ("POST", "/v1/subscriptions/{subscription}", {"cancel_at_period_end": "true"}, {"cancel_at_period_end": True}),
    ("DELETE", "/v1/subscriptions/{subscription}", {}, {"status": "canceled"}),
    (
        "POST",
        "/v1/payment_intents/{payment_intent}",
        {"amount": "7", "receipt_email": "a@b.co"},
        {"amount": 7, "receipt_email": "a@b.co"},
    ),
    ("POST", "/v1/setup_intents/{setup_intent}/cancel", {}, {"status": "canceled"}),
    ("POST", "/v1/payment_methods/{payment_method}", {"allow_redisplay": "always"}, {"allow_redisplay": "always"}),
    ("POST", "/v1/checkout/sessions/{checkout_session}/expire", {}, {"status": "expired"}),
    ("POST", "/v1/payment_methods/{payment_method}/detach", {}, {"customer": None}),
]


@pytest.mark.parametrize(("method", "path", "form", "shown"), CHANGES, ids=[f"{row[0]} {row[1]}" for row in CHANGES])
async def test_change(world: World, method: str, path: str, form: dict[str, str], shown: dict[str, object]) -> None:
    """A change is in the answer and in later answers, and changes that object alone."""
    one = path.removesuffix("/cancel").removesuffix("/detach").removesuffix("/expire")

    answer = await world.have(method, path, form)

    assert shown == {name: answer[name] for name in shown}
    assert answer == await world.have("GET", one)
    [untouched] = [thing for thing in world.stripe.objects[answer["object"]] if thing["id"] in world.other.values()]
    assert shown != {name: untouched[name] for name in shown}


@pytest.mark.parametrize(
    "path",
    [
        "payment_intents/{payment_intent}/cancel",
        "payment_methods/{payment_method}/detach",
        "setup_intents/{setup_intent}/cancel",
        "checkout/sessions/{checkout_session}/expire",
    ],
)
async def test_done_is_done(world: World, path: str) -> None:
    """A canceled, detached or expired object cannot be canceled, detached or expired again."""
    await world.have("POST", f"/v1/{path}")

    status, _ = await world.ask("POST", f"/v1/{path}")

    assert status == 400


async def test_items_change(world: World) -> None:
    """A subscription's items are changed by their IDs, added without one, and removed."""
    price, path = str(world.stripe.add("price")["id"]), "/v1/subscriptions/{subscription}"
    first = {"items[0][id]": "{subscription_item}"}

    added = await world.have("POST", path, {**first, "items[0][quantity]": "2", "items[1][price]": price})
    left = await world.have("POST", path, {**first, "items[0][deleted]": "true"})
    listed = await world.have("GET", "/v1/subscriptions", {"price": price})

    assert [item["quantity"] for item in added["items"]["data"]] == [2, 1]
    assert [item["price"]["id"] for item in left["items"]["data"]] == [price]
    assert [entry["id"] for entry in listed["data"]] == [world.ids["subscription"]]


async def test_preview(world: World) -> None:
    """A preview is for the subscription's customer, adds up its prices, and is not stored."""
    before = len(world.stripe.objects["invoice"])
    details = {"subscription_details[items][0][price]": "{price}", "subscription_details[items][0][quantity]": "2"}

    made = await world.have("POST", "/v1/invoices/create_preview", {"subscription": "{subscription}", **details})
    foreign = {"subscription": "{subscription}", "customer": world.other["customer"]}
    status, _ = await world.ask("POST", "/v1/invoices/create_preview", foreign)

    assert (made["customer"], made["total"]) == (world.ids["customer"], 4000)
    assert made["id"].startswith("upcoming_in_")
    assert len(world.stripe.objects["invoice"]) == before
    assert status == 400


@pytest.mark.parametrize(("kind", "form", "shown"), CREATES, ids=[row[0] for row in CREATES])
async def test_creations_are_replayed(world: World, kind: str, form: dict[str, str], shown: dict[str, object]) -> None:
    """The same key gives the first result again, whatever became of the object, and creates nothing more."""
    status, first = await world.ask("POST", KINDS[kind].path, form, **{"Idempotency-Key": "key"})
    number = len(world.stripe.objects[kind])
    world.stripe.objects[kind][0].update(dict.fromkeys(shown, "changed"))

    _, again = await world.ask("POST", KINDS[kind].path, form, **{"Idempotency-Key": "key"})

    assert (status, first) == (200, again)
    assert len(world.stripe.objects[kind]) == number


async def test_a_refund_has_a_customer(stripe: StripeDouble) -> None:
    """A refund without a payment in the request gets one, which names a customer."""
    refund = stripe.add("refund")

    [payment] = stripe.payments
    assert (refund["payment_intent"], payment["customer"]) == (payment["id"], stripe.customers[0]["id"])


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_parameters_are_stripes(kind: Any) -> None:  # noqa: ANN401 - see KINDS
    """Each call's parameters are found in Stripe's library, and the library's own are not among them."""
    for call in kind.calls:
        assert not {"expand", "api_key", "idempotency_key", "stripe_account"} & members(hints(kind.takes(call))).keys()
