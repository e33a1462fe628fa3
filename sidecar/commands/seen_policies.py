"""Policies of others as far as the service token sees them: what each shows of the collection, and lets be written."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from sidecar.clients.directus.client import DirectusAnswer, segment
from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.settings import Settings

_NOTHING = AllowedFields()
_WRITING = (Action.CREATE, Action.UPDATE)


@dataclass(slots=True)
class SeenPolicy:
    """`ruled`: it shows some items only. `shown`: the fields that it shows of every item.

    `written` has the fields that may be written by action and by whether an item rule limits that. `named` has every
    field that it names for any action.
    """

    name: str
    ruled: bool = False
    shown: AllowedFields = _NOTHING
    written: dict[tuple[Action, bool], AllowedFields] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)

    def writes(self, name: str) -> set[Action]:
        """Give the actions by which the holders may write a field."""
        return {action for (action, _), fields in self.written.items() if fields.allow(name)}

    def serves_itself(self, name: str) -> bool:
        """Say whether holders write a field who are no staff: they do not see every item, or not write into every."""
        limited = any(ruled and fields.allow(name) for (_, ruled), fields in self.written.items())
        return limited or (self.shown.empty and bool(self.writes(name)))

    def add(self, action: str, fields: object, rule: object) -> None:
        """Add one permission. Directus adds them up."""
        allowed = AllowedFields(frozenset(map(str, fields)) if isinstance(fields, list) else frozenset())
        self.named |= allowed.names
        if action == Action.READ:
            self.ruled |= bool(rule)
            self.shown = self.shown if rule else self.shown.joined(allowed)
        elif action in _WRITING:
            place = Action(action), bool(rule)
            self.written[place] = self.written.get(place, _NOTHING).joined(allowed)


def policies_path(settings: Settings) -> str:
    """Give the path to ask, with a token that may read permissions and policies."""
    ours = segment(json.dumps({"collection": {"_eq": settings.stripe_customers_collection}}))
    return f"/permissions?limit=-1&filter={ours}&fields=action,fields,permissions,policy.id,policy.name"


def seen_policies(settings: Settings, answer: DirectusAnswer) -> Sequence[SeenPolicy] | None:
    """Read Directus's answer to `policies_path`, the service's own policy left out; None where the token sees less.

    An incomplete answer is none: Directus silently leaves out what the token may not read.
    """
    policies: dict[str, SeenPolicy] = {}
    rows = answer.data if answer.status == HTTPStatus.OK else None
    for row in rows if isinstance(rows, list) else [None]:
        if not _is_seen(row, policies):
            return None
    return [one for one in policies.values() if one.name != settings.customers_collection.service_policy]


def _is_seen(row: object, policies: dict[str, SeenPolicy]) -> bool:
    match row:
        case {
            "action": str(action),
            "fields": fields,
            "permissions": rule,
            "policy": {"id": str(key), "name": str(name)},
        }:
            policies.setdefault(key, SeenPolicy(name)).add(action, fields, rule)
            return True
        case {"system": True}:
            return True  # belongs to no policy: Directus adds it for users of its app
        case _:
            return False
