"""Directus as it would be after the changes so far: `provision` shows by it what it would do. Changes nothing."""

from collections.abc import Mapping
from uuid import uuid4

from sidecar.clients.directus.client import segment
from sidecar.commands.administrator import Administration, Row


class Rehearsal:
    """Remembers what was created, with the fields of new collections; a change of what is there is not seen again."""

    def __init__(self, admin: Administration) -> None:
        self._admin = admin
        self._made: dict[str, Row] = {}
        self._fields: dict[str, list[Row]] = {}  # the new ones, by their path

    def find(self, path: str) -> Row | None:
        return self._made.get(path) or self._admin.find(path)

    def rows(self, path: str, query: Mapping[str, object] | None = None) -> list[Row]:
        collection = path.removeprefix("fields/")
        there = [] if f"collections/{collection}" in self._made else self._admin.rows(path, query)
        return there + self._fields.get(path, [])

    def create(self, path: str, row: Row) -> Row:
        made: Row = {"id": str(uuid4()), "status": "active", **row}
        if path == "collections":
            name = segment(row["collection"])
            self._made[f"collections/{name}"] = made
            self._fields[f"fields/{name}"] = list(row["fields"])
        elif path.startswith("fields/"):
            self._fields.setdefault(path, []).append(made)
        else:
            self._made[f"{path}/{made['id']}"] = made
        return made

    def change(self, path: str, values: Row) -> None:
        """Do nothing: what is changed is what is read, and nothing reads it twice."""
