"""Checks values against the schemas of a description."""

from typing import Any

from openapi_schema_validator import OAS31Validator

Schema = dict[str, Any]


def faults_in(description: Schema, schema: Schema, value: object) -> list[str]:
    """Say why a value does not fit, or nothing. The schema may refer to the description's components."""
    validator = OAS31Validator({**schema, "components": description["components"]})
    return [error.message for error in validator.iter_errors(value)]


def component(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
