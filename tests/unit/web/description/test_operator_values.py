"""What the description says of the operator's values: what a client may send, and nothing of what is set."""

import json
from collections.abc import Mapping

from sidecar.core.access.field_map import FieldMap
from sidecar.core.operations.operator_values import Allowed, OperatorValues
from sidecar.core.operations.parameters import Chosen, Text
from sidecar.core.operations.rules import Rule
from sidecar.core.operations.table import OPERATIONS
from sidecar.web.description.openapi import document
from sidecar.web.description.schemas import Schema
from sidecar.web.requests.bodies import Reader

ROWS = {row.name: row for row in OPERATIONS}


def body(name: str, fixed: Mapping[str, object], *allowed: Allowed) -> tuple[Schema, str]:
    """Give the schema of an operation's body, and the whole document as text."""
    rule = Rule(ROWS[name], "customers", ROWS[name].action, FieldMap({}), operator=OperatorValues(fixed, allowed))
    whole = document("/stripe", [Reader(rule)], cookie="session", write_back=False)
    described = whole["paths"][rule.operation.path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return described, json.dumps(whole)


def test_what_is_set_is_not_described() -> None:
    """Neither the name nor the value of what is set is there, and it is not required."""
    schema, text = body("checkout_sessions.create", {"mode": "subscription", "metadata": {"team": "MARKED"}})

    assert "mode" not in schema["properties"]
    assert "mode" not in schema.get("required", [])
    assert "MARKED" not in text
    assert '"team"' not in text


def test_listed_values_are_an_enumeration() -> None:
    """What a client may choose among is an enumeration of JSON values."""
    summer = [{"coupon": "SUMMER"}]

    schema, _ = body("checkout_sessions.create", {}, Allowed(("discounts",), Chosen((summer, [{"coupon": "B"}]))))

    assert schema["properties"]["discounts"]["anyOf"][0] == {"enum": [summer, [{"coupon": "B"}]]}


def test_a_clients_own_texts_have_their_length() -> None:
    """A key of metadata is a text of bounded length in an object that has no others."""
    _, text = body("checkout_sessions.create", {}, Allowed(("metadata", "order.id"), Text(500)))

    [metadata] = [
        shape for name, shape in json.loads(text)["components"]["schemas"].items() if name.endswith("_metadata")
    ]
    assert list(metadata["properties"]) == ["order.id"]
    assert metadata["properties"]["order.id"]["anyOf"][0]["maxLength"] == 500
    assert metadata["additionalProperties"] is False


def test_alternatives_end_where_one_is_set() -> None:
    """Where a price is set, the description requires no price and no amount."""
    schema, _ = body("payment_intents.create", {"price": "price_1"})

    assert not {"price", "amount"} & schema["properties"].keys()
    assert not {"required", "oneOf"} & schema.keys()
