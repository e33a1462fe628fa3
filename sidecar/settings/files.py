"""Reads the value of a setting from a file whose path is in NAME_FILE.

Directus has the same convention (its configuration page, "_FILE").
"""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


@dataclass(frozen=True, slots=True)
class Unusable:
    """Takes the place of a value, so that a file's fault is reported together with all other faults."""

    reason: str


class FileSource(PydanticBaseSettingsSource):
    """Reads NAME_FILE, without one newline at its end: editors add it, and it is no part of the secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | Unusable | None, str, bool]:  # noqa: ARG002 - the base class's signature
        name = field_name.upper()
        path = os.environ.get(f"{name}_FILE")
        if not path:
            return None, field_name, False
        if os.environ.get(name):
            return Unusable(f"given twice; remove {name} or {name}_FILE"), field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").removesuffix("\n"), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            return Unusable(f"{name}_FILE cannot be read ({type(error).__name__})"), field_name, False

    def __call__(self) -> dict[str, object]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}
