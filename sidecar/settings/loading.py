"""Reads settings and reports all their faults at once, in sentences of ours."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from sidecar.settings.fault_text import shown
from sidecar.settings.misnamed import meant_by, misnamed
from sidecar.settings.variables import Variables

SettingsT = TypeVar("SettingsT", bound=BaseSettings)
_Facts = Mapping[str, object]
_DIGITS = "in digits alone, without a unit"

# Of pydantic's kinds of error those that a text from outside can cause; `example` is a value that would do.
_SENTENCES: Mapping[str, Callable[[_Facts, object], str]] = {
    "int_parsing": lambda _, example: f"must be a whole number {_DIGITS}, such as {example}",
    "float_parsing": lambda _, example: f"must be a number {_DIGITS}, such as {example}",
    "finite_number": lambda _, example: f"must be a number {_DIGITS}, such as {example}",
    "bool_parsing": lambda *_: "must be true or false",
    "greater_than": lambda facts, _: f"must be more than {facts['gt']:g}",
    "greater_than_equal": lambda facts, _: f"must be {facts['ge']:g} or more",
    "less_than_equal": lambda facts, _: f"must be {facts['le']:g} or less",
    "literal_error": lambda facts, _: f"must be {str(facts['expected']).replace(chr(39), '')}",
}


class SettingsFault(Exception):
    """The settings cannot be used. `faults` has one line for each fault, with the variable's name but not its value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def load(settings: type[SettingsT]) -> SettingsT:
    """Read `settings` from the environment and `.env`. Raises SettingsFault with every fault at once."""
    variables = Variables.read()
    faults = list(variables.faults)
    try:
        made = settings()
    except ValidationError as error:
        found = [_fault(settings, each, variables) for each in error.errors(include_input=False)]
        raise SettingsFault([*faults, *(line for fault in found for line in fault.splitlines())]) from None
    if faults:
        raise SettingsFault(faults)
    return made


def unread_by(settings: type[BaseSettings]) -> list[str]:
    """Say which variables look like these settings and are none of them."""
    return list(misnamed([name.upper() for name in settings.model_fields], Variables.read()))


def _fault(settings: type[BaseSettings], error: ErrorDetails, variables: Variables) -> str:
    if not error["loc"]:
        return _said(error, None)
    field = str(error["loc"][0])
    name = field.upper()
    if error["type"] == "missing":
        return f"{name}: is not set{meant_by(name, variables)}"
    default = settings.model_fields[field].default
    member = [f"{shown(part)}: " for part in error["loc"][1:2] if field == "stripe_field_map" and isinstance(part, str)]
    return f"{name}: {''.join(member)}{_said(error, default if isinstance(default, int | float) else 20)}"


def _said(error: ErrorDetails, example: object) -> str:
    sentence = _SENTENCES.get(error["type"])
    return error["msg"].removeprefix("Value error, ") if sentence is None else sentence(error.get("ctx", {}), example)
