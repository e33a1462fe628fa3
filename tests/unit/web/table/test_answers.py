"""Answers: nothing of another customer even if Stripe sends it, and secrets only for the right callers."""

import json

import pytest

from sidecar.core.operations.resources import CUSTOMER, Resource
from sidecar.core.operations.row import Kind, Scoping
from tests.doubles.directus import User, full, grants
from tests.doubles.faults import answer as faulty
from tests.doubles.running_app import RunningApp
from tests.doubles.stripe import CLIENT_SECRET, Object
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES, ENDING, Case
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, TENANT

OWN = {name: case for name, case in CASES.items() if case.row.scoping is not Scoping.REFUSED}
LISTS = {name: case for name, case in OWN.items() if case.row.kind is Kind.LIST and case.row.resource.customer_at}
CALLS = {
    name: case
    for name, case in OWN.items()
    if case.row.kind in {Kind.CREATE, Kind.ACT} or (case.row.kind is Kind.RETRIEVE and case.row.resource is CUSTOMER)
}
SECRETIVE = ("payment_intents.create", "setup_intents.create", "checkout_sessions.create")


def foreign(case: Case, shop: RunningApp) -> Object:
    """Give a foreign object of the case's kind."""
    resource = case.row.resource
    made = [each for each in shop.stripe.objects[resource.kind] if str(each.get("id")).endswith("_FOREIGN")]
    return made[0] if made else _made(resource)


def _made(resource: Resource) -> Object:
    owner: object = "cus_FOREIGN"
    for name in reversed(resource.customer_at):
        owner = {name: owner}
    assert isinstance(owner, dict)
    return {resource.identity: "x_FOREIGN", "object": resource.kind, "private": "FOREIGN", **owner}


@pytest.mark.parametrize("case", CALLS.values(), ids=CALLS)
async def test_another_customers_object(shop: RunningApp, case: Case) -> None:
    """If Stripe answers a scoped caller with a foreign object, that is 502 and nothing of it is shown."""
    path = case.asked.partition("?")[0]
    lie = faulty(200, json.dumps(foreign(case, shop)))
    shop.stripe.fail(lie, when=lambda request: (request.method, request.path) == (case.row.method, path))

    answer = await case.call(shop, TENANT)

    assert (answer.status, answer.code) == (502, "STRIPE_UNAVAILABLE")
    assert b"FOREIGN" not in answer.raw
    assert [line for line in shop.log if "object of another customer" in line]


@pytest.mark.parametrize("whole", [False, True], ids=["page", "whole"])
@pytest.mark.parametrize("case", LISTS.values(), ids=LISTS)
async def test_another_customers_object_in_a_list(shop: RunningApp, case: Case, *, whole: bool) -> None:
    """One foreign object in Stripe's list for a scoped caller ends that list; nothing of it is shown."""
    kind, path = case.row.resource, case.asked.partition("?")[0]
    paths = {path, f"{path}/cus_OWN"}
    page: Object = {"object": "list", "has_more": False, "data": [foreign(case, shop)]}
    lie = faulty(200, json.dumps(page if kind is not CUSTOMER else foreign(case, shop)))
    shop.stripe.fail(lie, when=lambda request: request.path in paths)
    target = case.target.replace("limit=2", "").replace("?&", "?").removesuffix("?") if whole else case.target

    answer = await shop.call(TENANT, f"/stripe{target}")

    assert (answer.status, answer.code) == (502, "STRIPE_UNAVAILABLE")
    assert b"FOREIGN" not in answer.raw


@pytest.mark.parametrize("name", ["payment_intents.retrieve", "invoices.retrieve", "checkout_sessions.retrieve"])
async def test_an_object_that_turns_out_foreign(shop: RunningApp, name: str) -> None:
    """Stripe's answer decides about the owner: an object of another customer is refused like any foreign one."""
    case = CASES[name]
    lie = faulty(200, json.dumps({**foreign(case, shop), "id": "x_OWN"}))
    shop.stripe.fail(lie, when=lambda request: request.path == case.asked)

    answer = await case.call(shop, TENANT)

    assert (answer.status, answer.extensions["reason"]) == (401, "not_visible")


@pytest.mark.parametrize(
    "body", ["[]", "null", "7", '"x"', "{}", '{"object": {}, "id": []}', '{"object": 7, "customer": []}']
)
async def test_an_answer_that_is_no_object(shop: RunningApp, body: str) -> None:
    """U1: any other answer of Stripe to a change is 502, for every caller, and never a crash."""
    shop.stripe.fail(faulty(200, body), when=lambda request: request.method != "GET")

    answers = [
        await case.call(shop, user)
        for case in CALLS.values()
        if case.row.kind is not Kind.RETRIEVE
        for user in (TENANT, MANAGER)
    ]

    assert {(502, "STRIPE_UNAVAILABLE")} == {(each.status, each.code) for each in answers}


def secrets_in(answer: Answer) -> int:
    return answer.raw.decode().count(CLIENT_SECRET)


async def test_secrets_are_hidden(shop: RunningApp) -> None:
    """R6: no row shows a `client_secret`, at any depth, to any caller without the operator's consent."""
    for case in CASES.values():
        for user in (MANAGER, TENANT, CLERK):
            assert secrets_in(await case.call(shop, user)) == 0, (case.name, user.name)


@pytest.mark.parametrize("name", SECRETIVE)
async def test_callers_that_see_a_secret(open_shop: OpenShop, name: str) -> None:
    """With consent a caller with full access sees it, and a scoped caller in its own objects; a clerk does not."""
    shop = await open_shop(STRIPE_EXPOSE_CLIENT_SECRET="true")
    shop.shows_client_secrets = True

    shown = {user.name: await CASES[name].call(shop, user) for user in (MANAGER, TENANT, CLERK)}

    assert [each.status for each in shown.values()] == [201] * 3
    assert {MANAGER.name: 1, TENANT.name: 1, CLERK.name: 0} == {name: secrets_in(each) for name, each in shown.items()}


async def test_a_secret_comes_alone(open_shop: OpenShop) -> None:
    """The operator's consent to secrets shows a caller with a field list nothing else than before."""
    shop = await open_shop(STRIPE_EXPOSE_CLIENT_SECRET="true")
    shop.shows_client_secrets = True

    answer = await CASES["payment_intents.create"].call(shop, TENANT)

    base = CASES["payment_intents.create"].row.resource.base
    assert base | {"client_secret"} == set(answer.json()) | base
    assert "metadata" not in answer.json()


async def test_a_field_list_sees_the_base(shop: RunningApp) -> None:
    """R6: a scoped caller with a field list sees the base of each kind and its mapped attributes."""
    mapped = {"name", "email"}
    cases = [case for case in OWN.values() if case.row.on_customers and case.name not in ENDING]

    for case in cases:
        found = (await case.call(shop, TENANT)).json()
        for each in found["data"] if case.row.kind is Kind.LIST else [found]:
            assert set(each) <= case.row.resource.base | case.row.resource.links | mapped, case.name


@pytest.mark.parametrize("name", ["invoices.retrieve", "invoices.list", "checkout_sessions.retrieve"])
async def test_links_are_for_the_owner(shop: RunningApp, name: str) -> None:
    """R6: pages of Stripe that show more than a field list does are linked for the customer, not for a clerk."""
    links = CASES[name].row.resource.links
    for kind in ("invoice", "checkout.session"):
        for each in shop.stripe.objects[kind]:
            each.update(dict.fromkeys(links, "https://pay.example/x"))

    seen = {user.name: (await CASES[name].call(shop, user)).raw for user in (MANAGER, TENANT, CLERK)}

    shown = {user: {link for link in links if f'"{link}"'.encode() in body} for user, body in seen.items()}
    assert shown == {MANAGER.name: links, TENANT.name: links, CLERK.name: set()}


@pytest.mark.parametrize("name", ["checkout_sessions.create", "billing_portal_sessions.create"])
async def test_links_are_for_the_creator(shop: RunningApp, name: str) -> None:
    """The caller that makes a session gets the address of its page, with a field list too."""
    answers = [await CASES[name].call(shop, user) for user in (MANAGER, TENANT, CLERK)]

    assert [(each.status, "url" in each.json()) for each in answers] == [(201, True)] * 3


async def test_a_change_shows_readable_fields_only(shop: RunningApp) -> None:
    """R6: as in Directus, a caller that may change a field and not read it does not learn its value."""
    writer = User(
        "user-writer", "MARKED-writer/+token~", grants(read=full("id", "stripe_customer_id"), update=full("*"))
    )
    shop.directus.add_users([writer])
    shop.tokens.add(writer.token)

    answer = await CASES["customers.update"].having().call(shop, writer)

    assert answer.status == 200
    assert set(answer.json()) <= CUSTOMER.base


async def test_everything_is_as_stripe_wrote_it(shop: RunningApp) -> None:
    """A caller with full access gets the whole object, without its secrets."""
    answer = await CASES["invoices.retrieve"].call(shop, MANAGER)

    invoice = next(each for each in shop.stripe.objects["invoice"] if each["id"] == "in_OWN")
    assert {**invoice, "confirmation_secret": {"type": "payment_intent"}} == answer.json()


async def test_a_change_is_told_in_the_audit(shop: RunningApp) -> None:
    """Each change at Stripe is one log line with row and object, for every caller; reading leaves none."""
    for name in ("payment_intents.retrieve", "payment_intents.create", "subscriptions.cancel"):
        await CASES[name].call(shop, TENANT)

    told = [json.loads(line) for line in shop.log if "changed at Stripe" in line]
    assert [each["operation"] for each in told] == ["payment_intents.create", "subscriptions.cancel"]
    assert [each["user"] for each in told] == [TENANT.name] * 2
    assert told[1]["object"] == "sub_OWN"
