"""The documents and .env.example match the code, in both directions."""

import re

import pytest

from sidecar.settings import Settings
from tests.documents.generated import GENERATED
from tests.documents.pages import ROOT, SIDECAR, block_after, table_after
from tests.documents.settings import GROUPS, members

REQUIRED = {
    "DIRECTUS_URL": "http://127.0.0.1:8055",
    "STRIPE_CUSTOMERS_COLLECTION": "customers",
    "STRIPE_LIVE_SECRET_KEY": "sk_test_123",
    "DIRECTUS_SERVICE_TOKEN": "token",
    "SIDECAR_SECRET": "of-the-tests-with-32-bytes-or-more",
    "STRIPE_WEBHOOK_SECRET": "whsec_123456789012345678",
}


@pytest.mark.parametrize(("page", "marker"), GENERATED)
def test_tables_are_those_of_the_code(page: str, marker: str) -> None:
    """Each table that is made of the code is what the code has now; `python -m tests.documents` renews them."""
    assert GENERATED[page, marker]() == table_after(page, marker)


def test_every_setting_is_in_one_group() -> None:
    """The groups have every setting once."""
    named = [name for group in GROUPS for name, _ in members(group)]

    assert sorted(name.upper() for name in Settings.model_fields) == sorted(named)


@pytest.mark.parametrize("group", GROUPS)
def test_each_groups_example(group: str) -> None:
    """Each group has an example with settings of this group, which the service takes."""
    given = variables(block_after(SIDECAR, f"example-{group}"))
    known = {name for name, _ in members(group)}
    elsewhere = {"STRIPE_OPERATIONS": "", "STRIPE_EVENTS": ""}  # files that are examples of their own

    Settings.model_validate({name.lower(): value for name, value in (REQUIRED | given | elsewhere).items() if value})

    assert {name.removesuffix("_FILE") for name in given} & known


def variables(text: str) -> dict[str, str]:
    lines = (line.partition(" #")[0].strip() for line in text.splitlines())
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines if line)}


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


def test_every_code_of_a_claim_is_explained() -> None:
    """Each code at the beginning of a test's docstring has a row in tests/README.md, and each row is used."""
    explained = set(re.findall(r"^\| ([A-Z][0-9]+) \|", (ROOT / "tests" / "README.md").read_text(), re.MULTILINE))
    used: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for codes in re.findall(r'"""((?:[A-Z][0-9]+(?:, | and )?)+):', path.read_text()):
            used |= set(re.findall(r"[A-Z][0-9]+", codes))

    assert used == explained
