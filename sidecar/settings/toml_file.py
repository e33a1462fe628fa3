"""Reads the operator's TOML files (toml.io), which are UTF-8, and words their faults; what they mean, others decide."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from sidecar.settings.fault_text import meant, shown

_UNREADABLE = (
    ValueError,
    RecursionError,
)  # TOML's own error, a number that is too long, nesting that is too deep
TWICE = "is there twice"
_PARTS = re.compile(r"'([^']*)'")
_NAMED = {  # messages of tomllib's that have the parts of a name, as Python's repr
    re.compile(r"Cannot declare \((.+)\) twice"): TWICE,
    re.compile(r"Cannot mutate immutable namespace \((.+)\)"): (
        "has all of its lines in braces; put this one there as well"
    ),
}


class FileFault(ValueError):
    """The file cannot be used; `faults` has one line for each fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def read_text(path: Path) -> str:
    """Raises FileFault."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise FileFault(
            ["there is no such file; name the path of one, from the folder where the sidecar starts"]
        ) from None
    except OSError as error:
        raise FileFault([f"the file cannot be read ({type(error).__name__})"]) from None
    except UnicodeDecodeError:
        raise FileFault(["the file is not UTF-8; save it in that encoding"]) from None


def parsed(text: str) -> Mapping[str, object]:
    """Raises FileFault."""
    try:
        return tomllib.loads(text)
    except _UNREADABLE as error:
        raise FileFault([_worded(str(error))]) from None


def _worded(message: str) -> str:
    for shape, what in _NAMED.items():
        if (named := shape.search(message)) is not None:
            return f"[{shown('.'.join(_PARTS.findall(named[1])))}]: {what}"
    return f"the file is not TOML: {shown(message)}"


def faults_of(error: ErrorDetails, table: type[BaseModel], must: Mapping[str, str]) -> list[str]:
    """Word one error about a table; `must` says by key what a value of another type must be."""
    said = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return said.splitlines()
    key = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return [f"there is no setting {shown(key)}{meant(key, list(table.model_fields))}"]
    if error["type"] != "value_error":
        return [f"{key}: {must[key]}"]
    place = [shown(part) for part in error["loc"][:2] if isinstance(part, str)]
    return [": ".join([*place, said])]
