"""The matrix: the table in deploy/README.md, and how cells end."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.demo.progress import Fault
from tests.documents.pages import DEPLOY, table_after, text_of
from tests.matrix.__main__ import outcome
from tests.matrix.cells import CELLS, Cell, Need
from tests.matrix.claims import Claim, Findings, Version
from tests.matrix.table import Outcome, rows_of, updated

TEXT = text_of(DEPLOY)
TABLE = table_after(DEPLOY, "matrix")
CELL = CELLS["users"]  # Outcome takes its words from the table of cells


async def holding(_: Path) -> Findings:
    yield Version("Directus 1.2.3")
    yield Claim("one is one", 1, 1)


async def not_holding(_: Path) -> Findings:
    yield Claim("one is two", 2, 1)
    yield Claim("one is one", 1, 1)


async def breaking_off(_: Path) -> Findings:
    yield Claim("one is one", 1, 1)
    raise Fault("Directus ended")


def cell(run: Callable[[Path], Findings], *needs: Need) -> Cell:
    return Cell(CELL.name, CELL.what, run, needs)


def impossible() -> None:
    raise Fault("npm not found")


@pytest.mark.parametrize("name", CELLS)
def test_each_cell_is_documented(name: str) -> None:
    """The table has a row for each cell: what it is, what ran, and when."""
    row = rows_of(TABLE)[name]

    assert row[1] == CELLS[name].what
    assert row[2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row[5])


def test_no_other_cell_is_documented() -> None:
    """The rows of the table are the cells, in their order."""
    assert list(rows_of(TABLE)) == list(CELLS)


def test_table_is_updated() -> None:
    """A cell that ran replaces its row; all other text stays as it is."""
    ran = Outcome(CELL.name, ("Directus 1.2.3", "Directus 1.2.3"), "passed, 2 claims", 3, "2031-02-03", passed=True)

    text = updated(TEXT, [ran])

    assert f"| `users` | {CELL.what} | Directus 1.2.3 | passed, 2 claims | 3 | 2031-02-03 |" in text
    assert updated(text, []) == text
    changed = [line for line in text.splitlines() if line not in TEXT.splitlines()]
    assert len(changed) == 1


@pytest.mark.parametrize(
    ("run", "result", "passed"),
    [
        (holding, "passed, 1 claims", True),
        (not_holding, "FAILED, 1 of 2 claims", False),
        (breaking_off, "FAILED, 1 of 2 claims", False),
    ],
)
def test_how_a_cell_ends(tmp_path: Path, run: Callable[[Path], Findings], result: str, *, passed: bool) -> None:
    """A cell passes if every claim holds and it comes to its end."""
    ended = outcome(cell(run), tmp_path, installs=True, in_ci=False)

    assert (ended.result, ended.passed) == (result, passed)


def test_what_ran_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cell prints a line for each claim, and names the versions that ran."""
    ended = outcome(cell(holding), tmp_path, installs=True, in_ci=False)

    assert ended.ran == ("Directus 1.2.3",)
    assert "ok      one is one" in capsys.readouterr().out


def test_a_claim_that_does_not_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A claim that does not hold says what was expected and what was seen."""
    outcome(cell(not_holding), tmp_path, installs=True, in_ci=False)

    assert "NOT SO  one is two: expected 2, seen 1" in capsys.readouterr().out


@pytest.mark.parametrize("in_ci", [False, True])
@pytest.mark.parametrize("installs", [False, True])
def test_a_missing_program(tmp_path: Path, *, installs: bool, in_ci: bool) -> None:
    """A cell without a program that it needs is left out with one line, and fails in CI."""
    ended = outcome(cell(holding, Need("npm", lambda: False, impossible)), tmp_path, installs=installs, in_ci=in_ci)

    assert ended.result.startswith("left out: npm ")
    assert "\n" not in ended.result
    assert ended.passed is not in_ci


def test_quick_cells_install_nothing(tmp_path: Path) -> None:
    """A cell that may not install leaves the machine as it is."""
    installed: list[str] = []
    need = Need("npm", lambda: False, lambda: installed.append("npm"))

    outcome(cell(holding, need), tmp_path, installs=False, in_ci=False)

    assert installed == []
