"""Where the values of settings come from: the environment, `.env`, and files whose path is in NAME_FILE.

Directus has the same convention of files (its configuration page, "_FILE").
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from sidecar.settings.env_file import NAME, read_env_file

SUFFIX = "_FILE"


@dataclass(frozen=True, slots=True)
class Unusable:
    """Takes the place of a value, so that a file's fault is reported together with all other faults."""

    reason: str


@dataclass(frozen=True, slots=True)
class Variables:
    """What was given, by names in capitals; `faults` are those of `.env`."""

    environment: Mapping[str, str]
    env_file: Mapping[str, str]
    faults: tuple[str, ...] = ()

    @classmethod
    def read(cls) -> "Variables":
        found = read_env_file(Path(NAME))
        return cls(_in_capitals(os.environ), _in_capitals(found.values), found.faults)

    @property
    def names(self) -> set[str]:
        """The names that have a value."""
        given = {**self.env_file, **self.environment}
        return {name for name, value in given.items() if value}

    def pass_on(self, beginning: str) -> None:
        """Put the variables of `.env` that begin so into the environment, for a library that looks only there."""
        for name, value in self.env_file.items():
            if name.startswith(beginning):
                os.environ.setdefault(name, value)

    def value(self, name: str) -> str | Unusable | None:
        """Give the value. A variable of the environment hides `.env`, also an empty one, which is no value."""
        return _value(self._layer(name), name)

    def files(self, names: Iterable[str]) -> list[Path]:
        """Name the files that the values of `names` come from; `.env` is one of them, also where there is none."""
        paths = [self._layer(name).get(name + SUFFIX) for name in names]
        return [Path(NAME), *(Path(path) for path in paths if path)]

    def _layer(self, name: str) -> Mapping[str, str]:
        """Find who gives `name`; nobody's layer is empty."""
        layers = (self.environment, self.env_file)
        return next((layer for layer in layers if name in layer or name + SUFFIX in layer), {})


class VariableSource(PydanticBaseSettingsSource):
    """Gives pydantic each setting's value as a text."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self._variables = Variables.read()

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | Unusable | None, str, bool]:  # noqa: ARG002 - the base class's signature
        return self._variables.value(field_name.upper()), field_name, False

    def __call__(self) -> dict[str, object]:
        values = {name: self._variables.value(name.upper()) for name in self.settings_cls.model_fields}
        return {name: value for name, value in values.items() if value is not None}


def _in_capitals(variables: Mapping[str, str]) -> dict[str, str]:
    """Let a name in capitals win over the same one in small letters."""
    return {name.upper(): variables[name] for name in sorted(variables, key=str.isupper)}


def _value(layer: Mapping[str, str], name: str) -> str | Unusable | None:
    path, value = layer.get(name + SUFFIX), layer.get(name)
    if not path:
        return value or None
    return Unusable(f"given twice; remove {name} or {name}{SUFFIX}") if value else _content(Path(path), name)


@cache
def _read_once(path: Path) -> str:
    """A pipe has its content once; what it had is its value for as long as the process runs."""
    return path.read_text(encoding="utf-8")


def _content(path: Path, name: str) -> str | Unusable:
    """Read a file without one line break at its end: editors add it, and it is no part of the secret."""
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else _read_once(path)
        return text.removesuffix("\n")
    except IsADirectoryError:
        return Unusable(f"{name}{SUFFIX} is a folder; Docker makes one where the file that it mounts is not there")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        return Unusable(f"{name}{SUFFIX} cannot be read ({type(error).__name__})")
