"""What `check` and `provision` say of the Flows and collections that events start."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.commands.check_rights import excess
from sidecar.commands.event_findings import collection_lines, flow_lines
from sidecar.commands.lines import Line, Word
from sidecar.commands.rights import FLOW_FIELDS, FLOWS, Right, needed
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.flows.event_rules import EventRule, ItemTarget
from sidecar.settings import Settings

FLOW = "3c1f0b6a-6f0c-4f5e-9d0a-2b8f6c1d7e90"
TELLING = EventRule("invoice.paid", FLOW)
WRITING = EventRule("invoice.paid", None, ItemTarget("orders", "invoice"), {"total": ("total",)})
RIGHT = {"id": FLOW, "status": "active", "trigger": "webhook", "options": {"method": "POST", "error_on_reject": True}}
KEY = {"field": "invoice", "schema": {"is_unique": True}}
TOTAL = {"field": "total", "schema": {"is_unique": False}}


def said(lines: list[Line]) -> list[tuple[Word, str]]:
    """Give each line without the table that it is about."""
    return [(line.word, line.text.removeprefix('STRIPE_EVENTS: [events."invoice.paid"]: ')) for line in lines]


@pytest.mark.parametrize(
    ("changes", "word", "text"),
    [
        ({}, Word.OK, "starts a Flow"),
        ({"id": FLOW.upper()}, Word.OK, "starts a Flow"),
        ({"id": "another"}, Word.FAULT, "flow: Directus shows no Flow with this ID"),
        ({"status": "inactive"}, Word.FAULT, "flow: the Flow is not active"),
        ({"trigger": "manual"}, Word.FAULT, "flow: nothing but a POST may start the Flow"),
        ({"options": {"method": "GET"}}, Word.FAULT, "flow: nothing but a POST may start the Flow"),
        ({"options": {}}, Word.FAULT, "flow: nothing but a POST may start the Flow"),
        ({"options": None}, Word.FAULT, "flow: nothing but a POST may start the Flow"),
        ({"options": {"method": "POST"}}, Word.NOTE, "the Flow answers success even where it fails"),
        ({"options": {"method": "POST", "async": True}}, Word.NOTE, "the Flow answers before it has run"),
    ],
)
def test_flows(changes: Mapping[str, object], word: Word, text: str) -> None:
    """A Flow must be there, active, and started by a POST; where Stripe does not hear of its failure that is a note."""
    [(found, words)] = said(list(flow_lines([TELLING, WRITING], [{**RIGHT, **changes}])))

    assert (found, words[: len(text)]) == (word, text)


@pytest.mark.parametrize(
    ("fields", "texts"),
    [
        ({"orders": [KEY, TOTAL]}, []),
        ({"orders": [{"field": "invoice", "schema": {"is_primary_key": True}}, TOTAL]}, []),
        ({}, ["Directus has no collection orders"]),
        ({"orders": [KEY]}, ["orders has no field total"]),
        ({"orders": [TOTAL]}, ["orders has no field invoice"]),
        ({"orders": [KEY, {"field": "totals"}]}, ["orders has no field total; did you mean totals?"]),
        (
            {"orders": [{"field": "invoice", "schema": {"is_unique": False}}, TOTAL]},
            ["key: orders.invoice is not unique"],
        ),
        ({"orders": [{"field": "invoice", "schema": None}, TOTAL]}, ["key: orders.invoice is not unique"]),
    ],
)
def test_collections(fields: Mapping[str, list[Mapping[str, object]]], texts: list[str]) -> None:
    """A collection must be there with each field that is named, and the key must be unique."""
    found = said(list(collection_lines([TELLING, WRITING], fields)))

    assert [word for word, _ in found] == [Word.FAULT] * len(texts)
    assert [words[: len(text)] for (_, words), text in zip(found, texts, strict=True)] == texts


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "events.toml"
    file.write_text(f"""
        [events."invoice.paid"]
        flow = "{FLOW}"
        [events."invoice.voided"]
        collection = "orders"
        key = "invoice"
        fields = {{ total = "total" }}
    """)
    return Settings(
        directus_url="http://127.0.0.1:1",
        directus_service_token=SecretStr("service"),
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
        stripe_webhook_secret=(SecretStr("whsec_of_the_unit_tests"),),
        stripe_events=file,
    )


def test_the_rights_are_the_least(settings: Settings) -> None:
    """The service may read and create what rules name, change that but the key, and see these Flows alone."""
    rights = [right for right in needed(settings, realtime=False) if right.collection in {"orders", FLOWS}]

    assert rights == [
        Right("orders", Action.READ, ("invoice", "total")),
        Right("orders", Action.CREATE, ("invoice", "total")),
        Right("orders", Action.UPDATE, ("total",)),
        Right(FLOWS, Action.READ, FLOW_FIELDS, item={"id": {"_in": [FLOW]}}),
    ]


@pytest.mark.parametrize(
    ("grants", "more"),
    [
        ({}, None),
        ({"orders": {"update": {"access": "full", "fields": ["invoice"]}}}, "update orders (invoice)"),
        ({"orders": {"delete": {"access": "full", "fields": ["*"]}}}, "delete orders (*)"),
        ({FLOWS: {"read": {"access": "full", "fields": ["id"]}}}, f"read every item of {FLOWS}"),
    ],
)
def test_a_token_that_may_do_more(settings: Settings, grants: dict[str, object], more: str | None) -> None:
    """`check` names a right on these collections that no event needs."""
    assert excess(settings, Permissions.from_directus(grants, grants)) == more
