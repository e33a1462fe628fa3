"""One table of the events file: what events of one type start, and which values its keys take."""

import re
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from sidecar.core.flows.event_rules import ALWAYS
from sidecar.settings.attribute_path import MUST as PATHS
from sidecar.settings.attribute_path import ObjectKind, require_path
from sidecar.settings.types import CollectionName, FieldName, OwnFieldName

MUST = {
    "flow": "must be the ID of a Flow, with which its address in Directus ends, such as "
    "3c1f0b6a-6f0c-4f5e-9d0a-2b8f6c1d7e90",
    "collection": "must be the name of a collection in Directus",
    "key": "must name the field of the collection that holds the object's ID",
    "fields": PATHS,
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SYSTEM = "directus_"


@dataclass(frozen=True, slots=True)
class Expected:
    """The kind of object that the table's events are about, and the name of the customers collection."""

    kind: ObjectKind
    customers: str


def _flow(value: str) -> str:
    if not _UUID.fullmatch(value.lower()):
        raise ValueError(MUST["flow"])
    return value.lower()


def _own_collection(value: str, info: ValidationInfo) -> str:
    if value.lower().startswith(_SYSTEM):
        raise ValueError("must be a collection of yours: Directus's own say who may do what, so no event writes there")
    if value == _expected(info).customers:
        raise ValueError("must not be the customers collection: STRIPE_FIELD_MAP says what its items repeat")
    return value


def _path(value: str, info: ValidationInfo) -> str:
    require_path(value, _expected(info).kind)
    return value


class EventTable(BaseModel):
    """Validation needs an `Expected` as its context."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    flow: Annotated[str, AfterValidator(_flow)] | None = None
    collection: Annotated[CollectionName, AfterValidator(_own_collection)] | None = None
    key: OwnFieldName | None = None
    fields: (
        Annotated[dict[FieldName, Annotated[str, AfterValidator(_path)]], Field(min_length=1, max_length=100)] | None
    ) = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        fields = self.fields or {}
        faults = {
            "names neither a flow nor a collection; name what the event starts": not (self.flow or self.collection),
            "collection: needs key, the field that holds the object's ID": self.collection and not self.key,
            "collection: needs fields, which say what is written": self.collection and not self.fields,
            "key: is for a collection only": self.key and not self.collection,
            "fields: must not name the key, which holds the object's ID": self.key in fields,
            f"fields: a flow is always told {' and '.join(ALWAYS)}; name them otherwise": self.flow
            and any(name in fields for name in ALWAYS),
        }
        found = [fault for fault, there in faults.items() if there]
        if found:
            raise ValueError("\n".join(found))
        return self


def _expected(info: ValidationInfo) -> Expected:
    assert isinstance(info.context, Expected)  # noqa: S101 - the only caller passes it
    return info.context
