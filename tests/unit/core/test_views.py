"""Which attributes of a Stripe object a caller sees. The integration tests compare this with a real Directus."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.operations.resources import RESOURCES, Resource
from sidecar.core.views import View
from tests.doubles.collections import CUSTOMERS

MAP = FieldMap({"cus": ("id",), "name": ("name",), "mail": ("email", "receipt_email")})
Json = object
names = st.sampled_from(["client_secret", "id", "object", "email", "customer", "Client_Secret"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["customer", "payment_intent", "x"]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(names, children, max_size=4),
)
json_objects = st.dictionaries(names, json_values)


def fields(*allowed: str) -> AllowedFields:
    return AllowedFields(frozenset(allowed))


def names_in(value: Json) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def view(*allowed: str, secrets: bool) -> View:
    """Give the view of a caller with these fields of the customers collection."""
    return View.of(fields(*allowed), MAP, customer_ids=fields(*allowed).allow(CUSTOMERS.id_field), secrets=secrets)


def planted(value: Json) -> Json:
    """Put a secret into every object."""
    if isinstance(value, dict):
        return {name: planted(member) for name, member in value.items()} | {"client_secret": {"id": 1}}
    return [planted(member) for member in value] if isinstance(value, list) else value


@given(json_objects, st.sets(st.sampled_from(["*", "cus", "name", "mail"])))
def test_no_secret_at_any_depth(value: dict[str, object], allowed: set[str]) -> None:
    """Whatever the object's shape and the caller's fields, no `client_secret` is left."""
    before = copy.deepcopy(value)

    assert "client_secret" not in names_in(view(*allowed, secrets=False).project(value))
    assert value == before


@given(json_objects.filter(lambda value: "client_secret" not in names_in(value)))
def test_nothing_else_is_taken_from_a_caller_with_all_fields(value: dict[str, object]) -> None:
    """A caller with `*` gets the object as Stripe wrote it, without the secrets."""
    everything = view("*", secrets=False)

    assert everything.project(value) == value
    assert everything.project({name: planted(member) for name, member in value.items()}) == value


def test_secrets_stay_where_the_operator_opted_in() -> None:
    """With the operator's consent a caller with all fields sees the secret, and a caller with a field list does not."""
    intent: dict[str, object] = {"object": "payment_intent", "client_secret": "s"}

    assert view("*", secrets=True).project(intent) == intent
    assert "client_secret" not in view("name", "cus", secrets=True).project(intent)


@pytest.mark.parametrize(
    ("allowed", "seen"),
    [
        ((), {"object", "created"}),
        (("cus",), {"object", "created", "id"}),
        (("mail",), {"object", "created", "email"}),
        (("unmapped",), {"object", "created"}),
    ],
)
def test_a_field_list_sees_what_it_maps_to(allowed: tuple[str, ...], seen: set[str]) -> None:
    """With a field list a caller sees the base and the mapped attributes, and the ID only with the ID field."""
    customer: dict[str, object] = {"object": "customer", "id": "cus_1", "created": 1, "email": "a@b.co", "balance": 7}

    assert set(view(*allowed, secrets=False).project(customer)) == seen


def test_an_expanded_object_is_reduced_as_well() -> None:
    """The same fields apply to a customer inside a payment."""
    payment: dict[str, object] = {
        "object": "payment_intent",
        "id": "pi_1",
        "customer": {"object": "customer", "id": "cus_1", "balance": 7},
    }

    assert view("cus", secrets=False).project(payment)["customer"] == {
        "object": "customer",
        "id": "cus_1",
    }


def test_attributes_without_a_field_are_named() -> None:
    """Attributes that a caller may not write are named; a caller with `*` may write all."""
    assert MAP.unwritable(["name", "email", "phone"], fields("mail")) == ["name", "phone"]
    assert MAP.unwritable(["name", "phone"], fields("*")) == []
    assert MAP.item_values({"email": "a@b.co", "phone": "1"}) == {"mail": "a@b.co"}


def test_the_defaults_of_a_view() -> None:
    """By default a view shows no mapped attribute, no customer's ID, no secret and no link."""
    least = View(everything=False, secrets=False, customer_ids=False, attributes=frozenset(), own=False, made=False)

    assert least == View()


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_the_least_view_of_every_kind(resource: Resource) -> None:
    """Of each kind the default view shows the base without the customer, and neither links nor secrets."""
    named = resource.base | resource.links | {"email", "name", "client_secret"}
    whole: dict[str, object] = dict.fromkeys(named, 1) | {"object": resource.kind}
    customer = "id" if resource.kind == "customer" else "customer"

    assert resource.base - {customer} == set(View().project(whole))


@given(
    value=st.dictionaries(st.sampled_from(["id", "customer", "client_secret", "email", "amount", "url"]), json_values),
    kind=st.sampled_from([*RESOURCES, "other"]),
    view=st.builds(View, *(st.booleans() for _ in range(3)), st.frozensets(names), st.booleans(), st.booleans()),
)
def test_every_view_shows_at_least_the_default(value: dict[str, object], kind: str, view: View) -> None:
    """Whatever the default view shows of an object, any other view shows as well."""
    value["object"] = kind

    assert set(View().project(value)) <= set(view.project(value))
