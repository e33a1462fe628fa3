"""The map from fields of a collection to attributes at Stripe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sidecar.core.access.permissions import AllowedFields


@dataclass(frozen=True, slots=True)
class FieldMap:
    """A field in Directus -> the attributes at Stripe that it maps to."""

    attributes: Mapping[str, tuple[str, ...]]

    def visible(self, fields: AllowedFields) -> frozenset[str]:
        return frozenset(name for field, names in self.attributes.items() if fields.allow(field) for name in names)

    def unwritable(self, attributes: Iterable[str], fields: AllowedFields) -> list[str]:
        """Name the attributes to which no field maps that the caller may write."""
        return [] if fields.unrestricted else sorted(set(attributes) - self.visible(fields))

    def item_values(self, attributes: Mapping[str, object]) -> dict[str, object]:
        """Give the values of a new item: each attribute under the first field that maps to it."""
        fields: dict[str, str] = {}
        for field, names in self.attributes.items():
            for name in names:
                fields.setdefault(name, field)
        return {fields[name]: value for name, value in attributes.items() if name in fields}

    def field_of(self, attribute: str) -> str | None:
        """Name the first field that maps to this attribute."""
        return next((field for field, names in self.attributes.items() if attribute in names), None)
