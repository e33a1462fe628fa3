"""Which Stripe attributes a field of the customers collection stands for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sidecar.core.access.permissions import AllowedFields


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Directus field -> the Stripe attributes it stands for."""

    attributes: Mapping[str, tuple[str, ...]]

    def visible(self, fields: AllowedFields) -> frozenset[str]:
        return frozenset(name for field, names in self.attributes.items() if fields.allow(field) for name in names)

    def unwritable(self, attributes: Iterable[str], fields: AllowedFields) -> list[str]:
        """Name the attributes that no field allowed for writing stands for."""
        return [] if fields.unrestricted else sorted(set(attributes) - self.visible(fields))

    def item_values(self, attributes: Mapping[str, object]) -> dict[str, object]:
        """Give what a new item carries: each attribute under the first field that stands for it."""
        fields: dict[str, str] = {}
        for field, names in self.attributes.items():
            for name in names:
                fields.setdefault(name, field)
        return {fields[name]: value for name, value in attributes.items() if name in fields}
