"""Finds policies that make the service refuse a caller, because the caller may write the ID field.

The service refuses callers who may read some items only and may write the ID field (core.access.policy). Directus adds
up all policies of a caller, so two policies together can have this effect; a policy that shows the ID field of every
item takes it away. This module does not look up which users have which policies; of two policies it reports the
possibility.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from sidecar.clients.directus.client import DirectusAnswer, segment
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Action
from sidecar.settings import Settings

_WRITING = (Action.CREATE, Action.UPDATE)


@dataclass(slots=True)
class _Policy:
    """`ruled`: it shows some items only. `whole`: it shows the ID field of every item.

    `writes` are the actions by which its users may write the ID field.
    """

    name: str
    ruled: bool = False
    whole: bool = False
    writes: set[Action] = field(default_factory=set)

    @property
    def partial(self) -> bool:
        return self.ruled and not self.whole

    @property
    def only_writes(self) -> bool:
        return bool(self.writes) and not self.ruled and not self.whole


def policies_path(settings: Settings) -> str:
    """Give the path to ask, with a token that may read permissions and policies."""
    ours = segment(json.dumps({"collection": {"_eq": settings.stripe_customers_collection}}))
    return f"/permissions?limit=-1&filter={ours}&fields=action,fields,permissions,policy.id,policy.name"


def policy_lines(settings: Settings, answer: DirectusAnswer) -> Iterator[Line]:
    """`answer` is Directus's answer to `policies_path`."""
    id_field, ours = settings.stripe_customer_id_field, settings.customers_collection.service_policy
    where = f"{settings.stripe_customers_collection}.{id_field}"
    seen = _policies(answer.data, id_field) if answer.status == HTTPStatus.OK else None
    if seen is None:
        yield Line(
            Word.NOTE,
            f"whether a policy lets callers write {where} cannot be seen: run `provision`, so that the service token "
            "may read permissions and policies",
        )
        return
    policies = [policy for policy in seen if policy.name != ours]
    alone = [_alone(policy, where) for policy in policies if policy.partial and policy.writes]
    yield from alone or [Line(Word.OK, f"no policy that shows some items only lets its holders write {where}")]
    partial = [policy for policy in policies if policy.partial and not policy.writes]
    if partial:
        yield from (_together(policy, partial, where) for policy in policies if policy.only_writes)


def _policies(rows: object, id_field: str) -> Iterable[_Policy] | None:
    """Give None for an incomplete answer: Directus silently leaves out what the token may not read."""
    policies: dict[str, _Policy] = {}
    for row in rows if isinstance(rows, list) else [None]:
        match row:
            case {
                "action": str(action),
                "fields": fields,
                "permissions": rule,
                "policy": {"id": str(key), "name": str(name)},
            }:
                policy = policies.setdefault(key, _Policy(name))
                names_id = isinstance(fields, list) and not {id_field, "*"}.isdisjoint(fields)
                policy.ruled |= action == Action.READ and bool(rule)
                policy.whole |= action == Action.READ and not rule and names_id
                if action in _WRITING and names_id:
                    policy.writes.add(Action(action))
            case {"system": True}:
                pass  # belongs to no policy: Directus adds it for users of its app
            case _:
                return None
    return policies.values()


def _alone(policy: _Policy, where: str) -> Line:
    return Line(
        Word.FAULT,
        f'holders of the policy "{policy.name}" are refused: it shows them some items only, and they may '
        f"{' and '.join(sorted(policy.writes))} {where} themselves; {_mend(policy, where)}",
    )


def _together(policy: _Policy, partial: list[_Policy], where: str) -> Line:
    others = " or ".join(sorted(f'"{other.name}"' for other in partial))
    return Line(
        Word.NOTE,
        f'holders of the policy "{policy.name}", who may {" and ".join(sorted(policy.writes))} {where}, are refused '
        f"if they also have {others}, which shows some items only; {_mend(policy, where)}, or give nobody both",
    )


def _mend(policy: _Policy, where: str) -> str:
    actions = " and ".join(f'"{action}"' for action in sorted(policy.writes))
    return f'take "{where.partition(".")[2]}" out of its fields of {actions}'
