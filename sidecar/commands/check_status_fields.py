"""Checks the fields that repeat what belongs to a customer: whether they can, and whether only the service writes them.

Where such a field decides who reads what, a caller who may write it makes itself a subscriber.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from http import HTTPStatus

from sidecar.clients.directus.client import segment
from sidecar.commands.check_fields import Ask
from sidecar.commands.columns import unfit
from sidecar.commands.lines import Line, Word
from sidecar.commands.seen_policies import SeenPolicy
from sidecar.settings import Settings


async def type_lines(settings: Settings, ask: Ask) -> AsyncIterator[Line]:
    """Judge the fields that the service token sees; of others another line says that it does not."""
    collection, faults = settings.stripe_customers_collection, 0
    for name, source in settings.mirror.sources.items():
        answer = await ask(f"/fields/{segment(collection)}/{segment(name)}", None)
        if answer.status != HTTPStatus.OK or not isinstance(answer.data, dict):
            continue
        for fault in unfit(answer.data, source):
            faults += 1
            yield Line(Word.FAULT, f"{collection}.{name} {fault}")
    if settings.mirror.sources and not faults:
        yield Line(Word.OK, f"{_listed(settings)} of {collection} can hold what belongs to a customer")


def writer_lines(settings: Settings, policies: Sequence[SeenPolicy] | None) -> Iterator[Line]:
    """`policies` are those of others; None where the token does not see them, which another line says."""
    if policies is None or not settings.mirror.sources:
        return
    writers = [policy for policy in policies if _written(policy, settings)]
    yield from (_line(policy, settings) for policy in writers)
    if not writers:
        yield Line(Word.OK, f"only Stripe decides on {_listed(settings)}: no policy lets its holders write that")


def _line(policy: SeenPolicy, settings: Settings) -> Line:
    names = _written(policy, settings)
    actions = sorted(set[str]().union(*(policy.writes(name) for name in names)))
    may = f'holders of the policy "{policy.name}" may {" and ".join(actions)} {", ".join(names)} of '
    quoted = " and ".join(f'"{action}"' for action in actions)
    mend = f"take that out of its fields of {quoted}"
    if any(policy.serves_itself(name) for name in names):
        return Line(
            Word.FAULT, f"{may}{settings.stripe_customers_collection}, and so make themselves subscribers; {mend}"
        )
    return Line(
        Word.NOTE,
        f"{may}every item of {settings.stripe_customers_collection}, and so make anybody a subscriber; {mend}, unless "
        "they are to",
    )


def _written(policy: SeenPolicy, settings: Settings) -> list[str]:
    return [name for name in settings.mirror.sources if policy.writes(name)]


def _listed(settings: Settings) -> str:
    return ", ".join(settings.mirror.sources)
