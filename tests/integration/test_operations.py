"""Every row of the table on a real Directus and the Stripe emulator: for an administrator, an owner, a stranger."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from sidecar.core.operations.row import Kind, Operation, Scoping
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.shop import RETURN, Account, Shop, open_shop
from tests.doubles.wire import Answer
from tests.integration.asking import ask, served
from tests.integration.conftest import Newcomer

EVERY_OPERATION = Path(__file__).parent / "frontends" / "operations.toml"
OWN = {"owner": {"_eq": "$CURRENT_USER"}}
OWNER = (
    Rule("customers", "read", ("id", "stripe_customer_id", "name", "owner"), item=OWN),
    Rule("customers", "update", ("name", "email"), item=OWN),
    Rule("customers", "create", ("name", "email")),
)
# The body or query of each call; {names} are a shop's. An operation without an entry sends nothing.
SENT: dict[str, dict[str, object]] = {
    "customers.create": {"email": "grace@example.com"},
    "customers.update": {"name": "Ada", "email": "ada2@example.com"},
    "payment_intents.create": {"price": "{once}", "quantity": 2, "customer": "{customer}"},
    "invoices.create_preview": {"subscription": "{subscription}"},
    "refunds.create": {"payment_intent": "{payment_intent}"},
    "payment_intents.update": {"payment_method": "{payment_method}", "description": "Tea"},
    "payment_intents.confirm": {"payment_method": "{payment_method}", "off_session": True},
    "payment_methods.update": {"card": {"exp_month": 8, "exp_year": 2031}},
    "setup_intents.confirm": {"payment_method": "{payment_method}", "return_url": RETURN},
    "customer_sessions.create": {"customer": "{customer}", "components": {"pricing_table": {"enabled": True}}},
    "ephemeral_keys.create": {"customer": "{customer}"},
    "subscriptions.create": {"customer": "{customer}", "items": [{"price": "{monthly}"}]},
    "subscriptions.update": {"items": [{"id": "{item}", "price": "{yearly}"}]},
    "setup_intents.create": {"customer": "{customer}", "payment_method": "{payment_method}"},
    "checkout_sessions.create": {
        "mode": "payment",
        "line_items": [{"price": "{once}"}],
        "success_url": RETURN,
        "customer": "{customer}",
    },
    "billing_portal_sessions.create": {"customer": "{customer}", "return_url": RETURN},
    "tax_ids.create": {"type": "eu_vat", "value": "DE123456789"},
    "billing_meter_events.create": {
        "event_name": "{event}",
        "payload": {"stripe_customer_id": "{customer}", "value": "25"},
    },
}
SEARCHES = [row.name for row in OPERATIONS if row.kind is Kind.SEARCH]
ASKED = {
    "refunds.list": "?payment_intent={payment_intent}",
    "payment_methods.list": "?customer={customer}&type=card",
    "invoices.list": "?customer={customer}",
    "charges.list": "?payment_intent={payment_intent}",
    "disputes.list": "?payment_intent={disputed}",
    "active_entitlements.list": "?customer={customer}",
    "credit_notes.list": "?customer={customer}",
    "quotes.list": "?customer={customer}",
    "subscription_schedules.list": "?customer={customer}",
    "promotion_codes.find": "?code={code}",
    "prices.list": "?with=product&lookup_keys=none",
    **dict.fromkeys(SEARCHES, "?query=created>0"),
}
# The object in the path of an operation that needs one in a certain state.
STATES = {
    **{f"payment_intents.{call}": "unpaid" for call in ("cancel", "update", "confirm")},
    "payment_intents.capture": "held",
    "refunds.cancel": "waiting",
    "invoices.pay": "open_invoice",
    "invoices.void": "open_invoice",
    "invoices.finalize": "draft",
    "subscriptions.resume": "paused",
}
NAMES = {
    "subscription_id": "subscription",
    "subscription_schedule_id": "schedule",
    "tax_id_id": "tax_id",
    "payment_link_id": "link",
    **{f"{name}_id": name for name in ("dispute", "credit_note", "quote", "coupon", "promotion_code")},
    "checkout_session_id": "session",
    "price_id": "once",
    **{f"{name}_id": name for name in ("customer", "payment_intent", "invoice", "payment_method", "product")},
    **{f"{name}_id": name for name in ("charge", "refund", "setup_intent")},
}
PERSONAL = [row for row in OPERATIONS if row.scoping is not Scoping.REFUSED]


def filled(value: object, shop: Shop) -> object:
    match value:
        case str():
            return shop.filled(value)
        case dict():
            return {name: filled(member, shop) for name, member in value.items()}
        case list():
            return [filled(entry, shop) for entry in value]
        case _:
            return value


async def call(url: str, operation: Operation, person: Person, shop: Shop) -> Answer:
    own = {operation.resource.variable: STATES[operation.name]} if operation.name in STATES else {}
    names = NAMES | own
    path = operation.path.format(**{variable: shop[name] for variable, name in names.items()})
    headers = [("Stripe-Version", "2020-08-27")] if operation.sdk_version else []
    body = filled(SENT.get(operation.name, {}), shop)
    new = body if operation.method == "POST" and isinstance(body, dict) else None
    target = f"/stripe{path}{shop.filled(ASKED.get(operation.name, ''))}"
    return await ask(url, target, person.token, new=new, method=operation.method, headers=headers)


@pytest.fixture
async def sidecar(stack: Stack) -> AsyncIterator[str]:
    settings = {
        "STRIPE_OPERATIONS": str(EVERY_OPERATION),
        "ALLOWED_RETURN_URLS": RETURN,
        "STRIPE_EXPOSE_CLIENT_SECRET": "true",
    }
    async with served({**stack.settings, **settings}) as url:
        yield url


@pytest.fixture
async def shop(stack: Stack) -> Shop:
    return await _shop(stack)


async def _shop(stack: Stack) -> Shop:
    """Open a shop that also has payments, invoices, a subscription and a refund in the states that calls need."""
    shop = await open_shop(Account(stack.stripe_url))
    post, customer = shop.account.post, shop.filled("customer={customer}")
    due, paid = f"amount=900&currency=eur&{customer}", "confirm=true&off_session=true"
    holding = shop.filled(f"{due}&payment_method={{payment_method}}&{paid}&capture_method=manual")
    draft, opened = [await post("invoices", customer) for _ in range(2)]
    await post(f"invoices/{opened['id']}/finalize")
    paused = await post("subscriptions", shop.filled("customer={customer}&items[0][price]={monthly}"))
    await post(f"subscriptions/{paused['id']}/pause")
    states = {
        "unpaid": await post("payment_intents", due),
        "held": await post("payment_intents", holding),
        "waiting": await post("refunds", shop.filled("charge={charge}&amount=1&instructions_email=a@b.co")),
        "draft": draft,
        "open_invoice": opened,
        "paused": paused,
    }
    more = {name: str(made["id"]) for name, made in states.items()}
    return replace(shop, ids={**shop.ids, **await shop.records(), **more})


@pytest.fixture
async def owner(stack: Stack, newcomer: Newcomer, shop: Shop) -> AsyncIterator[Person]:
    """A person with one item, which names the shop's customer."""
    person = await newcomer(*OWNER)
    new = {"name": "Own", "stripe_customer_id": shop["customer"], "owner": person.id}
    item = (await stack.admin.request("POST", "/items/customers", new))["id"]
    yield person
    await stack.admin.request("DELETE", f"/items/customers/{item}")


def wanted(operation: Operation) -> int:
    return 201 if operation.kind in {Kind.CREATE, Kind.CREATE_CUSTOMER} else 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda row: row.name)
async def test_administrator(stack: Stack, sidecar: str, shop: Shop, operation: Operation) -> None:
    """An administrator gets the table's answer, through Directus's permissions to Stripe."""
    answer = await call(sidecar, operation, stack.people["administrator"], shop)

    assert (answer.status, answer.body[:300]) == (wanted(operation), answer.body[:300])


@pytest.mark.parametrize("operation", PERSONAL, ids=lambda row: row.name)
async def test_owner(sidecar: str, shop: Shop, owner: Person, operation: Operation) -> None:
    """A caller limited to its rows may use every operation of the table on its own customer."""
    answer = await call(sidecar, operation, owner, shop)

    assert (answer.status, answer.body[:300]) == (wanted(operation), answer.body[:300])


@pytest.mark.parametrize(
    "operation", [row for row in PERSONAL if row.path_resource or row.name in {*ASKED, *SENT}], ids=lambda row: row.name
)
async def test_stranger(stack: Stack, sidecar: str, owner: Person, operation: Operation) -> None:
    """The same operations on another's customer and objects are refused, and nothing is changed at Stripe."""
    foreign = await _shop(stack)
    before = len(stack.stripe_requests())

    answer = await call(sidecar, operation, owner, foreign)

    assert (answer.status, answer.code) == (401, "FORBIDDEN"), answer.body
    assert [one.method for one in stack.stripe_requests()[before:] if one.method != "GET"] == []
