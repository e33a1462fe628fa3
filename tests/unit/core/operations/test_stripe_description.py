"""Every row of the table against what Stripe publishes: its OpenAPI description, and the types of its own library."""

from collections.abc import Iterator, Sequence

import pytest

from deploy.demo.install import NodeTools
from deploy.stripe_stand_in.errors import Object
from deploy.stripe_stand_in.kinds import KINDS
from deploy.stripe_stand_in.parameters import read
from sidecar.core.operations.parameters import Group, OneOf, Parameter, Several
from sidecar.core.operations.resources import CUSTOMER
from sidecar.core.operations.row import CustomerParameter, Kind, Operation
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.description import Description, in_library, published

# What is newer than the description: paths, and names of parameters by row.
NEWER = {"/v1/invoices/create_preview", "/v1/customer_sessions"}
NEWER_NAMES = {
    "payment_intents.create": {"automatic_payment_methods.allow_redirects"},
    "setup_intents.create": {"automatic_payment_methods.allow_redirects"},
    "setup_intents.confirm": {"use_stripe_sdk"},
    "payment_methods.update": {"allow_redisplay"},
    "checkout_sessions.create": {"ui_mode", "redirect_on_completion", "return_url"},
}
PAGE = {"limit", "starting_after", "ending_before"}
BOUNDS = {"created", "created.gte", "created.gt", "created.lte", "created.lt"}


def rows(among: Sequence[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", among, ids=lambda row: row.name)


@pytest.fixture(scope="session")
def description(node_tools: NodeTools) -> Description:
    return published(node_tools)


def path(row: Operation) -> str:
    return row.target("{id}")


def library(row: Operation) -> str:
    """Name the row's class of parameters in Stripe's library."""
    match row.kind, row.method, row.verb:
        case Kind.LIST, _, _:
            call = "list"
        case Kind.RETRIEVE, _, _:
            call = "retrieve"
        case _, "DELETE", _:
            call = "delete"
        case Kind.ACT, _, verb:
            call = verb.removeprefix("/") or "update"
        case _:
            call = "create"
    return KINDS[row.resource.kind].takes(call)


def names(parameters: Sequence[Parameter]) -> Iterator[str]:
    """Give the name of each parameter at every depth."""
    for parameter in parameters:
        yield parameter.name
        kind = parameter.type
        inner = kind.of if isinstance(kind, Several) else kind
        if isinstance(inner, Group):
            yield from (f"{parameter.name}.{deeper}" for deeper in names(inner.parameters))


def sent(row: Operation) -> set[str]:
    """Give every name that this row can send to Stripe."""
    found = set(names([parameter for parameter in row.taken if not parameter.ours]))
    if row.kind is Kind.LIST:
        found |= PAGE | (BOUNDS if row.resource.dated else set())
    if row.path_resource is CUSTOMER and row.resource is not CUSTOMER:
        found.add("customer")
    if any(each.ours for each in row.parameters):
        found |= {"amount", "currency", "metadata"}
    return found | ({"metadata"} if row.kind is Kind.CREATE_CUSTOMER else set())


@rows(OPERATIONS)
def test_call_is_described(row: Operation, description: Description) -> None:
    """Method and path of each row are in Stripe's description, except for rows newer than that."""
    assert description.knows(row.method, path(row)) == (path(row) not in NEWER)


@rows([row for row in OPERATIONS if path(row) not in NEWER])
def test_parameters_are_described(row: Operation, description: Description) -> None:
    """Every name that a row can send is in Stripe's description of that call, except for names newer than that."""
    assert sent(row) - description.names(row.method, path(row)) == NEWER_NAMES.get(row.name, set())


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
    """A row takes a customer only if Stripe's call does."""
    assert {"customer"} <= sent(row) & in_library(library(row))


CHOICES = [
    pytest.param(row, parameter.name, choice, id=f"{row.name}-{parameter.name}-{choice}")
    for row in OPERATIONS
    for parameter in row.parameters
    if isinstance(parameter.type, OneOf)
    for choice in parameter.type.values
]


@pytest.mark.parametrize(("row", "parameter", "choice"), CHOICES)
def test_choices_are_stripes(row: Operation, parameter: str, choice: str) -> None:
    """Each choice that a row offers exists in Stripe's call."""
    required: Object = {"amount": "1", "currency": "eur"} if any(each.ours for each in row.parameters) else {}

    assert read(library(row), {**required, parameter: choice})[parameter] == choice


def test_description_is_read_whole(description: Description) -> None:
    """The lookup does not find a wrong method, path, name or nested name."""
    known = description.names("POST", "/v1/subscriptions")

    assert {"items", "items.price", "customer"} <= known
    assert not {"items.prize", "price", "expand"} & known
    assert not description.knows("PUT", "/v1/subscriptions")
    assert description.knows("GET", "/v1/charges/{anything}")
    assert not description.knows("GET", "/v1/charges/{anything}/more")
    assert "payment_method_types" not in in_library("PaymentIntentCreateParams")
