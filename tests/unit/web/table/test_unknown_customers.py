"""Rows that name a customer which the Stripe account does not have: of test mode, of another account, of a restore."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sidecar.core.operations.row import Kind, Scoping
from tests.doubles.directus import User, grants, partial
from tests.doubles.faults import Fault, answer, reset_before_headers
from tests.doubles.running_app import RunningApp
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES, Case
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER, TENANT

DEAD = "cus_DEAD"
LINES = ("Accept", "application/x-ndjson")
LISTS = ("/payments", "/charges", "/invoices", "/subscriptions", "/payment_methods", "/customers")
NO_KEY = User("user-keyless", "MARKED-keyless/+token~", grants(read=partial("stripe_customer_id", "name")))


def about_the_customer_alone() -> Iterator[Case]:
    """Give each case that works with the caller's customer, which it names, without the customer's other objects."""
    for case in CASES.values():
        if case.names_customer and case.row.scoping is not Scoping.REFUSED:
            body = {name: value for name, value in case.json.items() if _is_no_other(name, value)}
            target = "&".join(part for part in case.target.split("&") if _is_no_other(part.split("=")[0], part))
            yield replace(case, target=target, body=json.dumps(body) if case.body else None)


def _is_no_other(name: str, value: object) -> bool:
    return name == "customer" or "_OWN" not in json.dumps(value) or "cus_OWN" in json.dumps(value)


NAMED = {case.name: case for case in about_the_customer_alone()}
# The same where the request leaves its customer out.
LEFT_OUT = {
    case.name: replace(case, target=case.target.replace("&customer=cus_OWN", ""), body=_bare)
    for case in NAMED.values()
    for _bare in [case.body and json.dumps({name: value for name, value in case.json.items() if name != "customer"})]
    if case.row.path_resource is None
}
LEFT_OUT |= {name: CASES[name] for name in ("payments.list", "customers.list")}


def forget(shop: RunningApp, *customers: str) -> None:
    for customer in customers:
        shop.stripe.account.remove("customer", customer)


def own_row(shop: RunningApp, customer: str = DEAD) -> int:
    """Add a row of the tenant's; give its key."""
    return int(
        str(shop.directus.add_row(owner=TENANT.name, stripe_customer_id=customer, name="n", email="n@e.example")["id"])
    )


def logged(shop: RunningApp) -> list[dict[str, Any]]:
    """Give what the operator's log says of rows."""
    lines = [json.loads(line) for line in shop.log]
    return [line for line in lines if line["logger"].endswith("unknown_customers")]


def listed(found: Answer) -> list[object]:
    assert found.status == 200, found.body
    return [entry["id"] for entry in found.json()]


@pytest.mark.parametrize("case", NAMED.values(), ids=NAMED)
async def test_the_only_row_by_name(shop: RunningApp, case: Case) -> None:
    """Whatever a caller asks about its own dead customer is a conflict that names the item and what mends it."""
    forget(shop, "cus_OWN")

    refused = await case.call(shop, TENANT)

    assert (refused.status, refused.code, refused.extensions["item"]) == (409, "CONFLICT", 1)
    assert "Item 1: its customer cus_OWN is not in this service's Stripe account" in refused.message
    assert "Empty the field" in refused.message
    [line] = logged(shop)
    assert (line["collection"], line["item"], line["customer"]) == ("customers", 1, "cus_OWN")


@pytest.mark.parametrize("case", LEFT_OUT.values(), ids=LEFT_OUT)
async def test_the_only_row_unnamed(shop: RunningApp, case: Case) -> None:
    """So it is where the request leaves the customer out, and for a caller all of whose rows are dead."""
    forget(shop, "cus_OWN")
    if case.row.kind is Kind.LIST and case.row.resource.customer_at:
        own_row(shop)

    refused = await case.call(shop, TENANT)

    assert (refused.status, refused.code) == (409, "CONFLICT")
    assert refused.extensions["item"] in {1, 3}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("headers", [(), (LINES,)], ids=["array", "lines"])
async def test_whole_lists(shop: RunningApp, path: str, headers: Sequence[tuple[str, str]]) -> None:
    """A whole list is byte for byte the one without the dead row; the operator's log names the row."""
    expected = await shop.call(TENANT, f"/stripe{path}", headers=headers)
    dead = own_row(shop)

    found = await shop.call(TENANT, f"/stripe{path}", headers=headers)

    assert (found.status, found.body) == (200, expected.body)
    assert b"_OWN" in found.body
    assert [(line["item"], line["customer"]) for line in logged(shop)] == [(dead, DEAD)]


@pytest.mark.parametrize("query", ["limit=3", "limit=3&starting_after=pi_4", "limit=3&ending_before=pi_4"])
async def test_pages(shop: RunningApp, query: str) -> None:
    """Pages after and before a cursor are those without the dead rows, whichever comes first."""
    for number in range(8):
        shop.stripe.add_payment(id=f"pi_{number}", customer="cus_OWN")
    expected = await shop.call(TENANT, f"/stripe/payments?{query}")
    own_row(shop)
    own_row(shop, "cus_ZZZ")

    found = await shop.call(TENANT, f"/stripe/payments?{query}")

    assert (found.status, found.body) == (200, expected.body)
    assert len(found.json()["data"]) == 3


async def test_a_good_customer_without_objects(shop: RunningApp) -> None:
    """A dead row beside a good one without any objects is an empty list, and no conflict."""
    own_row(shop)
    shop.stripe.objects["invoice"].clear()

    assert listed(await shop.call(TENANT, "/stripe/invoices")) == []


async def test_the_good_customer_by_name(shop: RunningApp) -> None:
    """Beside a dead row, the good customer is served by its name, and the dead one is a conflict."""
    dead = own_row(shop)

    good, refused = [await shop.call(TENANT, f"/stripe/payments/{name}") for name in ("cus_OWN", DEAD)]

    assert listed(good) == ["pi_OWN"]
    assert (refused.status, refused.extensions["item"]) == (409, dead)


async def test_an_item_whose_key_is_not_shown(shop: RunningApp) -> None:
    """A caller that may not read the key of its item is not told it, nor is the log."""
    forget(shop, "cus_OWN")
    shop.directus.add_users([NO_KEY])
    shop.tokens.add(NO_KEY.token)
    shop.directus.rows["customers"]["1"]["owner"] = NO_KEY.name

    refused = await shop.call(NO_KEY, "/stripe/payments")

    assert (refused.status, refused.code) == (409, "CONFLICT")
    assert "item" not in refused.extensions
    assert refused.message.startswith("One of your items: its customer cus_OWN ")
    assert [line["item"] for line in logged(shop)] == [None]


async def test_a_deleted_customer_is_known(shop: RunningApp) -> None:
    """Stripe lists what a deleted customer had, so nothing changes about those, and nothing is logged."""
    shop.stripe.objects["customer"][0]["deleted"] = True

    payments, customers, one = [
        await shop.call(TENANT, f"/stripe{path}") for path in ("/payments", "/customers", "/customers/cus_OWN")
    ]

    assert (listed(payments), listed(customers)) == (["pi_OWN"], [])
    assert (one.status, one.json()["deleted"]) == (200, True)
    assert logged(shop) == []


CHANGES = [name for name, case in NAMED.items() if case.row.scoping in {Scoping.FILLED, Scoping.IDENTITY} and case.body]


@pytest.mark.parametrize("name", CHANGES)
async def test_changes_for_the_deleted(shop: RunningApp, name: str) -> None:
    """Stripe refuses a change for a deleted customer as for an unknown one, and so the answer says both."""
    shop.stripe.objects["customer"][0]["deleted"] = True

    refused = await NAMED[name].call(shop, TENANT)

    assert (refused.status, refused.code, refused.extensions["item"]) == (409, "CONFLICT", 1)
    assert "or was deleted there" in refused.message


@pytest.mark.parametrize("case", NAMED.values(), ids=NAMED)
async def test_whole_access(shop: RunningApp, case: Case) -> None:
    """A caller with whole access that names an unknown customer gets Stripe's own refusal."""
    refused = await case.about("DEAD").call(shop, MANAGER)

    assert (refused.status, refused.code) in {(400, "STRIPE_REJECTED"), (404, "STRIPE_REJECTED")}
    assert refused.extensions["stripe"]["code"] == "resource_missing"
    assert logged(shop) == []


@pytest.mark.parametrize("path", ["/customers/{}", "/payments/{}", "/invoices?customer={}"])
async def test_foreign_and_unknown(shop: RunningApp, path: str) -> None:
    """R1: a customer of nobody's row is refused as a foreign one is, 0 Stripe, also beside a dead row of one's own."""
    own_row(shop)

    foreign, unknown = [await shop.call(TENANT, f"/stripe{path.format(name)}") for name in ("cus_FOREIGN", "cus_NONE")]

    assert (foreign.status, foreign.code, foreign.body) == (unknown.status, "FORBIDDEN", unknown.body)
    assert shop.stripe.asked == []


def refusal(status: int, **facts: str) -> Fault:
    return answer(status, json.dumps({"error": {"type": "invalid_request_error", **facts}}))


UNCERTAIN = {
    "no parameter": refusal(400, code="resource_missing"),
    "another parameter": refusal(400, code="resource_missing", param="payment_method"),
    "another code": refusal(400, code="parameter_invalid_empty", param="customer"),
    "no code": refusal(400, param="customer"),
    "no such path": refusal(404),
    "a proxy's": answer(404, "<html>", "text/html"),
    "our key": refusal(401),
    "limits": refusal(429, code="rate_limit"),
    "down": answer(500),
    "reset": reset_before_headers,
}


@pytest.mark.parametrize("path", ["/payments", "/payments?limit=2", "/customers", "/customers?limit=2"])
@pytest.mark.parametrize("fault", UNCERTAIN.values(), ids=UNCERTAIN)
async def test_only_stripes_word_counts(open_shop: OpenShop, path: str, fault: Fault) -> None:
    """U4: any other failure about one of several customers ends the list in an error, never in a short list."""
    shop = await open_shop(STRIPE_TIMEOUT="1")
    own_row(shop)
    shop.stripe.fail(fault, when=lambda request: DEAD in request.target)

    failed = await shop.call(TENANT, f"/stripe{path}")

    assert failed.status in {400, 404, 429, 502, 503, 504}
    assert failed.code != "CONFLICT"
    assert logged(shop) == []


async def test_the_log_is_bounded(shop: RunningApp) -> None:
    """One row is logged once, however often it is met and in whichever list."""
    own_row(shop)

    for _ in range(3):
        for path in LISTS:
            assert (await shop.call(TENANT, f"/stripe{path}")).status == 200

    assert len(logged(shop)) == 1
