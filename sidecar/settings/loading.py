"""Reads settings, and tells everything that is wrong with them at once."""

from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class SettingsFault(Exception):
    """The settings cannot be used; `faults` has a line for each, with the name of its variable and never the value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def load(settings: type[SettingsT]) -> SettingsT:
    """Read `settings` from the environment.

    Raises SettingsFault with every fault at once, none of which shows a value.
    """
    try:
        return settings()
    except ValidationError as error:
        found = [_fault(e["loc"], e["type"], e["msg"]) for e in error.errors(include_input=False)]
        raise SettingsFault([line for fault in found for line in fault.splitlines()]) from None


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    reason = "is not set" if kind == "missing" else message.removeprefix("Value error, ")
    return f"{str(location[0]).upper()}: {reason}" if location else reason
