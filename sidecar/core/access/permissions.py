"""What Directus lets a caller do: the answer of `GET /permissions/me` as values.

Shape of the answer (Directus API reference, "Permissions"):
``{"data": {collection: {action: {"access": "none"|"partial"|"full", "fields": [..]}}}}``.
Whatever is absent, null, unknown or of another shape reads as no access.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Action(StrEnum):
    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    SHARE = "share"


class Access(IntEnum):
    """PARTIAL: some policy holds an item rule, so not every item may be touched."""

    NONE = 0
    PARTIAL = 1
    FULL = 2


# Directus keeps no fields for these, and answers null or `*` as the policy was made in its app or by its API.
_WITHOUT_FIELDS = frozenset({Action.DELETE, Action.SHARE})
_ACCESS = {"none": Access.NONE, "partial": Access.PARTIAL, "full": Access.FULL}


@dataclass(frozen=True, slots=True)
class AllowedFields:
    """Names of fields as Directus lists them; `*` stands for all. Empty is none at all."""

    names: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        return len(self.names) == 0

    @property
    def unrestricted(self) -> bool:
        return "*" in self.names

    def allow(self, field: str) -> bool:
        return self.unrestricted or field in self.names


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one collection; the default grants nothing."""

    access: Access = Access.NONE
    fields: AllowedFields = AllowedFields()

    @property
    def usable(self) -> bool:
        return self.access is not Access.NONE and not self.fields.empty


EVERY_FIELD = AllowedFields(frozenset({"*"}))
NO_GRANT = Grant()


@dataclass(frozen=True, slots=True)
class Permissions:
    """The usable grants of one caller; what is not in it is not granted."""

    grants: Mapping[tuple[str, Action], Grant]

    def grant(self, collection: str, action: Action) -> Grant:
        return self.grants.get((collection, action), NO_GRANT)

    @classmethod
    def from_directus(cls, payload: object, collections: Collection[str]) -> "Permissions":
        """Read an answer's `data`, keeping only `collections`: an administrator's answer names every one."""
        return cls(
            {
                (collection, action): grant
                for collection in collections
                for action in Action
                if (grant := _grant(_member(_member(payload, collection), action), action)).usable
            }
        )


def _member(container: object, name: str) -> object:
    return container.get(name) if isinstance(container, dict) else None


def _grant(payload: object, action: Action) -> Grant:
    access, fields = _member(payload, "access"), _member(payload, "fields")
    known = _ACCESS.get(access, Access.NONE) if isinstance(access, str) else Access.NONE
    if action in _WITHOUT_FIELDS:
        return Grant(known, EVERY_FIELD)
    names = [name for name in fields if isinstance(name, str)] if isinstance(fields, list) else []
    return Grant(known, AllowedFields(frozenset(names)))
