"""The operations as sidecar/README.md has them: the table of all, and what each takes with an example."""

import json
import re
from collections.abc import Iterator

from sidecar.core.operations.list_query import list_parameters
from sidecar.core.operations.parameters import Group, Parameter, Several, Type
from sidecar.core.operations.row import CustomerParameter, Kind, Operation, Scoping
from sidecar.core.operations.table import OPERATIONS
from tests.unit.web.table.cases import EVERY_CASE, Case

_PAGES = {"limit", "starting_after", "ending_before"}


def operations_table() -> str:
    head = ["| name | request | by default | needs | partial access | answers |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *map(_row, OPERATIONS)])


def _row(row: Operation) -> str:
    needs = row.action if row.on_customers else f"{row.action}, on a collection you name"
    partial = "refused" if row.scoping is Scoping.REFUSED else "own customers"
    default = "on" if row.basic else ""
    return f"| `{row.name}` | `{row.method} /stripe{row.path}` | {default} | {needs} | {partial} | {row.summary} |"


def takes_table() -> str:
    """Give one row for each operation: its parameters, and a request that a test sends."""
    rows = (f"| `{row.name}` | {taken(row)} | {example(EVERY_CASE[row.name])} |" for row in OPERATIONS)
    return "\n".join(["| operation | takes | for example |", "|---|---|---|", *rows])


def taken(row: Operation) -> str:
    """Name the parameters: `*` is required, `$` needs `amounts = true`, `{…}` has members, `[]` is a list."""
    words = [f"`{_parameter(each)}`" for each in row.taken]
    if row.customer is CustomerParameter.REQUIRED:
        words = [word.replace("`customer`", "`customer*`") for word in words]
    if row.kind is Kind.CREATE_CUSTOMER:
        words.append("`item`")
    one_of = [f"one of {' and '.join(f'`{name}`' for name in row.one_of)}"] if len(row.one_of) > 1 else []
    headers = ["the header `Stripe-Version`"] if row.sdk_version else []
    return "; ".join(filter(None, [" ".join([*words, *_of_lists(row)]), *one_of, *headers]))


def _of_lists(row: Operation) -> Iterator[str]:
    if row.in_query:
        names = set(list_parameters(row))
        yield from (["*pages*"] if names >= _PAGES else sorted(f"`{name}`" for name in names & _PAGES))
        yield from (["*times*"] if any(name.startswith("created") for name in names) else [])


def _parameter(each: Parameter) -> str:
    return f"{each.name}{'*' if each.required else ''}{'$' if each.amount else ''}{_members(each.type)}"


def _members(kind: Type) -> str:
    match kind:
        case Group(parameters=inner):
            return f"{{{', '.join(map(_parameter, inner))}}}"
        case Several(of=one):
            return f"[]{_members(one)}"
        case _:
            return ""


def example(case: Case) -> str:
    """Write a case as a request; what is the caller's own there ends in 123 here."""
    body = "" if case.body is None else f" `{json.dumps(json.loads(_published(case.body)), ensure_ascii=False)}`"
    return f"`{case.row.method} /stripe{_published(case.target)}`{body}"


def _published(text: str) -> str:
    return re.sub(r"_OWN\b", "_123", text)
