"""Finds policies that make the service refuse a caller, because the caller may write the ID field.

The service refuses callers who may read some items only and may write the ID field (core.access.policy). Directus adds
up all policies of a caller, so two policies together can have this effect; a policy that shows the ID field of every
item takes it away. This module does not look up which users have which policies; of two policies it reports the
possibility.
"""

from collections.abc import Iterator, Sequence

from sidecar.commands.lines import Line, Word
from sidecar.commands.seen_policies import SeenPolicy
from sidecar.settings import Settings


def policy_lines(settings: Settings, policies: Sequence[SeenPolicy] | None) -> Iterator[Line]:
    """`policies` are those of others; None where the token does not see them."""
    id_field = settings.stripe_customer_id_field
    where = f"{settings.stripe_customers_collection}.{id_field}"
    if policies is None:
        yield Line(
            Word.NOTE,
            f"whether a policy lets callers write {where} cannot be seen: run `provision`, so that the service token "
            "may read permissions and policies",
        )
        return
    partial = [policy for policy in policies if policy.ruled and not policy.shown.allow(id_field)]
    alone = [_alone(policy, id_field, where) for policy in partial if policy.writes(id_field)]
    yield from alone or [Line(Word.OK, f"no policy that shows some items only lets its holders write {where}")]
    readers = [policy for policy in partial if not policy.writes(id_field)]
    writers = [policy for policy in policies if policy.writes(id_field) and _shows_nothing(policy, id_field)]
    if readers:
        yield from (_together(policy, readers, id_field, where) for policy in writers)


def _shows_nothing(policy: SeenPolicy, id_field: str) -> bool:
    return not policy.ruled and not policy.shown.allow(id_field)


def _alone(policy: SeenPolicy, id_field: str, where: str) -> Line:
    return Line(
        Word.FAULT,
        f'holders of the policy "{policy.name}" are refused: it shows them some items only, and they may '
        f"{_actions(policy, id_field)} {where} themselves; {_mend(policy, id_field)}",
    )


def _together(policy: SeenPolicy, readers: Sequence[SeenPolicy], id_field: str, where: str) -> Line:
    others = " or ".join(sorted(f'"{other.name}"' for other in readers))
    return Line(
        Word.NOTE,
        f'holders of the policy "{policy.name}", who may {_actions(policy, id_field)} {where}, are refused '
        f"if they also have {others}, which shows some items only; {_mend(policy, id_field)}, or give nobody both",
    )


def _actions(policy: SeenPolicy, id_field: str) -> str:
    return " and ".join(sorted(policy.writes(id_field)))


def _mend(policy: SeenPolicy, id_field: str) -> str:
    actions = " and ".join(f'"{action}"' for action in sorted(policy.writes(id_field)))
    return f'take "{id_field}" out of its fields of {actions}'
