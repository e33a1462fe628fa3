"""What Directus lets a caller do: the answer of `GET /permissions/me` as values.

Shape of the answer (Directus API reference, "Permissions"):
``{"data": {collection: {action: {"access": "none"|"partial"|"full", "fields": [..]}}}}``.
A part that is absent, null, unknown or of another shape reads as no access.
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
    """PARTIAL: some policy has an item rule, so the caller may not touch every item."""

    NONE = 0
    PARTIAL = 1
    FULL = 2


# Directus has no fields for these: it answers null or `*`, depending on whether its app or its API made the policy.
_WITHOUT_FIELDS = frozenset({Action.DELETE, Action.SHARE})
_ACCESS = {"none": Access.NONE, "partial": Access.PARTIAL, "full": Access.FULL}


@dataclass(frozen=True, slots=True)
class AllowedFields:
    """Names of fields as Directus lists them; `*` means all. The default is none."""

    names: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        return len(self.names) == 0

    @property
    def unrestricted(self) -> bool:
        return "*" in self.names

    def allow(self, field: str) -> bool:
        return self.unrestricted or field in self.names

    def covers(self, other: "AllowedFields") -> bool:
        """Say whether everything that the other allows is allowed here too."""
        return self.unrestricted or self.names >= other.names

    def common(self, other: "AllowedFields") -> "AllowedFields":
        """Give the fields that both allow."""
        if self.unrestricted:
            return other
        return self if other.unrestricted else AllowedFields(self.names & other.names)

    def joined(self, other: "AllowedFields") -> "AllowedFields":
        """Give the fields that either allows."""
        return EVERY_FIELD if self.unrestricted or other.unrestricted else AllowedFields(self.names | other.names)


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one collection; the default grants nothing.

    `fields` are those of all policies together. With partial access `unruled` are the ones among them that are granted
    in every item, as far as that is known: Directus's answer does not tell, `whole_access` finds them.
    """

    access: Access = Access.NONE
    fields: AllowedFields = AllowedFields()
    unruled: AllowedFields = AllowedFields()

    @property
    def usable(self) -> bool:
        return self.access is not Access.NONE and not self.fields.empty

    @property
    def everywhere(self) -> AllowedFields:
        """The fields that are granted in every item."""
        return self.fields if self.access is Access.FULL else self.unruled


EVERY_FIELD = AllowedFields(frozenset({"*"}))
NO_GRANT = Grant()


@dataclass(frozen=True, slots=True)
class Permissions:
    """The usable grants of one caller; a grant that is missing here does not exist."""

    grants: Mapping[tuple[str, Action], Grant]

    def grant(self, collection: str, action: Action) -> Grant:
        return self.grants.get((collection, action), NO_GRANT)

    @property
    def partial(self) -> frozenset[tuple[str, Action]]:
        return frozenset(place for place, grant in self.grants.items() if grant.access is Access.PARTIAL)

    @classmethod
    def from_directus(cls, payload: object, collections: Collection[str]) -> "Permissions":
        """Read an answer's `data` and keep only `collections`: an administrator's answer has every collection."""
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
    return Grant(known, fields_of(action, fields))


def fields_of(action: Action, fields: object) -> AllowedFields:
    """Read the fields of a permission; null and anything but names are none."""
    if action in _WITHOUT_FIELDS:
        return EVERY_FIELD
    return AllowedFields(
        frozenset(name for name in fields if isinstance(name, str)) if isinstance(fields, list) else frozenset()
    )
