"""Collections, fields and keys with other names than ours, and an ID column that cannot be null, on a real Directus."""

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from deploy.demo.admin import Rule
from deploy.demo.stack import Stack
from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.stripe import StripeDouble
from tests.doubles.wire import Answer, exchange, request_bytes
from tests.integration.asking import ask, served
from tests.integration.commands import SECRET as SIDECAR_SECRET
from tests.integration.commands import Ended, run, token_of
from tests.integration.conftest import Newcomer

KEYS = ("Müller & Co 558f", "a/b", "x y", "50%", "a?b#c", "a+b", "a,b", '"q"', "日本 🎉", "%2e%2e", " z ")
UNUSABLE = ("..", "a/../b", "null", "$NOW")
OWN = {"owner": {"_eq": "$CURRENT_USER"}}


@dataclass(frozen=True, slots=True)
class Names:
    """What one shop calls its things; `column` is the schema of the ID field, None where `provision` makes it."""

    collection: str
    key: str = "id"
    id_field: str = "stripe_customer_id"
    name: str = "name"
    email: str = "email"
    column: Mapping[str, object] | None = None

    @property
    def settings(self) -> dict[str, str]:
        return {
            "STRIPE_CUSTOMERS_COLLECTION": self.collection,
            "STRIPE_CUSTOMERS_PRIMARY_KEY": self.key,
            "STRIPE_CUSTOMER_ID_FIELD": self.id_field,
            "STRIPE_FIELD_MAP": json.dumps({self.name: "name", self.email: "email"}),
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }


SHOPS = (
    Names("shop-customers", "nr-1", "stripe-id"),
    Names("2024_customers", "2024", "1st id"),
    Names("kundenübersicht", "schlüssel", "Stripe ID", "Vor- & Nachname", "E-Mail"),
    Names("a&b=c#50%+[x]", "nr/%", "id[#]&", "n=1", "_e"),
    Names("texts", column={"is_nullable": False, "default_value": ""}),
)


@dataclass(frozen=True, slots=True)
class Shop:
    stack: Stack
    names: Names
    stripe: StripeDouble

    @property
    def path(self) -> str:
        return f"/items/{quote(self.names.collection, safe='')}"

    @property
    def base(self) -> dict[str, str]:
        stripe = {"STRIPE_API_BASE": self.stripe.url, "STRIPE_LIVE_SECRET_KEY": self.stripe.key}
        return {
            **self.names.settings,
            **stripe,
            "DIRECTUS_URL": self.stack.directus.url,
            "STRIPE_OPERATIONS": "",
            "SIDECAR_SECRET": SIDECAR_SECRET,
        }

    async def provision(self) -> Ended:
        token = self.stack.people["administrator"].token
        return await run(
            "provision",
            "--yes",
            **self.names.settings,
            DIRECTUS_URL=self.stack.directus.url,
            DIRECTUS_ADMIN_TOKEN=token,
        )

    async def item(self, key: str, **values: object) -> None:
        await self.stack.admin.request("POST", self.path, {self.names.key: key, **values})

    async def row(self, key: str) -> dict[str, Any]:
        query = quote(json.dumps({self.names.key: {"_eq": key}}))
        [row] = await self.stack.admin.request("GET", f"{self.path}?filter={query}")
        assert isinstance(row, dict)
        return row

    async def customer_of(self, key: str) -> object:
        return (await self.row(key))[self.names.id_field]

    async def empty(self, key: str) -> None:
        empty = None if self.names.column is None else ""
        query = {"filter": {self.names.key: {"_eq": key}}}
        await self.stack.admin.request("PATCH", self.path, {"query": query, "data": {self.names.id_field: empty}})

    async def post(self, url: str, body: bytes) -> Answer:
        port = urlsplit(url).port
        assert port is not None
        return await exchange(port, request_bytes("POST", PATH, headers(body), body))


@asynccontextmanager
async def shop(stack: Stack, names: Names, stripe: StripeDouble) -> AsyncIterator[Shop]:
    fields: list[dict[str, Any]] = [
        {"field": names.key, "type": "string", "schema": {"is_primary_key": True, "length": 255}},
        *({"field": name, "type": "string", "schema": {}} for name in (names.name, names.email)),
        {"field": "owner", "type": "uuid", "schema": {}},
    ]
    if names.column is not None:
        fields.append({"field": names.id_field, "type": "string", "schema": dict(names.column)})
    body = {"collection": names.collection, "schema": {}, "meta": {}, "fields": fields}
    await stack.admin.request("POST", "/collections", body)
    try:
        yield Shop(stack, names, stripe)
    finally:
        query = quote(json.dumps({"name": {"_eq": f"Stripe sidecar ({names.collection})"}}))
        for policy in await stack.admin.request("GET", f"/policies?filter={query}&fields=id,users.user"):
            await stack.admin.request("DELETE", f"/policies/{policy['id']}")
            for user in policy["users"]:
                await stack.admin.request("DELETE", f"/users/{user['user']}")
        await stack.admin.request("DELETE", f"/collections/{quote(names.collection, safe='')}")


@pytest.mark.parametrize("names", SHOPS, ids=lambda names: names.collection)
async def test_a_shop_with_its_own_names(stack: Stack, stripe: StripeDouble, newcomer: Newcomer, names: Names) -> None:
    """W1-W4: With any names, keys and empty columns that Directus serves, commands, routes and events all work."""
    async with shop(stack, names, stripe) as here:
        provisioned = await here.provision()
        assert (provisioned.code, provisioned.texts("FAULT")) == (0, "")
        again = await here.provision()
        assert {word for word, _ in again.lines} <= {"unchanged", "note"}
        settings = {**here.base, "DIRECTUS_SERVICE_TOKEN": token_of(provisioned), "STRIPE_WRITE_BACK": "true"}
        checked = await run("check", **settings, DIRECTUS_TIMEOUT="20", TRUSTED_PROXIES="127.0.0.1")
        assert (checked.code, checked.texts("FAULT")) == (0, "")
        clerk = await newcomer(*(Rule(names.collection, action) for action in ("read", "create", "update")))
        own = (names.key, names.id_field, names.name)
        member = await newcomer(Rule(names.collection, "read", own, OWN))
        async with served({**settings, "DIRECTUS_TIMEOUT": "20"}) as url:
            for key in KEYS:
                await here.item(key, owner=member.id)
                told = [
                    await ask(url, "/stripe/customers", clerk.token, new={"email": "a@example.com", "item": key})
                    for _ in "12"
                ]
                assert [answer.status for answer in told] == [201, 200], (key, told[0].body)
                assert await here.customer_of(key) == told[0].json()["id"]
            for key in UNUSABLE:
                refused = await ask(url, "/stripe/customers", clerk.token, new={"email": "a@example.com", "item": key})
                assert (refused.status, refused.code) == (400, "INVALID_PAYLOAD")
            assert len(stripe.customers) == len(KEYS)
            listed = await ask(url, "/stripe/customers", member.token)
            assert len(listed.json()) == len(KEYS), listed.body
            one = await here.customer_of("a/b")
            assert (await ask(url, f"/stripe/payments/{one}", member.token)).status == 200

            [customer] = [each for each in stripe.customers if each["id"] == one]
            customer["name"] = "Ada"
            assert (await here.post(url, event("customer.updated", customer))).status == 200
            assert (await here.row("a/b"))[names.name] == "Ada"
            customer["deleted"] = True
            assert (await here.post(url, event("customer.deleted", customer))).status == 200
            assert await here.customer_of("a/b") in {None, ""}

        await here.empty("x y")
        reconciled = await run("reconcile", **settings, DIRECTUS_TIMEOUT="20")
        assert (reconciled.code, "1 filled, 0 to decide" in reconciled.out) == (0, True), reconciled
        assert str(await here.customer_of("x y")).startswith("cus_")


@pytest.mark.parametrize(
    "column",
    [{"default_value": ""}, {"default_value": "none"}, {"default_value": "none", "is_nullable": False}],
    ids=["empty", "word", "word-not-null"],
)
async def test_an_id_field_with_a_default(stack: Stack, stripe: StripeDouble, column: Mapping[str, object]) -> None:
    """`provision` takes a default away, which a unique field gives to one item only; `check` finds it."""
    async with shop(stack, Names(f"defaults_{secrets.token_hex(3)}", column=column), stripe) as here:
        provisioned, again = await here.provision(), await here.provision()
        await here.item("one")
        await here.item("two")
        path = f"/fields/{here.names.collection}/{here.names.id_field}"
        settings = {**here.base, "DIRECTUS_SERVICE_TOKEN": token_of(provisioned), "DIRECTUS_TIMEOUT": "20"}
        sound = await run("check", **settings)
        await stack.admin.request("PATCH", path, {"schema": {"default_value": "none"}})
        checked = await run("check", **settings)

    assert "without a default" in provisioned.texts("changed")
    assert again.texts("changed") == ""
    assert "default" not in sound.texts("FAULT")
    assert "has a default" in checked.texts("FAULT")


async def test_a_singleton_is_no_collection_of_customers(stack: Stack, stripe: StripeDouble) -> None:
    """`provision`, and `check` with a token that may read the collection alone, say so in one sentence."""
    async with shop(stack, Names(f"only_{secrets.token_hex(3)}"), stripe) as here:
        token = token_of(await here.provision())
        await stack.admin.request("PATCH", f"/collections/{here.names.collection}", {"meta": {"singleton": True}})
        settings = {**here.base, "DIRECTUS_SERVICE_TOKEN": token}

        provisioned, checked = await here.provision(), await run("check", **settings, DIRECTUS_TIMEOUT="20")

    assert [provisioned.code, checked.code] == [1, 1]
    assert "singleton" in provisioned.texts("FAULT")
    assert "singleton" in checked.texts("FAULT")


@pytest.mark.parametrize("kind", ["m2o", "alias"])
async def test_an_id_field_that_leads_elsewhere(stack: Stack, stripe: StripeDouble, kind: str) -> None:
    """A relation or an alias as ID field is a fault that says which kind of field to name."""
    mark = secrets.token_hex(3)
    async with shop(stack, Names(f"related_{mark}", id_field="user"), stripe) as here:
        field: dict[str, Any] = {
            "field": "user",
            "type": "uuid" if kind == "m2o" else "alias",
            "schema": {} if kind == "m2o" else None,
        }
        special = {"special": ["m2o"] if kind == "m2o" else ["alias", "no-data"]}
        await stack.admin.request("POST", f"/fields/{here.names.collection}", {**field, "meta": special})
        provisioned = await here.provision()

    assert provisioned.code == 1
    assert "leads to other items" in provisioned.texts("FAULT")


async def test_a_refusal_of_directus_names_its_field(stack: Stack, stripe: StripeDouble, newcomer: Newcomer) -> None:
    """FAILED_VALIDATION of the caller's policy names the field, and Stripe is not asked."""
    async with shop(stack, Names(f"strict_{secrets.token_hex(3)}"), stripe) as here:
        token = token_of(await here.provision())
        clerk = await newcomer(*(Rule(here.names.collection, action) for action in ("read", "update")))
        query = f"filter[user][_eq]={clerk.id}"
        assert await stack.admin.request("GET", f"/access?{query}") == []
        [access] = await stack.admin.request("GET", f"/access?filter[role][_eq]={clerk.role}")
        rule = {
            "policy": access["policy"],
            "collection": here.names.collection,
            "action": "create",
            "fields": ["*"],
            "presets": {"id": "k1"},
            "validation": {"_and": [{"name": {"_contains": "x"}}, {"email": {"_contains": "y"}}]},
        }
        await stack.admin.request("POST", "/permissions", rule)
        settings = {**here.base, "DIRECTUS_SERVICE_TOKEN": token, "STRIPE_WRITE_BACK": "true", "DIRECTUS_TIMEOUT": "20"}
        async with served(settings) as url:
            new = {"email": "a@example.com", "name": "Ada"}
            answer = await ask(url, "/stripe/customers", clerk.token, new=new)

    assert (answer.status, answer.code) == (400, "FAILED_VALIDATION")
    assert "name, email" in answer.message
    assert (answer.extensions["field"], answer.extensions["type"]) == ("name", "contains")
    assert stripe.customers == []
