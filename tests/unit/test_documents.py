"""The documents and .env.example match the code, in both directions."""

import json
import re

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sidecar.core.flows.events import FOLLOWED
from sidecar.core.flows.mirror import Mirror
from sidecar.core.operations.row import Operation, Scoping
from sidecar.core.operations.table import OPERATIONS
from sidecar.core.status.sources import SOURCES, Origin
from sidecar.settings import Settings
from tests.documents import PAGES, ROOT, SIDECAR, table_after


def shown_default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, dict):
        return f"`{json.dumps({name: names[0] for name, names in value.items()})}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value in {None, ()} else f"`{value}`"


def settings_table() -> str:
    rows = [
        f"| `{name.upper()}` | {shown_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| name | default | meaning |", "|---|---|---|", *rows])


def operation_row(row: Operation) -> str:
    needs = row.action if row.on_customers else f"{row.action}, on a collection you name"
    partial = "refused" if row.scoping is Scoping.REFUSED else "own customers"
    default = "on" if row.basic else ""
    return f"| `{row.name}` | `{row.method} /stripe{row.path}` | {default} | {needs} | {partial} | {row.summary} |"


def operations_table() -> str:
    head = ["| name | request | by default | needs | partial access | answers |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *map(operation_row, OPERATIONS)])


def test_every_operation_is_listed_and_no_other() -> None:
    """sidecar/README.md's table of operations is the table of operations."""
    assert table_after(SIDECAR, "operations") == operations_table()


def test_every_setting_is_listed_and_no_other() -> None:
    """sidecar/README.md's table of settings has each field's name, default and meaning, and nothing else."""
    assert table_after(SIDECAR, "settings") == settings_table()


def test_env_example_names_every_setting_and_no_other() -> None:
    """.env.example has one line for each setting, required ones filled in and the rest commented out."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {match[2]: match[1] for line in lines if (match := re.match(r"(#?)([A-Z_]+)=", line))}

    assert named == {name.upper(): "" if field.is_required() else "#" for name, field in Settings.model_fields.items()}


@pytest.mark.parametrize("name", [name.upper() for name, field in Settings.model_fields.items() if field.description])
def test_env_example_explains(name: str) -> None:
    """Each line of .env.example follows the description of its setting."""
    field = Settings.model_fields[name.lower()]
    text = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert re.search(rf"^# {re.escape(str(field.description))}\n#?{name}=", text, re.MULTILINE)


RIGHTS = {
    Origin.SUBSCRIPTION: "*Subscriptions*",
    Origin.ENTITLEMENTS: "*Entitlements*",
    Origin.PAYMENT_METHOD: "*Subscriptions*, *PaymentMethods*",
}


def sources_row(origin: Origin) -> str:
    sources = [source for source in SOURCES.values() if source.origin == origin]
    types = sorted(Mirror("id", {}, {"field": sources[0]}).follows - FOLLOWED)
    paths = " ".join(f"`{'.'.join(source.path)}`" for source in sources if source.path)
    return f"| `{origin}` | {paths} | {' '.join(f'`{name}`' for name in types)} | {RIGHTS[origin]} |"


def test_every_source_is_listed_and_no_other() -> None:
    """sidecar/README.md says what a status field can name, which events keep it true, and what the key must read."""
    assert table_after(SIDECAR, "sources").splitlines()[2:] == list(map(sources_row, Origin))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Each link of a page into the project leads to what is there."""
    linked = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (ROOT / page).read_text(encoding="utf-8"))

    assert [target for target in linked if not ((ROOT / page).parent / target).exists()] == []


def test_every_code_of_a_claim_is_explained() -> None:
    """Each code at the beginning of a test's docstring has a row in tests/README.md, and each row is used."""
    explained = set(re.findall(r"^\| ([A-Z][0-9]+) \|", (ROOT / "tests" / "README.md").read_text(), re.MULTILINE))
    used: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for codes in re.findall(r'"""((?:[A-Z][0-9]+(?:, | and )?)+):', path.read_text()):
            used |= set(re.findall(r"[A-Z][0-9]+", codes))

    assert used == explained
