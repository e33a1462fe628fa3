"""Every row of the table against what Stripe publishes: its OpenAPI description, and the types of its own library."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, get_args, get_origin
from urllib.parse import unquote

import pytest
from typing_extensions import is_typeddict

from deploy.demo.install import NodeTools
from deploy.stripe_stand_in.kinds import KINDS
from deploy.stripe_stand_in.parameters import alternatives, hints, members
from sidecar.core.operations.parameters import Group, OneOf, Parameter, Pattern, Several, Time
from sidecar.core.operations.resources import CUSTOMER
from sidecar.core.operations.row import CustomerParameter, Kind, Operation
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.description import Description, in_library, published

PAGE = {"limit", "starting_after", "ending_before"}
BOUNDS = {"created", "created.gte", "created.gt", "created.lte", "created.lt"}
# The description is older than these calls and names.
NEWER = {
    "/v1/invoices/create_preview",
    "/v1/customer_sessions",
    "/v1/subscriptions/{id}/pause",
    "/v1/tax_ids/{id}",
    "/v1/billing/meters",
    "/v1/billing/meter_events",
    "/v1/entitlements/active_entitlements",
}
NEW_NAMES = {
    "payment_intents.create": {"automatic_payment_methods.allow_redirects"},
    "setup_intents.create": {"automatic_payment_methods.allow_redirects"},
    "setup_intents.confirm": {"use_stripe_sdk"},
    "payment_methods.update": {"allow_redisplay"},
    "checkout_sessions.create": {"ui_mode", "redirect_on_completion", "return_url"},
    "subscriptions.update": {"billing_cycle_anchor.type"},
    "subscriptions.resume": {"billing_cycle_anchor.type", "payment_behavior"},
    "credit_notes.list": BOUNDS,
    "customer_balance_transactions.list": BOUNDS,
}
ANY_NAMES = {"payload"}  # a meter says which keys it has


def rows(among: Sequence[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", among, ids=lambda row: row.name)


@pytest.fixture(scope="session")
def description(node_tools: NodeTools) -> Description:
    return published(node_tools)


def path(row: Operation) -> str:
    return unquote(row.target("{id}"))


def library(row: Operation) -> str:
    """Name the row's class of parameters in Stripe's library."""
    match row.kind, row.method, row.verb:
        case Kind.LIST, _, _:
            call = "list"
        case Kind.SEARCH, _, _:
            call = "search"
        case Kind.RETRIEVE, _, _:
            call = "retrieve"
        case _, "DELETE", _:
            call = "delete"
        case Kind.ACT, _, verb:
            call = verb.removeprefix("/") or "update"
        case _:
            call = "create"
    return KINDS[row.resource.kind].takes(call)


def is_priced(row: Operation) -> bool:
    """Whether the service works out the amount."""
    return row.method == "POST" and any(each.ours for each in row.parameters)


def names(parameters: Sequence[Parameter]) -> Iterator[str]:
    """Give the name of each parameter at every depth."""
    for parameter in parameters:
        yield parameter.name
        if parameter.name in ANY_NAMES:
            continue
        kind = parameter.type
        inner = kind.of if isinstance(kind, Several) else kind
        if isinstance(inner, Group):
            yield from (f"{parameter.name}.{deeper}" for deeper in names(inner.parameters))


def sent(row: Operation) -> set[str]:
    """Give every name that this row can send to Stripe."""
    found = set(names([parameter for parameter in row.taken if not parameter.ours]))
    if row.kind is Kind.LIST:
        found |= PAGE | (BOUNDS if row.resource.dated else set())
    if row.kind is Kind.SEARCH:
        found.add("limit")
    if row.path_resource is CUSTOMER and row.resource is not CUSTOMER and not row.at:
        found.add("customer")
    if is_priced(row):
        found |= {"amount", "currency", "metadata"}
    return found | ({"metadata"} if row.kind is Kind.CREATE_CUSTOMER else set())


@rows(OPERATIONS)
def test_call_is_described(row: Operation, description: Description) -> None:
    """Method and path of each row are in Stripe's description, except for rows newer than that."""
    assert description.knows(row.method, path(row)) == (path(row) not in NEWER)


@rows([row for row in OPERATIONS if path(row) not in NEWER])
def test_parameters_are_described(row: Operation, description: Description) -> None:
    """Every name that a row can send to Stripe, at any depth, is in Stripe's description, or newer than that."""
    assert sent(row) - description.names(row.method, path(row)) == NEW_NAMES.get(row.name, set())


@rows(OPERATIONS)
def test_parameters_are_of_this_version(row: Operation) -> None:
    """Every name that a row can send to Stripe exists in the requested API version."""
    assert sent(row) - in_library(library(row)) == set()


@rows([row for row in OPERATIONS if row.kind is Kind.LIST])
def test_dates_are_of_this_version(row: Operation) -> None:
    """A list takes a time exactly if Stripe's list does."""
    assert row.resource.dated == ("created" in in_library(library(row)))


@rows([row for row in OPERATIONS if row.customer is not CustomerParameter.NOT_TAKEN])
def test_customers_are_where_stripe_has_them(row: Operation) -> None:
    """A row takes a customer only where Stripe's call does."""
    assert {row.customer_at[0]} <= sent(row) & in_library(library(row))


def choices(parameters: Sequence[Parameter], within: Sequence[str] = ()) -> Iterator[tuple[Sequence[str], str]]:
    """Give every choice that a parameter offers, at any depth, with the names that lead there."""
    for parameter in parameters:
        place = (*within, parameter.name)
        match parameter.type:
            case OneOf(words) | Time(words):
                yield from ((place, word) for word in words)
            case Group(members):
                yield from choices(members, place)


CHOICES = [
    pytest.param(row, place, choice, id=f"{row.name}-{'.'.join(place)}-{choice}")
    for row in OPERATIONS
    for place, choice in choices([each for each in row.parameters if not each.ours])
]


@pytest.mark.parametrize(("row", "place", "choice"), CHOICES)
def test_choices_are_stripes(row: Operation, place: Sequence[str], choice: str) -> None:
    """Each choice that a row offers, at any depth, is one of those that Stripe's call lists."""
    assert choice in listed(hints(library(row)), place)


def listed(group: type, place: Sequence[str]) -> set[object]:
    """Give the choices that the library lists for a parameter."""
    name, *deeper = place
    kinds = list(alternatives(members(group)[name]))
    if deeper:
        [inner] = [kind for kind in kinds if is_typeddict(kind)]
        return listed(inner, deeper)
    return {choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)}


def test_types_of_tax_ids_are_taken() -> None:
    """Every type of tax ID that Stripe's call lists can be sent."""
    [create] = [row for row in OPERATIONS if row.name == "tax_ids.create"]
    [shape] = [each.type for each in create.parameters if each.name == "type"]
    assert isinstance(shape, Pattern)

    stripes = {str(each) for each in listed(hints(library(create)), ["type"])}

    assert len(stripes) > 100
    assert {each for each in stripes if not re.fullmatch(shape.pattern, each)} == set()


def test_description_is_read_whole(description: Description) -> None:
    """The lookup does not find a wrong method, path, name or nested name."""
    known = description.names("POST", "/v1/subscriptions")

    assert {"items", "items.price", "customer"} <= known
    assert not {"items.prize", "price", "expand"} & known
    assert not description.knows("PUT", "/v1/subscriptions")
    assert description.knows("GET", "/v1/charges/{anything}")
    assert not description.knows("GET", "/v1/charges/{anything}/more")
    assert "payment_method_types" not in in_library("PaymentIntentCreateParams")
