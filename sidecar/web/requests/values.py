"""Pydantic annotations of single values: what each type of parameter takes, and the sentence about what it does not."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, PlainValidator, StrictStr, WithJsonSchema
from pydantic.config import JsonDict

from sidecar.core.operations.parameters import MOST_SECONDS, Chosen, Email, Pattern, Reference, Text

_ANY = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]"
_LINE = rf"^{_ANY}*[^\s\u0000-\u001f\u007f-\u009f\u2028\u2029]{_ANY}*$"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def line(kind: Text) -> Any:  # noqa: ANN401 - an annotation
    shape: JsonDict = {"pattern": _LINE}
    return Annotated[StrictStr, Field(max_length=kind.most, json_schema_extra=shape), AfterValidator(_one_line)]


def email(kind: Email) -> Any:  # noqa: ANN401 - an annotation
    shape: JsonDict = {"format": "email"}
    return Annotated[StrictStr, Field(max_length=kind.most, json_schema_extra=shape), AfterValidator(_email)]


def shaped(kind: Pattern | Reference) -> Any:  # noqa: ANN401 - an annotation
    if isinstance(kind, Reference):
        kind = Pattern(kind.resource.pattern, f"the ID of a {kind.resource.kind}, such as {kind.resource.example}")
    return Annotated[
        StrictStr,
        Field(max_length=kind.most, json_schema_extra={"pattern": f"^({kind.pattern})$"}),
        AfterValidator(_matching(re.compile(kind.pattern), f"must be {kind.what}")),
    ]


def moment(words: tuple[str, ...]) -> Any:  # noqa: ANN401 - an annotation
    seconds: JsonDict = {"type": "integer", "minimum": 0, "maximum": MOST_SECONDS}
    fault = " or ".join(["must be a time in seconds since the epoch", *words])

    def judge(value: object) -> object:
        if value not in words and not (type(value) is int and 0 <= value <= MOST_SECONDS):
            raise ValueError(fault)
        return value

    shape: JsonDict = {"anyOf": [seconds, {"enum": list(words)}]} if words else seconds
    return Annotated[object, AfterValidator(judge), WithJsonSchema(shape)]


def _matching(pattern: re.Pattern[str], fault: str) -> Callable[[str], str]:
    def judge(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(fault)
        return value

    return judge


def chosen(kind: Chosen) -> Any:  # noqa: ANN401 - an annotation
    """The listed values are the operator's, so an error names none of them."""

    def judge(value: object) -> object:
        listed = kind.same(value)
        if listed is None:
            raise ValueError("must be one of the values that the operator allows")
        return listed

    return Annotated[Any, PlainValidator(judge), WithJsonSchema({"enum": list(kind.values)})]


def _email(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("must be an e-mail address") from None
    return value


def _one_line(value: str) -> str:
    if _CONTROL.search(value) or not value.strip():
        raise ValueError("must be one line of text")
    return value
