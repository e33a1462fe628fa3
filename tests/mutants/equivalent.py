"""Mutants that behave like the code, so that no test can find them: `equivalent.toml`, with a reason for each."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from deploy.demo.progress import Fault
from tests.mutants.mutant import Change, Mutant

TABLE = Path(__file__).with_name("equivalent.toml")
_PARTS = {"path", "function", "before", "after", "reason"}


def declared(table: Path = TABLE) -> set[Change]:
    """Give the declared changes. Raises Fault for an entry that lacks a part, such as its reason."""
    entries = tomllib.loads(table.read_text(encoding="utf-8")).get("equivalent", [])
    for entry in entries:
        if entry.keys() != _PARTS or not entry["reason"].strip():
            raise Fault(f"{table.name}: an entry has {', '.join(sorted(_PARTS))}; this one does not: {entry}")
    return {Change(entry["path"], entry["function"], entry["before"], entry["after"]) for entry in entries}


def obsolete(changes: Iterable[Change], mutants: Iterable[Mutant]) -> list[Change]:
    """Give the declared changes of these mutants' modules that match no mutant: the code has changed since."""
    existing = {mutant.change for mutant in mutants}
    modules = {change.path for change in existing}
    return [change for change in changes if change.path in modules and change not in existing]
