"""The description of every operation: what it says of cursors, statuses, attributes and components."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploy.stripe_stand_in.account import SHAPES
from sidecar.clients.stripe.errors import failure
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.field_map import FieldMap
from sidecar.core.operations.list_query import parse_list_query
from sidecar.core.operations.resources import RESOURCES, Resource
from sidecar.core.operations.row import Kind, Operation
from sidecar.core.operations.rules import default_rules
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import InvalidQuery, MethodNotAllowed, SidecarError, StripeRejected
from sidecar.settings.operations_file import parse_rules
from sidecar.web.description.openapi import document
from sidecar.web.requests.bodies import Reader
from tests.unit.web.validation import Schema, component, faults_in

FILE = Path(__file__).parents[3] / "integration/frontends/operations.toml"
LISTS = [row for row in OPERATIONS if row.kind is Kind.LIST]
every_kind = pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)


@cache
def described(*, write_back: bool = True) -> Schema:
    rules = parse_rules(FILE.read_text(encoding="utf-8"), CustomersCollection("customers", "id", "cus"), FieldMap({}))
    readers = [Reader(rule, ["https://app.example.com/"]) for rule in rules]
    return document("/stripe", readers, cookie="session", write_back=write_back)


def operation(row: Operation, *, write_back: bool = True) -> Schema:
    found: Schema = described(write_back=write_back)["paths"][row.path][row.method.lower()]
    return found


def pattern(row: Operation, name: str) -> str:
    [shape] = [each["schema"] for each in operation(row)["parameters"] if each["name"] == name]
    return str(shape["pattern"])


def takes(row: Operation, name: str, value: str) -> bool:
    try:
        parse_list_query([("limit", "1"), (name, value)], row)
    except InvalidQuery:
        return False
    return True


SEARCHES = [row for row in OPERATIONS if row.kind is Kind.SEARCH]
prefixes = sorted({prefix for resource in RESOURCES.values() for prefix in resource.prefixes})
ids = st.builds("_".join, st.tuples(st.sampled_from([*prefixes, "plan", "x"]), st.from_regex(r"[A-Za-z0-9_-]{0,9}")))
odd = st.sampled_from(["search", "searching", "gold-monthly", "cus_", "cus_1\n", "é", "prod_" + "1" * 251, "1" * 250])


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.name)
@given(value=ids | odd | st.text() | st.sampled_from([resource.example for resource in RESOURCES.values()]))
@example(value="gold-monthly")
@example(value="search")
@settings(deadline=None)  # the first example builds the description
def test_cursors(row: Operation, value: str) -> None:
    """A list accepts exactly the cursors that match the described pattern."""
    for name in ("starting_after", "ending_before"):
        assert takes(row, name, value) == (re.fullmatch(pattern(row, name), value) is not None)


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.name)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_described_cursors_are_taken(row: Operation, data: st.DataObject) -> None:
    """Every text that matches the described pattern is a cursor that the list accepts."""
    value = data.draw(st.from_regex(pattern(row, "starting_after"), fullmatch=True))

    assert takes(row, "starting_after", value.removesuffix("\n"))


def kinds(base: type[SidecarError]) -> Iterator[type[SidecarError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_refusals_are_named(row: Operation) -> None:
    """Every error status is named, Stripe's own included. Only a route without the method has no operation."""
    ours = {kind.status for kind in kinds(SidecarError) if kind is not MethodNotAllowed}
    rejected = [failure(status, {"error": {"type": "card_error"}}, {}) for status in range(400, 500)]
    stripes = {error.status for error in rejected if isinstance(error, StripeRejected)}

    assert {402, 424} <= stripes
    assert {str(status) for status in ours | stripes} == {
        status for status in operation(row)["responses"] if status >= "4"
    }


def test_a_description_leaves_the_next_one_alone() -> None:
    """What one document leaves out, one of other settings has again."""
    made = [Reader(rule, []) for rule in default_rules(CustomersCollection("customers", "id", "cus"), FieldMap({}))]

    without, having, again = (document("/stripe", made, cookie="session", write_back=on) for on in (False, True, False))

    assert without == again
    assert b'"item":' in orjson.dumps(having)
    assert b'"item":' not in orjson.dumps(without)


def test_results_are_named() -> None:
    """A creation is 201, or 200 if a customer's item can already have one; everything else is 200."""
    results = {row.name: {each for each in operation(row)["responses"] if each < "4"} for row in OPERATIONS}
    [create] = [row for row in OPERATIONS if row.kind is Kind.CREATE_CUSTOMER]
    without = operation(create, write_back=False)["responses"]

    created = {row.name: {"201"} for row in OPERATIONS if row.kind is Kind.CREATE}
    assert {row.name: {"200"} for row in OPERATIONS} | created | {create.name: {"200", "201"}} == results
    assert "200" not in without
    assert "X-Write-Back" not in without["201"]["headers"]


@pytest.mark.parametrize("write_back", [True, False])
def test_references_lead_somewhere(*, write_back: bool) -> None:
    """The description contains everything that it refers to, and refers to every component."""
    whole = described(write_back=write_back)
    found = set(re.findall(r"'\$ref': '#/components/([^']+)'", str(whole)))
    parts = {f"{group}/{name}" for group, named in whole["components"].items() for name in named}

    assert found <= parts
    assert {part for part in parts - found if not part.startswith("securitySchemes/")} == (
        set() if write_back else {"headers/X-Write-Back"}
    )


@every_kind
def test_every_attribute_is_described(resource: Resource) -> None:
    """Each declared attribute and each link of a kind has a schema, and only the kind itself is always there."""
    schema = described()["components"]["schemas"][resource.kind]
    declared = {each.name for each in (*resource.shown, *resource.mapped, *resource.secrets)} | resource.links

    assert declared == schema["properties"].keys()
    assert schema["required"] == ["object"]
    assert all(schema["properties"].values())


def test_every_kind_is_described() -> None:
    """Every kind of object is described, and for its list a page and the whole list, for a search what it finds."""
    names = described()["components"]["schemas"].keys()

    assert RESOURCES.keys() <= names
    assert {f"{row.resource.kind}_{form}" for row in LISTS for form in ("page", "array")} <= names
    assert {f"{row.resource.kind}_found" for row in SEARCHES} <= names


def attributes_of(kind: str) -> Iterator[str]:
    resource = RESOURCES[kind]
    yield from (each.name for each in (*resource.shown, *resource.mapped) if each.name in SHAPES[kind])
    yield from resource.links
    yield from (each.name for each in resource.secrets)


@pytest.mark.parametrize("kind", RESOURCES)
def test_types_matter(kind: str) -> None:
    """Stripe's example of each kind fits its schema, and no declared attribute fits with a value of another type."""
    schema, shape = component(kind), SHAPES[kind]
    of_no_type = [1.5]

    fitting = [name for name in attributes_of(kind) if not faults_in(described(), schema, {**shape, name: of_no_type})]

    assert faults_in(described(), schema, shape) == []
    assert fitting == []


def test_what_is_open_to_everybody() -> None:
    """An operation that takes requests without a credential says that one is not needed; all others need one."""
    text = '[products.list]\ncollection = "shop"\npublic = true\n[prices.list]\ncollection = "shop"'
    rules = parse_rules(text, CustomersCollection("customers", "id", "cus"), FieldMap({}))
    whole = document("/stripe", [Reader(rule, []) for rule in rules], cookie="session", write_back=False)

    own = {path: methods["get"].get("security") for path, methods in whole["paths"].items() if "get" in methods}
    assert {path: security for path, security in own.items() if security is not None} == {
        "/products": [{}, *whole["security"]]
    }
    assert "public policy" in whole["paths"]["/products"]["get"]["description"]


def test_what_a_program_compares_with_directus() -> None:
    """Each operation says which permission it needs, as a program reads it, and what acting for all customers takes."""
    text = '[billing_portal_sessions.create]\naction = "read"\n[refunds.create]\ncollection = "refunds"'
    rules = parse_rules(text, CustomersCollection("customers", "id", "cus"), FieldMap({}))
    whole = document("/stripe", [Reader(rule, []) for rule in rules], cookie="session", write_back=False)

    needed = {
        each["operationId"]: each["x-directus-permission"] for path in whole["paths"].values() for each in path.values()
    }

    portal = {"collection": "customers", "action": "read", "partial": True, "every_customer": "update"}
    assert portal == needed["billing_portal_sessions.create"]
    assert needed["refunds.create"] == {"collection": "refunds", "action": "create", "partial": True}
    assert needed["customers.create"] == {"collection": "customers", "action": "create", "partial": False}
