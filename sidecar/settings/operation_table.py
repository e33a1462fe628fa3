"""One table of the operator's file, which turns on one operation: its keys, and which values they take."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from sidecar.core.access.permissions import Action
from sidecar.core.operations.parameters import Reference, declared
from sidecar.core.operations.resources import PRICE
from sidecar.core.operations.row import Operation
from sidecar.core.operations.rules import suggestion
from sidecar.core.operations.table import OPERATIONS
from sidecar.settings.types import Attribute, CollectionName, FieldName

MUST = {
    "enabled": "must be true or false",
    "collection": "must be the name of a collection in Directus",
    "action": f"must be one of {', '.join(Action)}",
    "amounts": "must be true or false",
    "public": "must be true or false",
    "prices": 'must be a list of price IDs, such as ["price_ABC123"]',
    "set": "must be a table of Stripe's parameters, such as { allow_promotion_codes = true }",
    "allow": 'must be a list of places such as "metadata.order_id", and of tables such as { trial_period_days = 14 }',
    "fields": 'must name Stripe\'s attributes by field, such as { state = "status" }',
}


@dataclass(frozen=True, slots=True)
class Expected:
    """The operation that a table must fit.

    `attributes` are Stripe's; None if the API version's are not known. `customers` is the customers collection.
    """

    operation: Operation
    attributes: frozenset[str] | None
    customers: str


def _price(value: str) -> str:
    if not PRICE.is_id(value):
        raise ValueError(MUST["prices"])
    return value


def _known(value: str, info: ValidationInfo) -> str:
    expected = _expected(info)
    if expected.attributes is not None and value not in expected.attributes:
        kind = expected.operation.resource.kind
        raise ValueError(f"Stripe's {kind} has no attribute {value}{suggestion(value, expected.attributes)}")
    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Attributes = Annotated[list[Annotated[Attribute, AfterValidator(_known)]], BeforeValidator(_listed)]


class OperationTable(BaseModel):
    """Validation needs an `Expected` as its context; what is in `set` and `allow` is judged by `operator_values`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    enabled: bool = True
    collection: CollectionName | None = Field(None, validate_default=True)
    action: Annotated[Action, Field(strict=False)] | None = None
    public: bool = False
    amounts: bool = False
    prices: Annotated[list[Annotated[str, AfterValidator(_price)]], Field(min_length=1)] | None = None
    fields: dict[FieldName, _Attributes] | None = None
    set: dict[str, object] = Field(default_factory=dict)
    allow: list[str | dict[str, object]] = Field(default_factory=list)

    @field_validator("collection")
    @classmethod
    def _decides(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("enabled") is not False and not _expected(info).operation.on_customers:
            raise ValueError("is not set; name the collection whose permissions decide")
        return value

    @field_validator("public")
    @classmethod
    def _nobodys(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's signature
        """A guest has no customer, so the permissions on customers cannot decide for it."""
        expected = _expected(info)
        if value and not expected.operation.for_guests:
            raise ValueError(_why_not_public(expected.operation))
        named = info.data.get("collection", "")  # absent where it has a fault of its own
        if value and named in (None, expected.customers):
            raise ValueError(
                f"name another collection, such as that of your orders: what everybody may do to {expected.customers} "
                "must not decide"
            )
        return value

    @field_validator("amounts")
    @classmethod
    def _takes_amounts(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's signature
        if value and not any(parameter.amount for parameter in _expected(info).operation.parameters):
            raise ValueError("this operation takes no amount")
        return value

    @field_validator("prices")
    @classmethod
    def _takes_prices(cls, value: list[str] | None, info: ValidationInfo) -> list[str] | None:
        operation = _expected(info).operation
        kinds = declared(operation.parameters) if operation.method == "POST" else ()
        if value is not None and not any(isinstance(kind, Reference) and kind.resource is PRICE for kind in kinds):
            raise ValueError("this operation takes no price")
        return value


def _why_not_public(operation: Operation) -> str:
    why = (
        "this is about what belongs to customers"
        if operation.resource.owned
        else "this is about the account's own money"
    )
    names = ", ".join(row.name for row in OPERATIONS if row.for_guests)
    return f"a request without a credential has no customer and no account, and {why}; only {names} can be public"


def _expected(info: ValidationInfo) -> Expected:
    assert isinstance(info.context, Expected)  # noqa: S101 - the only caller passes it
    return info.context
