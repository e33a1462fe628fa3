"""The running service's answers fit its own description, for every operation."""

import json

import pytest

from sidecar.core.operations.row import Kind
from tests.doubles import faults
from tests.doubles.running_app import SERVICE_TOKEN, RunningApp
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES, Case
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, OUTSIDER, TENANT
from tests.unit.web.validation import Schema, component, faults_in

LISTS = {name: case for name, case in CASES.items() if case.row.kind is Kind.LIST}
# HTTP's own headers, and those that only browsers read.
TRANSPORT = {"date", "connection", "content-type", "content-length", "server", "x-content-type-options"}


async def description(shop: RunningApp) -> Schema:
    given: Schema = (await shop.call(None, "/stripe/openapi.json")).json()
    return given


def response(whole: Schema, case: Case, answer: Answer) -> Schema:
    found: Schema = whole["paths"][case.row.path][case.row.method.lower()]["responses"][str(answer.status)]
    return found if "$ref" not in found else referred(whole, found)


def referred(whole: Schema, reference: Schema) -> Schema:
    found = whole
    for step in reference["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def body_schema(whole: Schema, case: Case, answer: Answer) -> Schema:
    found: Schema = response(whole, case, answer)["content"]["application/json"]["schema"]
    return found


def undescribed(whole: Schema, case: Case, answer: Answer) -> set[str]:
    """Give the headers of an answer that its description lacks, and check the values of the others."""
    headers = response(whole, case, answer)["headers"]
    for name, reference in headers.items():
        value = answer.header(name)
        if value is not None:
            schema = referred(whole, reference)["schema"]
            read = int(value) if schema.get("type") == "integer" else value
            assert faults_in(whole, schema, read) == []
    return {name.lower() for name, _ in answer.headers} - {name.lower() for name in headers} - TRANSPORT


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_answers_fit(shop: RunningApp, case: Case) -> None:
    """Results and refusals fit the description for every caller, and so does each header of the service."""
    whole = await description(shop)

    for user in (None, CLERK, TENANT, OUTSIDER, MANAGER):
        answer = await case.call(shop, user)

        assert faults_in(whole, body_schema(whole, case, answer), answer.json()) == []
        assert undescribed(whole, case, answer) == set()
        assert {"Cache-Control", "X-Request-Id"} <= response(whole, case, answer)["headers"].keys()


@pytest.mark.parametrize("case", LISTS.values(), ids=LISTS)
async def test_forms_of_a_list(shop: RunningApp, case: Case) -> None:
    """A page fits the schema of a page alone, and a whole list that of a whole list alone."""
    whole, kind = await description(shop), case.row.resource.kind
    page = (await case.call(shop, MANAGER)).json()

    fitting = {
        form: [not faults_in(whole, component(f"{kind}_{form}"), value) for value in (page, page["data"])]
        for form in ("page", "array")
    }

    assert fitting == {"page": [True, False], "array": [False, True]}


@pytest.mark.parametrize("status", [429, 503])
async def test_when_to_try_again(open_shop: OpenShop, status: int) -> None:
    """The description names the time of the next try wherever the service sends it."""
    shop = await open_shop(STRIPE_TIMEOUT="5")  # less than Stripe asks for
    whole, case = await description(shop), CASES["customers.retrieve"]
    if status == 429:
        shop.stripe.fail(faults.answer(429, json.dumps({"error": {}}), Retry_After="60"))
    else:
        shop.directus.fail(faults.answer(503, json.dumps({"errors": []}), Retry_After="60"))

    answer = await case.call(shop, MANAGER)

    assert (answer.status, answer.header("Retry-After")) == (status, "60")
    assert undescribed(whole, case, answer) == set()


async def test_a_customer_with_a_pending_id(open_shop: OpenShop) -> None:
    """A new customer whose ID is pending fits the description, with the header that says so."""
    shop = await open_shop(STRIPE_WRITE_BACK="true", DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN, WRITE_BACK_TIMEOUT="0.3")
    item = shop.directus.add_row(owner=MANAGER.name, stripe_customer_id=None)
    whole, case = await description(shop), CASES["customers.create"].having(item=item["id"])
    shop.directus.fail(faults.answer(500), when=lambda request: request.method == "PATCH")

    answer = await case.call(shop, MANAGER)

    assert (answer.status, answer.header("X-Write-Back")) == (201, "pending")
    assert faults_in(whole, body_schema(whole, case, answer), answer.json()) == []
    assert faults_in(whole, body_schema(whole, case, answer), {**answer.json(), "write_back": "done"}) != []
    assert undescribed(whole, case, answer) == set()
