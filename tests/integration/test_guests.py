"""A real Directus's public policy decides what a request without a credential may have."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.doubles.samples import RETURN_URL
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer
from tests.integration.asking import Headers, ask, served
from tests.integration.conftest import Newcomer
from tests.integration.test_realtime import fed, rights

__all__ = ["rights"]  # a fixture of this module too: the service may follow the feed

OFFICE, HOME = "10.9.8.7", "10.9.8.8"
PUBLISHED = Callable[..., Awaitable[str]]
Verdict = tuple[int, str | None, object]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def window(stack: Stack) -> AsyncIterator[str]:
    """A collection whose permissions decide on the shop window, and which the service sees."""
    name = f"window_{secrets.token_hex(4)}"
    key = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}}
    title = {"field": "title", "type": "string", "schema": {}}
    body = {"collection": name, "schema": {}, "meta": {}, "fields": [key, title]}
    await stack.admin.request("POST", "/collections", body)
    service = "filter[name][_eq]=Stripe sidecar (customers)&fields=id"
    [policy] = await stack.admin.request("GET", f"/policies?{service}")
    await stack.admin.permission(policy["id"], Rule(name, "read", ("id",), {"id": {"_null": True}}))
    yield name
    await stack.admin.request("DELETE", f"/collections/{name}")


@pytest.fixture
async def published(stack: Stack) -> AsyncIterator[PUBLISHED]:
    """`await published(Rule(…), ip_access=…)`: one more public policy, taken away after the test."""
    async with AsyncExitStack() as exits:

        async def publish(*rules: Rule, ip_access: Sequence[str] | None = None) -> str:
            policy = await stack.admin.policy(f"public-{secrets.token_hex(4)}", rules, ip_access=ip_access)
            exits.push_async_callback(stack.admin.request, "DELETE", f"/policies/{policy}")
            await stack.admin.request("POST", "/access", {"policy": policy, "role": None, "user": None})
            return policy

        yield publish


@pytest.fixture
def operations(window: str, tmp_path: Path) -> str:
    """The operator's file, which opens the products and the checkout."""
    file = tmp_path / "operations.toml"
    public = f'collection = "{window}"\naction = "read"\npublic = true'
    products = f'[products.list]\n{public}\nfields = {{ title = "statement_descriptor" }}'
    file.write_text(f"{products}\n[checkout_sessions.create]\n{public}")
    return str(file)


@pytest.fixture
async def sidecar(stack: Stack, stripe: StripeDouble, operations: str) -> AsyncIterator[str]:
    """A sidecar that remembers nothing for long."""
    stripe.add("product", id="prod_ONE", statement_descriptor="BREAD")
    async with served(settings_of(stack, stripe, operations)) as url:
        yield url


def settings_of(stack: Stack, stripe: StripeDouble, operations: str, **others: str) -> dict[str, str]:
    own = {
        "DIRECTUS_SERVICE_TOKEN": Path(stack.settings["DIRECTUS_SERVICE_TOKEN_FILE"]).read_text().strip(),
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_LIVE_SECRET_KEY": stripe.key,
        "STRIPE_OPERATIONS": operations,
        "ALLOWED_RETURN_URLS": RETURN_URL,
        "PERMISSIONS_CACHE_TTL": "0.001",
        "PERMISSIONS_DENIED_TTL": "0.001",
    }
    return {**stack.settings, **own, **others}


async def products(url: str, token: str | None = None, headers: Headers = ()) -> Answer:
    return await ask(url, "/stripe/products?limit=1", token, headers=headers)


def verdict(answer: Answer) -> Verdict:
    return answer.status, answer.code, answer.extensions.get("reason")


async def test_granted(stack: Stack, sidecar: str, window: str, published: PUBLISHED) -> None:
    """Nobody is let in until a public policy grants it, and its fields count."""
    before = await products(sidecar)
    policy = await published(Rule(window, "read", ("id",)))
    base = await products(sidecar)
    await stack.admin.permission(policy, Rule(window, "read", ("title",)))
    titled = await products(sidecar)

    assert verdict(before) == (401, "NO_CREDENTIALS", "no_access")
    assert "statement_descriptor" not in base.json()["data"][0]
    assert titled.json()["data"][0]["statement_descriptor"] == "BREAD"


async def test_an_item_rule(sidecar: str, window: str, published: PUBLISHED) -> None:
    """O2: A public permission for some items only is refused, and one for all beside it counts."""
    await published(Rule(window, "read", item={"title": {"_eq": "bread"}}))
    partial = await products(sidecar)
    await published(Rule(window, "read", ("id",)))
    whole = await products(sidecar)

    assert verdict(partial) == (401, "NO_CREDENTIALS", "no_access")
    assert whole.status == 200


async def test_addresses(sidecar: str, window: str, published: PUBLISHED) -> None:
    """A public policy with `ip_access` applies to guests at its addresses alone."""
    await published(Rule(window, "read"), ip_access=[OFFICE])

    answers = [await products(sidecar, headers=[("X-Forwarded-For", address)]) for address in (OFFICE, HOME)]

    assert [verdict(each) for each in answers] == [(200, None, None), (401, "NO_CREDENTIALS", "no_access")]


async def test_checkout(sidecar: str, stripe: StripeDouble, window: str, published: PUBLISHED) -> None:
    """A guest gets a session with its page, for no customer."""
    await published(Rule(window, "read"))
    price = {"active": True, "unit_amount": 250, "currency": "eur", "type": "one_time", "billing_scheme": "per_unit"}
    stripe.add("price", id="price_ONE", product="prod_ONE", **price)
    bought = {"mode": "payment", "line_items": [{"price": "price_ONE", "quantity": 1}], "success_url": RETURN_URL}

    made = await ask(sidecar, "/stripe/checkout/sessions", new=bought)
    named = await ask(sidecar, "/stripe/checkout/sessions", new={**bought, "customer": "cus_1"})

    assert made.status == 201, made.body
    assert made.json()["url"]
    assert verdict(named) == (400, "INVALID_PAYLOAD", None)


async def test_an_ended_credential(sidecar: str, window: str, published: PUBLISHED, newcomer: Newcomer) -> None:
    """A6: A token that Directus refuses, and a user without the permission, are no guests."""
    await published(Rule(window, "read"))
    person: Person = await newcomer()

    unknown, known = await products(sidecar, "no-token-of-this-directus"), await products(sidecar, person.token)

    assert verdict(unknown) == (401, "INVALID_CREDENTIALS", None)
    assert verdict(known) == (401, "FORBIDDEN", "no_access")


async def test_what_directus_tells_nobody(stack: Stack, window: str, published: PUBLISHED) -> None:
    """Directus itself answers no question without a token about what everybody may do, so the policies must tell."""
    await published(Rule(window, "read"))

    told = await ask(stack.directus.url, "/permissions/me")
    shown = await ask(stack.directus.url, f"/items/{window}")

    assert (told.status, told.code, shown.status) == (403, "FORBIDDEN", 200)


async def test_a_revocation_is_felt(stack: Stack, operations: str, window: str, published: PUBLISHED) -> None:
    """With the change feed a public permission counts, and stops counting, at once."""
    policy = await published()
    async with fed(stack, STRIPE_OPERATIONS=operations, ALLOWED_RETURN_URLS=RETURN_URL) as url:

        async def answers(status: int) -> bool:
            return (await products(url)).status == status

        await eventually(lambda: answers(401))
        permission = await stack.admin.permission(policy, Rule(window, "read"))
        await eventually(lambda: answers(200))
        await stack.admin.request("DELETE", f"/permissions/{permission}")
        await eventually(lambda: answers(401))


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Basic YTpi")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ")],
        [("Authorization", "Bearer  x")],
        [("Authorization", "Bearer a b")],
        [("Authorization", "")],
        [("Authorization", "no-token")],
        [("Authorization", "bearer no-token")],
        [("Authorization", "Bearer a.b.c")],
        [("Cookie", "directus_session_token=")],
        [("Cookie", "directus_session_token=no-token")],
        [("Cookie", "directus_refresh_token=x; another=y")],
        [("Cookie", "directus_session_token"), ("Authorization", "Digest x")],
    ],
    ids=str,
)
async def test_who_is_a_guest(stack: Stack, sidecar: str, window: str, published: PUBLISHED, headers: Headers) -> None:
    """A3: What Directus itself takes for no credential is a guest here, and nothing else is."""
    await published(Rule(window, "read"))

    shown = await ask(stack.directus.url, f"/items/{window}", headers=headers)
    answer = await products(sidecar, headers=headers)

    assert (answer.status == 200) == (shown.status == 200), (shown.status, shown.code, answer.status, answer.code)
    assert answer.code == (None if shown.status == 200 else shown.code)
