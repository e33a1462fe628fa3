"""Secrets within values: every operation, every kind of caller, every form of an answer."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web

from sidecar.core.operations.row import Kind
from tests.doubles.faults import Handler
from tests.doubles.running_app import RunningApp
from tests.doubles.secret_spellings import CODE, decoded
from tests.doubles.stripe import CLIENT_SECRET, StripeDouble
from tests.unit.web.table.cases import CASES, Case
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, TENANT

SECRET = f"pi_3Abc{CLIENT_SECRET}"
URL = f"https://hooks.example/3ds?payment_intent=pi_3Abc&payment_intent_client_secret={SECRET}"
WITHIN: dict[str, Any] = {
    "next_action": {"type": "redirect_to_url", "redirect_to_url": {"url": URL, "return_url": "https://app.example"}},
    "last_payment_error": {"setup_intent": {"object": "setup_intent", "client_secret": SECRET}},
    "description": f"see {quote(quote(URL, safe=''), safe='')}".replace("_", "%5f"),
    "name": SECRET.replace("_secret_", "%5Fsecret%5F"),
    "phone": "".join(f"%{ord(letter):02x}" for letter in SECRET),
    "metadata": {
        SECRET: "a name",
        "nested": json.dumps({"client_secret": SECRET}).replace("_", "\\u005f"),
        "plain": "my_secret_plan",
    },
}
LISTS = {name: case for name, case in CASES.items() if case.row.kind is Kind.LIST}
LINES = ("Accept", "application/x-ndjson")
CONSENT = {"STRIPE_EXPOSE_CLIENT_SECRET": "true"}


def plant(stripe: StripeDouble, within: dict[str, Any]) -> None:
    """Let every object in Stripe's answers have these attributes, written as Stripe may write any letter in JSON."""

    async def planted(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        assert isinstance(response, web.Response)
        body = json.loads(response.body)  # type: ignore[arg-type] # the double's answers are bytes
        for each in body["data"] if body.get("object") in {"list", "search_result"} else [body]:
            each.update(within)
        text = json.dumps(body).replace("_secret_", "\\u005fs\\u0065cret_")
        return web.Response(text=text, status=response.status, content_type="application/json")

    stripe.fail(planted)


def whole(case: Case) -> str:
    """Give the target of a whole list."""
    return f"/stripe{case.target}".replace("limit=2", "").replace("?&", "?").removesuffix("?")


@pytest.mark.parametrize("name", CASES)
async def test_no_operation_gives_one(shop: RunningApp, name: str) -> None:
    """O4, R6: no answer, to a change or a question, holds a client secret within any value, for any caller."""
    plant(shop.stripe, WITHIN)

    answers = [await CASES[name].call(shop, user) for user in (MANAGER, TENANT, CLERK)]

    assert answers[0].status == CASES[name].status
    assert not [answer for answer in answers if CLIENT_SECRET in decoded(answer.body.decode())]
    if answers[0].status < 300:
        assert b"my_secret_plan" in answers[0].body


@pytest.mark.parametrize("name", LISTS)
async def test_no_whole_list_gives_one(shop: RunningApp, name: str) -> None:
    """O4: neither does a whole list, as an array or line by line."""
    plant(shop.stripe, WITHIN)

    for user in (MANAGER, TENANT, CLERK):
        for headers in ((), (LINES,)):
            answer = await shop.call(user, whole(LISTS[name]), headers=headers)
            assert CLIENT_SECRET not in decoded(answer.body.decode()), (user.name, headers)


@pytest.mark.parametrize("query", ["?limit=1", ""])
async def test_who_sees_client_secret(open_shop: OpenShop, query: str) -> None:
    """O4, R6: with consent an address keeps its secret for who sees the object's `client_secret`, and nobody else."""
    shop = await open_shop(**CONSENT)
    shop.shows_client_secrets = True
    plant(shop.stripe, {**WITHIN, "customer": "cus_OWN", "description": f"key sk_live_{CODE}"})

    answers = {user.name: await shop.call(user, f"/stripe/payments{query}") for user in (MANAGER, TENANT, CLERK)}

    assert URL in answers[MANAGER.name].body.decode()
    assert '"client_secret":"pi_' in answers[TENANT.name].body.decode()
    assert CLIENT_SECRET not in decoded(answers[CLERK.name].body.decode())
    assert not [answer for answer in answers.values() if CODE in answer.body.decode()]


@pytest.mark.parametrize("secret", [f"ek_test_{CODE}", f"whsec_{CODE}", f"sk%5Flive%5f{CODE}", f"btok_{CODE}"])
@pytest.mark.parametrize("consent", [{}, CONSENT], ids=["", "consent"])
async def test_keys_are_nobodys(open_shop: OpenShop, consent: dict[str, str], secret: str) -> None:
    """O4, S1: a key or token of Stripe's within a value leaves for nobody, whatever the operator's consent."""
    shop = await open_shop(**consent)
    shop.shows_client_secrets = bool(consent)
    plant(shop.stripe, {"metadata": {"a": secret}, "description": f"it is {secret}", secret: "x"})

    for query in ("?limit=1", ""):
        answer = await shop.call(MANAGER, f"/stripe/customers{query}")
        assert (answer.status, CODE in answer.body.decode()) == (200, False)


async def test_a_page_without_secrets_passes(shop: RunningApp) -> None:
    """O4: a page without secrets is passed on byte by byte, with its escapes, plain addresses and IDs of sessions."""
    page = {
        "object": "list",
        "data": [
            {
                "id": "cus_9",
                "object": "customer",
                "created": 1,
                "name": "Secret_Garden é",
                "description": "a\nplan",
                "metadata": {"a": "https://shop.example/a%20b%2Fc?d=%5B1%5D", "session": "cs_test_a1Abc"},
            }
        ],
        "has_more": False,
    }
    raw = json.dumps(page, indent=2)

    async def wrote(_request: web.Request, _handler: Handler) -> web.StreamResponse:
        return web.Response(text=raw, content_type="application/json")

    shop.stripe.fail(wrote)

    answer = await shop.call(MANAGER, "/stripe/customers?limit=1")

    assert raw.encode() == answer.body
