"""Pydantic models made from the parameters in the table of operations: they validate requests, and describe them."""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    create_model,
)
from pydantic.config import JsonDict

from sidecar.core.item_keys import LONGEST, unusable
from sidecar.core.operations.parameters import (
    Chosen,
    Email,
    Expansion,
    Flag,
    Group,
    Number,
    OneOf,
    Parameter,
    Pattern,
    Reference,
    ReturnUrl,
    Several,
    Text,
    Time,
    Type,
)
from sidecar.core.operations.return_urls import is_allowed
from sidecar.core.operations.row import Kind, Operation
from sidecar.core.operations.rules import Rule
from sidecar.web.requests import values

Model = type[BaseModel]


def _described(schema: JsonDict) -> None:
    """Remove what only Python needs from a description: defaults that mean "not given", and titles made of names."""
    properties = schema.get("properties", {})
    for shape in properties.values() if isinstance(properties, dict) else ():
        if isinstance(shape, dict):
            shape.pop("default", None)
            shape.pop("title", None)


_STRICT = ConfigDict(
    extra="forbid", frozen=True, hide_input_in_errors=True, json_schema_extra=_described, serialize_by_alias=True
)
_LONGEST_URL = 2048
_REMEMBERED = 256  # models: new settings reuse those whose rules they leave alone, since making all takes 0.1 s

_NumberKey = Annotated[StrictInt, Field(ge=0, lt=2**53)]  # JavaScript, so Directus, confuses larger ones


def _key(value: int | str) -> int | str:
    if (fault := unusable(value)) is not None:
        raise ValueError(f"this primary key {fault}, so its item cannot have a customer")
    return value


_TextKey = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST)]
_ITEM: Any = (Annotated[_NumberKey | _TextKey, AfterValidator(_key)] | None, None)


def body_model(rule: Rule, return_urls: Collection[str]) -> Model:
    """Make the model of an operation's JSON body.

    In a creation, null means "not given". In a change, null unsets a text, and what the table says may be unset.
    """
    make = _body_model if rule.operator.allowed else _remembered_body_model
    return make(rule.operation, rule.parameters, tuple(return_urls))


def query_model(rule: Rule) -> Model:
    """Make the model of a list's filters; all their values are texts."""
    make = _query_model if rule.operator.allowed else _remembered_query_model
    return make(rule.operation, rule.parameters)


def _body_model(operation: Operation, parameters: tuple[Parameter, ...], return_urls: tuple[str, ...]) -> Model:
    changes = operation.kind is Kind.ACT
    types = _Types(return_urls, nullable=(Text,) if changes else None, never_null=operation.one_of, unsets=changes)
    fields = types.fields(_name(operation), parameters)
    if operation.kind is Kind.CREATE_CUSTOMER:
        fields["item"] = _ITEM
    return create_model(_name(operation), __config__=_STRICT, **fields)


def _query_model(operation: Operation, parameters: tuple[Parameter, ...]) -> Model:
    types = _Types((), nullable=(), in_query=True)
    return create_model(_name(operation), __config__=_STRICT, **types.fields(_name(operation), parameters))


# Values that an operator lists are not told apart by hash and equality: to Python true is 1.
_remembered_body_model = lru_cache(_REMEMBERED)(_body_model)
_remembered_query_model = lru_cache(_REMEMBERED)(_query_model)


def _name(operation: Operation) -> str:
    return operation.name.replace(".", "_")


class _Types:
    """`nullable` are the types that may be null; None means every parameter that is not required.

    `unsets`: null unsets a value. Then an empty text and an empty list mean the same, as they do to Stripe.
    """

    def __init__(
        self,
        return_urls: Collection[str],
        *,
        nullable: tuple[type, ...] | None,
        never_null: Collection[str] = (),
        unsets: bool = False,
        in_query: bool = False,
    ) -> None:
        self._return_urls = return_urls
        self._nullable, self._never_null = nullable, never_null
        self._unsets, self._in_query = unsets, in_query

    def fields(self, name: str, parameters: Sequence[Parameter]) -> dict[str, Any]:
        """Give the fields by other names than the parameters', of which some would mean something to pydantic."""
        return {f"field_{index}": self._field(name, parameter) for index, parameter in enumerate(parameters)}

    def _field(self, name: str, parameter: Parameter) -> tuple[Any, Any]:
        annotation, default = self._annotation(name, parameter)
        return annotation, Field(default, alias=parameter.name)

    def _annotation(self, name: str, parameter: Parameter) -> tuple[Any, Any]:
        annotation = self._type(f"{name}_{parameter.name}", parameter.type)
        if parameter.required:
            return annotation, ...
        may_be_null = self._nullable is None or parameter.clearable or isinstance(parameter.type, self._nullable)
        if not may_be_null or parameter.name in self._never_null:
            return annotation, None
        if not self._unsets:
            return annotation | None, None
        unset = _unsetting("", *([[]] if isinstance(parameter.type, Several) else []))
        return Annotated[annotation | None, BeforeValidator(unset)], None

    def _type(self, name: str, kind: Type) -> Any:  # noqa: ANN401, C901, PLR0911 - an annotation; one case for each type
        match kind:
            case Text():
                return values.line(kind)
            case Pattern() | Reference():
                return values.shaped(kind)
            case Number():
                return Annotated[StrictInt, Field(ge=kind.least, le=kind.most)]
            case Time():
                return values.moment(kind.words)
            case Flag():
                return Literal["true", "false"] if self._in_query else StrictBool
            case OneOf(choices) | Expansion(choices):
                return Literal[choices]
            case Email():
                return values.email(kind)
            case ReturnUrl():
                return Annotated[
                    StrictStr,
                    Field(max_length=_LONGEST_URL, json_schema_extra={"format": "uri"}),
                    AfterValidator(self._return_url),
                ]
            case Group():
                return create_model(name, __config__=_STRICT, **self.fields(name, kind.parameters))
            case Chosen():
                return values.chosen(kind)
            case Several():
                return Annotated[list[self._type(name, kind.of)], Field(min_length=1, max_length=kind.most)]  # type: ignore[misc]  # made at run time

    def _return_url(self, value: str) -> str:
        if not is_allowed(value, self._return_urls):
            raise ValueError("must be an address below one of those in ALLOWED_RETURN_URLS")
        return value


def _unsetting(*empty: object) -> Callable[[object], object]:
    return lambda value: None if value in empty else value
