"""Checks what STRIPE_EVENTS names, as far as the service token may see it. Starts no Flow and writes nothing."""

import json
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from urllib.parse import quote

from sidecar.clients.directus.client import segment
from sidecar.commands.check_fields import Ask
from sidecar.commands.event_findings import about, fault, flow_lines, is_unique, not_unique
from sidecar.commands.lines import Line, Word
from sidecar.commands.rights import FLOW_FIELDS, FLOWS
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.flows.event_rules import EventRule, ItemTarget, flows_of
from sidecar.settings import Settings


async def event_lines(settings: Settings, permissions: Permissions, ask: Ask) -> AsyncIterator[Line]:
    """Raises DirectusUnavailable."""
    rules = settings.event_rules
    for rule in rules:
        if rule.target is not None:
            async for line in _target_lines(rule, rule.target, permissions, ask):
                yield line
    if flows_of(rules):
        async for line in _flow_lines(rules, permissions, ask):
            yield line


async def _target_lines(rule: EventRule, target: ItemTarget, permissions: Permissions, ask: Ask) -> AsyncIterator[Line]:
    barred = list(_barred(rule, target, permissions))
    if barred:
        yield fault(
            rule,
            f"the service token may not {', '.join(barred)}, or they are not there; look at their names in Directus, "
            "then run `provision` with STRIPE_EVENTS set as here",
        )
        return
    row = (await ask(f"/fields/{segment(target.collection)}/{segment(target.key)}", None)).data
    if isinstance(row, dict) and is_unique(row):
        yield about(rule, Word.OK, f"writes items of {target.collection}")
    else:
        yield fault(rule, not_unique(target.collection, target.key))


def _barred(rule: EventRule, target: ItemTarget, permissions: Permissions) -> Iterator[str]:
    """Name what the token lacks, each as an action and its fields."""
    changed = sorted(rule.fields or ())
    wanted = {Action.READ: [target.key, *changed], Action.CREATE: [target.key, *changed], Action.UPDATE: changed}
    for action, names in wanted.items():
        fields = permissions.grant(target.collection, action).fields
        lacking = [name for name in names if not fields.allow(name)]
        if lacking:
            yield f"{action} {', '.join(f'{target.collection}.{name}' for name in lacking)}"


async def _flow_lines(rules: tuple[EventRule, ...], permissions: Permissions, ask: Ask) -> AsyncIterator[Line]:
    if not all(permissions.grant(FLOWS, Action.READ).fields.allow(name) for name in FLOW_FIELDS):
        yield Line(
            Word.NOTE, "STRIPE_EVENTS: the service token may not read Flows, so they are not checked: run `provision`"
        )
        return
    wanted = quote(json.dumps({"id": {"_in": flows_of(rules)}}), safe="")
    answer = await ask(f"/flows?fields={','.join(FLOW_FIELDS)}&limit=-1&filter={wanted}", None)
    rows = answer.data if answer.status == HTTPStatus.OK and isinstance(answer.data, list) else []
    for line in flow_lines(rules, [row for row in rows if isinstance(row, dict)]):
        yield line
