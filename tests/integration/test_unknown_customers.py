"""A person whose rows name a customer that the Stripe account does not have, on the real Directus."""

from pathlib import Path

import pytest

from deploy.demo.admin import Person, Rule
from tests.integration.asking import ask, unmarked, verdict
from tests.integration.commands import run
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, OWN, Portal

DEAD = "cus_OfAnotherAccount"
LINES = [("Accept", "application/x-ndjson")]
OPERATIONS = """
[customers.retrieve]
[customers.update]
[invoices.list]
[payment_methods.list]
[subscriptions.create]
[billing_portal_sessions.create]
"""


@pytest.fixture
async def member(newcomer: Newcomer, portal: Portal) -> Person:
    return await newcomer(
        portal.names.rule("read", ("id", ID, "name"), OWN), portal.names.rule("update", ("name",), OWN)
    )


@pytest.fixture
def operations(tmp_path: Path) -> str:
    file = tmp_path / "operations.toml"
    file.write_text(OPERATIONS)
    return str(file)


async def row_of(portal: Portal, member: Person, customer: str = DEAD) -> int:
    return await portal.item(owner=member.id, **{ID: customer})


@pytest.mark.parametrize(
    "target", ["/payments", "/customers", "/payments?limit=2", "/payments?limit=2&starting_after={}"]
)
async def test_lists(portal: Portal, member: Person, target: str) -> None:
    """Whole and by page, as an array and as lines, lists are byte for byte those without the dead row."""
    mine = await portal.customer(owner=member.id, payments=5)
    await portal.customer(payments=2)
    target = target.format(portal.payments_of(mine)[1]["id"])
    expected = [await portal.ask(member, target, headers=headers) for headers in ([], LINES)]

    await row_of(portal, member)

    found = [await portal.ask(member, target, headers=headers) for headers in ([], LINES)]
    assert [unmarked(answer) for answer in found] == [unmarked(answer) for answer in expected]
    assert {answer.status for answer in found} == {200}


async def test_pages_both_ways(portal: Portal, member: Person) -> None:
    """Followed by cursor forward and back, the pages are the good customer's payments in order."""
    mine = await portal.customer(owner=member.id, payments=7)
    await row_of(portal, member)
    expected = [payment["id"] for payment in portal.payments_of(mine)]

    forward: list[object] = []
    more = True
    while more:
        after = f"&starting_after={forward[-1]}" if forward else ""
        page = (await portal.ask(member, f"/payments?limit=3{after}")).json()
        forward += [payment["id"] for payment in page["data"]]
        more = page["has_more"]
    back = (await portal.ask(member, f"/payments?limit=3&ending_before={expected[5]}")).json()

    assert forward == expected
    assert ([payment["id"] for payment in back["data"]], back["has_more"]) == (expected[2:5], True)


async def test_the_only_row(portal: Portal, member: Person, operations: str) -> None:
    """Every operation of a person with one dead row is a conflict that names the item and what mends it."""
    item = await row_of(portal, member)
    items = [{"price": str(portal.stripe.add("price", type="recurring")["id"])}]
    asked: list[tuple[str, dict[str, object] | None]] = [
        *((path, None) for path in ("/payments", "/payments?limit=2", "/customers", "/invoices", "/payment_methods")),
        *((path.format(DEAD), None) for path in ("/payments/{}", "/customers/{}", "/invoices?customer={}")),
        (f"/customers/{DEAD}", {"name": "Ada"}),
        ("/subscriptions", {"items": items}),
        ("/billing_portal/sessions", {}),
    ]

    async with portal.other(STRIPE_OPERATIONS=operations) as other:
        answers = [await ask(other.url, f"/stripe{path}", member.token, new=body) for path, body in asked]
        lines = await other.ask(member, "/payments", headers=LINES)

    assert {verdict(answer) for answer in [*answers, lines]} == {(409, "CONFLICT")}
    assert {answer.extensions["item"] for answer in [*answers, lines]} == {item}
    assert all(f"Item {item}: its customer {DEAD} is not in this service's" in answer.message for answer in answers)
    assert all("Empty the field" in answer.message for answer in answers)


async def test_foreign_and_unknown(portal: Portal, member: Person) -> None:
    """R1: beside a dead row, a foreign customer and one of no row get the same answer byte for byte, 0 Stripe."""
    await row_of(portal, member)
    foreign = await portal.customer()
    portal.forget_requests()

    answers = [await portal.ask(member, f"/payments/{customer}") for customer in (foreign, "cus_None")]

    assert unmarked(answers[0]) == unmarked(answers[1])
    assert verdict(answers[0]) == (401, "FORBIDDEN")
    assert portal.stripe.asked == []


async def test_whole_access(portal: Portal, newcomer: Newcomer) -> None:
    """Who has whole access and names an unknown customer gets Stripe's own refusal."""
    staff = await newcomer(Rule(portal.names.customers, "read"))

    answer = await portal.ask(staff, f"/payments/{DEAD}")

    assert verdict(answer) == (400, "STRIPE_REJECTED")
    assert answer.extensions["stripe"]["param"] == "customer"


async def test_the_log(portal: Portal, member: Person, caplog: pytest.LogCaptureFixture) -> None:
    """The operator's log names the row once, however often its owner asks."""
    await portal.customer(owner=member.id)
    item = await row_of(portal, member)

    for _ in range(3):
        await portal.ids(member, "/payments")
        await portal.ids(member, "/customers")

    lines = [record for record in caplog.records if record.name.endswith("unknown_customers")]
    assert [(line.collection, line.item, line.customer) for line in lines] == [  # type: ignore[attr-defined]  # `extra`
        (portal.names.customers, item, DEAD)
    ]


async def test_check(portal: Portal, member: Person, newcomer: Newcomer) -> None:
    """`check` names the rows of a sample whose customers are unknown or deleted, and says what mends them."""
    await portal.customer(owner=member.id)
    unknown = await row_of(portal, member)
    gone = str(portal.stripe.add_customer(deleted=True)["id"])
    deleted = await row_of(portal, member, gone)
    service = await newcomer(portal.names.rule("read"))
    own = {"DIRECTUS_URL": portal.stack.directus.url, "DIRECTUS_SERVICE_TOKEN": service.token}

    told = await run("check", **{**portal.settings, **own, "DIRECTUS_SERVICE_TOKEN_FILE": ""})

    assert f"1 of 3 items of {portal.names.customers} that were looked at name customers" in told.texts("FAULT")
    assert f"(item {unknown}: {DEAD})" in told.texts("FAULT")
    assert f"(item {deleted}: {gone})" in told.texts("note")
    assert portal.stripe.key not in told.out
