"""The models of requests, row by row of the table: accepted and refused values."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from sidecar.core.access.field_map import FieldMap
from sidecar.core.operations.parameters import Flag, Number, Parameter, Several, Text
from sidecar.core.operations.row import Kind
from sidecar.core.operations.rules import Rule
from sidecar.core.operations.table import OPERATIONS
from sidecar.web.requests.models import Model, body_model, query_model
from tests.doubles.samples import RETURN_URL, sample, samples, unsets, wrong

RULES = {
    row.name: Rule(row, "customers", row.action, FieldMap({}), amounts=True)
    for row in OPERATIONS
    if row.method != "GET"
}
LISTS = {row.name: Rule(row, "customers", row.action, FieldMap({})) for row in OPERATIONS if row.in_query}
PARAMETERS = [(name, each) for name, rule in RULES.items() for each in rule.parameters]
FILTERS = [(name, each) for name, rule in LISTS.items() for each in rule.parameters]
every_body = pytest.mark.parametrize("name", RULES)
every_parameter = pytest.mark.parametrize(
    ("name", "parameter"), PARAMETERS, ids=[f"{name}-{each.name}" for name, each in PARAMETERS]
)
every_filter = pytest.mark.parametrize(
    ("name", "parameter"), FILTERS, ids=[f"{name}-{each.name}" for name, each in FILTERS]
)


def model(name: str) -> Model:
    return body_model(RULES[name], [RETURN_URL])


def needed(name: str) -> dict[str, object]:
    return samples([each for each in RULES[name].parameters if each.required])


def passes(judge: Model, body: object) -> bool:
    try:
        judge.model_validate(body)
    except ValidationError:
        return False
    return True


@every_body
def test_every_parameter_passes_unchanged(name: str) -> None:
    """Everything that the row takes is accepted, all at once, and stays as it was sent."""
    body = samples(RULES[name].parameters)

    assert body == model(name).model_validate(body).model_dump(exclude_unset=True)


@every_body
def test_the_required_parameters_are_enough(name: str) -> None:
    """A body with only the required parameters is accepted; without one of them it is not."""
    body, judge = needed(name), model(name)

    assert passes(judge, body)
    assert not any(passes(judge, {other: body[other] for other in body if other != each}) for each in body)


@every_body
@pytest.mark.parametrize(
    "attribute",
    ["expand", "expand[]", "on_behalf_of", "stripe_account", "metadata", "transfer_data", "nonce", "__proto__", "id"],
)
def test_nothing_else_passes(name: str, attribute: str) -> None:
    """R4: an attribute that the row does not name is refused, whatever Stripe would do with it."""
    values: tuple[object, ...] = ("x", [], {}, None, True)

    assert not any(passes(model(name), {**needed(name), attribute: value}) for value in values)


@every_body
def test_amounts_need_the_operators_consent(name: str) -> None:
    """Without `amounts = true` the model has no such attribute."""
    judge = body_model(replace(RULES[name], amounts=False), [RETURN_URL])
    amounts = [each for each in RULES[name].parameters if each.amount]

    assert not any(passes(judge, {**needed(name), each.name: sample(each.type)}) for each in amounts)


@every_body
def test_models_of_new_settings(name: str) -> None:
    """A rule that new settings leave alone keeps its model; with other return URLs or amounts it has one of its own."""
    rule = RULES[name]
    amounts = any(each.amount for each in rule.operation.parameters)

    assert body_model(replace(rule), [RETURN_URL]) is model(name)
    assert body_model(rule, ["https://other.example/"]) is not model(name)
    assert (body_model(replace(rule, amounts=not rule.amounts), [RETURN_URL]) is model(name)) is not amounts


@every_parameter
def test_values_of_another_shape(name: str, parameter: Parameter) -> None:
    """V1: a wrong type, a value out of bounds and a malformed value are refused, at every depth."""
    judge = model(name)
    changing = RULES[name].operation.kind is Kind.ACT
    faulty = wrong(parameter, changing=changing)
    passed = [value for value in faulty if passes(judge, {**needed(name), parameter.name: value})]

    assert passed == []


@every_parameter
def test_bounds_are_inclusive(name: str, parameter: Parameter) -> None:
    """V4: the smallest and the largest number, and the longest text, are accepted."""
    match parameter.type:
        case Number(least, most):
            values: list[object] = [least, most]
        case Text(most):
            values = ["x", "x" * most]
        case Flag():
            values = [True, False]
        case other:
            values = [sample(other)]

    assert all(passes(model(name), {**needed(name), parameter.name: value}) for value in values)


@every_parameter
def test_null(name: str, parameter: Parameter) -> None:
    """Null unsets what may be unset in a change, means "not given" in a creation, and is refused otherwise."""
    row = RULES[name].operation
    changing = row.kind is Kind.ACT
    taken = unsets(parameter, changing=True) if changing else not parameter.required
    body = {**needed(name), parameter.name: None}

    assert passes(model(name), body) is (taken and parameter.name not in row.one_of)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (name, each)
        for name, each in PARAMETERS
        if RULES[name].operation.kind is Kind.ACT and unsets(each, changing=True)
    ],
)
def test_an_empty_value_unsets_as_null_does(name: str, parameter: Parameter) -> None:
    """Stripe's own way to unset, an empty text or list, means the same as null in a change."""
    empty: object = [] if isinstance(parameter.type, Several) else ""
    read = model(name).model_validate({**needed(name), parameter.name: empty})

    assert read.model_dump(exclude_unset=True)[parameter.name] is None


@every_body
def test_a_fault_shows_no_value(name: str) -> None:
    """S3: an error does not repeat the values that were sent."""
    with pytest.raises(ValidationError) as fault:
        model(name).model_validate({each.name: ["MARKED"] for each in RULES[name].parameters} | {"more": "MARKED"})

    assert "MARKED" not in str(fault.value)


@every_filter
def test_filters_are_texts(name: str, parameter: Parameter) -> None:
    """A list's filter is accepted as the text that arrives, and a wrong one is refused."""
    judge = query_model(LISTS[name])
    good = "true" if isinstance(parameter.type, Flag) else sample(parameter.type)
    texts = {str(value) for value in wrong(parameter, changing=False) if isinstance(value, str)} - {"true"}
    others = samples([each for each in LISTS[name].parameters if each.required])
    sent = {**others, parameter.name: good}

    assert judge.model_validate(sent).model_dump(exclude_unset=True) == sent
    assert [text for text in sorted(texts) if passes(judge, {**others, parameter.name: text})] == []
    assert not passes(judge, {**others, parameter.name: None})


@pytest.mark.parametrize("value", ["True", "1", "yes", "", "true "])
def test_a_flag_in_a_query_is_a_word(value: str) -> None:
    """Only Stripe's words `true` and `false` are read as a boolean."""
    judge = query_model(LISTS["products.list"])

    assert passes(judge, {"active": "false"})
    assert not passes(judge, {"active": value})


def test_without_allowed_addresses_no_address_passes() -> None:
    """If the operator allows no return address, none is accepted."""
    assert not passes(body_model(RULES["billing_portal_sessions.create"], []), {"return_url": RETURN_URL})
