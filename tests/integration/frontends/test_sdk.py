"""Directus's SDK, the real package in Node, calls the routes through the proxy as it calls Directus's own."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.install import NodeTools
from deploy.demo.stack import Stack

SCRIPT = Path(__file__).parent / "sdk.mjs"
WAYS = ("session", "json", "static")


@pytest.fixture(scope="session")
def script(node_tools: NodeTools, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give the command that runs the script in a folder with its imports."""
    folder = tmp_path_factory.mktemp("sdk")
    (folder / "node_modules").symlink_to(node_tools.modules)
    (folder / SCRIPT.name).write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    return [node_tools.node, folder / SCRIPT.name]


def asked(script: list[Path], stack: Stack, name: str, *requests: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Ask as one of the demo's people, and give the outcomes for each way to sign in."""
    person = stack.people[name]
    given = {"url": stack.proxy.url, "email": person.email, "password": person.password, "token": person.token}
    ended = subprocess.run(  # noqa: S603 - our own script
        script,
        input=json.dumps({**given, "requests": requests}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    answered = json.loads(ended.stdout)
    assert [answered[way]["me"] for way in WAYS] == [person.email] * 3
    return {way: answered[way]["outcomes"] for way in WAYS}


def test_every_basic_route(script: list[Path], stack: Stack) -> None:
    """With a session, an access token and a static token the clerk gets from each route the same as over HTTP."""
    ada = stack.customers["Ada Lovelace"]
    requests: list[dict[str, Any]] = [
        {"path": "/stripe/customers"},
        {"path": "/stripe/payments"},
        {"path": f"/stripe/payments/{ada}"},
        {"path": "/stripe/customers", "params": {"limit": 1}},
        {
            "path": "/stripe/customers",
            "method": "POST",
            "body": json.dumps({"email": "sdk@example.com", "name": "Sdk & Söhne"}),
        },
    ]

    outcomes = asked(script, stack, "clerk", *requests)

    for way in WAYS:
        customers, payments, hers, page, created = (outcome["result"] for outcome in outcomes[way])
        assert set(stack.customers.values()) <= {customer["id"] for customer in customers}
        assert {payment["customer"] for payment in hers} == {ada}
        assert {payment["id"] for payment in hers} <= {payment["id"] for payment in payments}
        assert len(page) == 1  # the SDK unwraps `data` and drops the members beside it
        assert (created["email"], created["name"]) == ("sdk@example.com", "Sdk & Söhne")


def test_operations_that_are_turned_on(script: list[Path], stack: Stack) -> None:
    """The SDK also gets the member's own customer and opens its portal."""
    ada = stack.customers["Ada Lovelace"]
    back = {"return_url": f"{stack.proxy.url}/demo/"}
    requests: list[dict[str, Any]] = [
        {"path": f"/stripe/customers/{ada}"},
        {"path": "/stripe/invoices"},
        {"path": "/stripe/billing_portal/sessions", "method": "POST", "body": json.dumps(back)},
    ]

    outcomes = asked(script, stack, "member", *requests)

    for way in WAYS:
        customer, invoices, session = (outcome["result"] for outcome in outcomes[way])
        assert (customer["id"], {invoice["customer"] for invoice in invoices}) == (ada, {ada})
        assert session["url"].startswith("https://")


def test_errors(script: list[Path], stack: Stack) -> None:
    """Refusals and faults arrive as the SDK's errors: with message, code, reason and the answer's status."""
    grace = stack.customers["Grace Hopper"]
    requests: list[dict[str, Any]] = [
        {"path": f"/stripe/payments/{grace}"},
        {"path": "/stripe/customers", "method": "POST", "body": json.dumps({"email": "a@example.com"})},
        {"path": "/stripe/payments", "params": {"expand": "customer"}},
        {"path": "/stripe/nothing"},
    ]

    outcomes = asked(script, stack, "member", *requests)

    for way in WAYS:
        found = [
            (
                outcome["status"],
                outcome["errors"][0]["extensions"]["code"],
                outcome["errors"][0]["extensions"].get("reason"),
            )
            for outcome in outcomes[way]
        ]
        assert found == [
            (401, "FORBIDDEN", "not_visible"),
            (401, "FORBIDDEN", "no_access"),
            (400, "INVALID_QUERY", None),
            (404, "ROUTE_NOT_FOUND", None),
        ]
        assert all(outcome["errors"][0]["message"] for outcome in outcomes[way])
