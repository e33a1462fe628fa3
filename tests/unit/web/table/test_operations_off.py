"""A row of the table that is off says so; what no row has is another answer."""

import pytest

from sidecar.core.operations.table import OPERATIONS
from tests.doubles.running_app import OpenApp, RunningApp
from tests.unit.web.table.cases import CASES, ROWS
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER

FURTHER = [row.name for row in OPERATIONS if not row.basic]


async def asked(app: RunningApp, name: str) -> tuple[int, str | None, object]:
    """Ask without a credential; the rows that have no case have no ID in their paths."""
    target = CASES[name].target if name in CASES else ROWS[name].path
    answer = await app.call(None, f"/stripe{target}", method=ROWS[name].method)
    return answer.status, answer.code, answer.extensions.get("operation")


async def test_every_row_that_is_off(open_app: OpenApp) -> None:
    """P3: without a credential a row that is off is 404 with its name and the setting; no upstream is asked."""
    app = await open_app(STRIPE_OPERATIONS="")

    answers = {name: await asked(app, name) for name in FURTHER}
    told = await app.call(None, "/stripe/refunds", method="POST")

    assert {name: (404, "OPERATION_OFF", name) for name in FURTHER} == answers
    assert told.message == (
        "The operation refunds.create is off here. The operator of this service turns it on with a table "
        "[refunds.create] in the file that STRIPE_OPERATIONS names."
    )
    assert app.directus.requests == []
    assert app.stripe.asked == []


@pytest.mark.parametrize("off", FURTHER)
async def test_a_row_that_is_off_hides_no_other(open_shop: OpenShop, off: str) -> None:
    """P3: with one row off every other one asks for a credential, also those whose paths are like its path."""
    app = await open_shop({off: None}, STRIPE_EXPOSE_CLIENT_SECRET="true")
    app.shows_client_secrets = True

    answers = {name: (await asked(app, name))[:2] for name in ROWS}

    assert answers.pop(off) == (404, "OPERATION_OFF")
    assert dict.fromkeys(answers, (401, "NO_CREDENTIALS")) == answers


async def test_a_basic_row_can_be_off(open_shop: OpenShop) -> None:
    """P3: a basic row that the operator turned off says so too, also to a caller with every permission."""
    app = await open_shop({"payments.list": "enabled = false"})

    answer = await app.call(MANAGER, "/stripe/payments")

    assert (answer.status, answer.code, answer.extensions["operation"]) == (404, "OPERATION_OFF", "payments.list")


async def test_another_method_beside_a_row_that_is_off(open_shop: OpenShop) -> None:
    """P3: a method without a row is 405 with the methods that are on, and 404 as any path where none is."""
    app = await open_shop({"refunds.create": None, "disputes.list": None})

    beside = await app.call(MANAGER, "/stripe/refunds", method="PUT")
    alone = await app.call(MANAGER, "/stripe/disputes", method="PUT")
    nowhere = await app.call(MANAGER, "/stripe/nowhere", method="PUT")

    assert (beside.status, beside.header("Allow")) == (405, "GET,HEAD,OPTIONS")
    assert [(each.status, each.code) for each in (alone, nowhere)] == [(404, "ROUTE_NOT_FOUND")] * 2


async def test_the_metrics_name_a_row_that_is_off(open_app: OpenApp) -> None:
    """The operator sees in the metrics which operations are asked for that are off."""
    app = await open_app(STRIPE_OPERATIONS="")
    await asked(app, "refunds.create")

    metrics = (await app.call(None, "/metrics")).body.decode()

    assert 'sidecar_requests_total{operation="refunds.create",status="404",verdict="none"} 1.0' in metrics
