"""Reads settings and reports all their faults at once."""

from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class SettingsFault(Exception):
    """The settings cannot be used. `faults` has one line for each fault, with the variable's name but not its value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def load(settings: type[SettingsT]) -> SettingsT:
    """Read `settings` from the environment. Raises SettingsFault with every fault at once."""
    try:
        return settings()
    except ValidationError as error:
        found = [_fault(e["loc"], e["type"], e["msg"]) for e in error.errors(include_input=False)]
        raise SettingsFault([line for fault in found for line in fault.splitlines()]) from None


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    reason = "is not set" if kind == "missing" else message.removeprefix("Value error, ")
    return f"{str(location[0]).upper()}: {reason}" if location else reason
