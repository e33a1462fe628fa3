"""SECURITY.md names tests that exist, and README leads to it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
TABLE = TEXT.partition("<!-- threats -->\n")[2].partition("\n\n")[0].splitlines()
HEAD, ROWS = TABLE[0], [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TABLE[2:]]
NAME = re.compile(r"`(tests/[a-z_/]+/test_[a-z_]+\.py)::(test_[a-z0-9_]+)`")


def names() -> Iterator[tuple[str, str]]:
    return (match.groups() for match in NAME.finditer(TEXT))  # type: ignore[misc]  # the pattern has two groups


@pytest.mark.parametrize(("file", "test"), sorted(set(names())))
def test_each_named_test_exists(file: str, test: str) -> None:
    """Every test that the page names is in its file."""
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_threat_is_whole(row: list[str]) -> None:
    """Each row says who, what and how, and names nothing but tests."""
    assert HEAD == "| who | could want | what stops it | shown by |"
    assert len(row) == 4
    assert all(row)
    assert NAME.sub("", row[3]).strip(", ") == ""


def test_nobody_is_forgotten() -> None:
    """Each kind of attacker has a row."""
    kinds = (
        *("without an account", "own rows", "field lists", "share-holder", "another pod", "same Stripe account"),
        *("another Directus", "administrator", "service token", "network between", "compromised dependency"),
        *("a Stripe that", "a Directus that", "operator's mistake", "logs and metrics", "foreign origin"),
    )

    assert [kind for kind in kinds if not any(kind in row[0] for row in ROWS)] == []


def test_readme_leads_to_it() -> None:
    """README links the page."""
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
