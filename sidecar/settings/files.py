"""Where the value of a setting may stand beside its variable: in a file that NAME_FILE names.

The convention is Directus's own (its configuration page, "_FILE").
"""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands where a value should, so that a file's fault is reported beside all others."""

    reason: str


class FileSource(PydanticBaseSettingsSource):
    """Reads NAME_FILE; one trailing newline is the editor's, not the secret's."""

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
