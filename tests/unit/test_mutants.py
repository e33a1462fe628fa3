"""The mutation run: what it changes, how it chooses, and when it fails."""

from pathlib import Path

import pytest

from deploy.demo.progress import Fault
from tests.mutants.equivalent import declared, obsolete
from tests.mutants.mutant import Change, Mutant, mutants_of, sample
from tests.mutants.report import text, too_little
from tests.mutants.trial import Verdict, try_all

pytestmark = pytest.mark.process
MODULE = Path("sidecar/core/access/sums.py")
SOURCE = '''"""Sums."""


class Sum:
    def double(self, number: int) -> int:
        if number < 0:
            raise ValueError("a negative number", number)
        return number * 2


def unused(number: int) -> int:
    return number + 1
'''
TESTS = """from sidecar.core.access.sums import Sum


def test_double() -> None:
    assert Sum().double(3) == 6
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one module, with tests of one part."""
    for path, content in (
        (MODULE, SOURCE),
        (Path("tests/test_sums.py"), TESTS),
        (Path("pyproject.toml"), '[tool.mutmut]\nsource_paths = ["sidecar"]\n'),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mutant(number: int, package: str = "access") -> Mutant:
    change = Change(f"sidecar/core/{package}/x.py", "f", f"return {number}", f"return {number + 1}")
    return Mutant(f"sidecar.core.{package}.x.x_f__mutmut_{number}", change, line=number, wording=False)


@pytest.mark.usefixtures("project")
def test_a_mutant_has_its_place_and_its_change() -> None:
    """Each mutant names its line, its function and its change."""
    found = {str(mutant) for mutant in mutants_of(MODULE)}

    assert f"{MODULE}:8 in Sum.double\n    - return number * 2\n    + return number / 2" in found
    assert f"{MODULE}:12 in unused\n    - return number + 1\n    + return number - 1" in found


@pytest.mark.usefixtures("project")
def test_words_are_told_from_code() -> None:
    """A change of words in a text is wording; a missing text is not, and no other change is."""
    wording = {mutant.change.after for mutant in mutants_of(MODULE) if mutant.wording}

    assert wording == {
        'raise ValueError("XXa negative numberXX", number)',
        'raise ValueError("A NEGATIVE NUMBER", number)',
    }


def test_mutants_are_tried(project: Path) -> None:
    """A mutant that a test notices is killed; a mutant that no test notices or reaches survives."""
    mutants = [mutant for mutant in mutants_of(MODULE) if not mutant.wording]

    verdicts = try_all(mutants, project, seconds=300, workers=1)

    by_change = {mutant.change.after: verdict for mutant, verdict in verdicts.items()}
    assert by_change["return number / 2"] is Verdict.KILLED
    assert by_change["if number <= 0:"] is Verdict.SURVIVED
    assert by_change["return number - 1"] is Verdict.SURVIVED


def test_tests_that_fail_by_themselves(project: Path) -> None:
    """If the tests fail without any change there is no score, and the end of their output is shown."""
    (project / "tests" / "test_sums.py").write_text(TESTS.replace("== 6", "== 7"), encoding="utf-8")

    with pytest.raises(Fault, match="mutmut failed"):
        try_all(list(mutants_of(MODULE)), project, seconds=300, workers=1)


def test_the_time_ends_first(project: Path) -> None:
    """Mutants for which no time is left are not tried, and the output says so."""
    mutants = list(mutants_of(MODULE))

    verdicts = try_all(mutants, project, seconds=0, workers=1)

    assert verdicts == dict.fromkeys(mutants, Verdict.NOT_TRIED)
    assert too_little(verdicts)[-1].startswith(f"{len(mutants)} were not tried")


def test_a_sample_is_always_the_same() -> None:
    """The first mutants do not depend on the order and the number of all mutants."""
    some, all_of_them = [mutant(number) for number in range(50)], [mutant(number) for number in range(100)]

    assert sample(some, 10) == sample(reversed(some), 10)
    assert [each for each in sample(all_of_them, 100) if each in some] == sample(some, 50)


@pytest.mark.parametrize(
    ("killed", "survived", "package", "enough"),
    [(19, 1, "access", True), (18, 1, "flows", False), (0, 1, "flows", False), (0, 1, "operations", True)],
)
def test_the_score_that_is_enough(killed: int, survived: int, package: str, *, enough: bool) -> None:
    """95 % of mutants must be killed where access is decided and where money moves."""
    verdicts = {
        **{mutant(number, package): Verdict.KILLED for number in range(killed)},
        **{mutant(number, package): Verdict.SURVIVED for number in range(100, 100 + survived)},
    }

    assert (too_little(verdicts) == []) is enough
    assert text(verdicts).count("return 100") == 1


def test_a_declaration_has_a_reason(tmp_path: Path) -> None:
    """A mutant is declared equivalent with a reason, or the run fails."""
    table = tmp_path / "equivalent.toml"
    entry = '[[equivalent]]\npath = "p"\nfunction = "f"\nbefore = "b"\nafter = "a"\n'
    table.write_text(entry + 'reason = "r"\n', encoding="utf-8")
    assert declared(table) == {Change("p", "f", "b", "a")}

    for reason in ("", 'reason = ""\n', 'reasons = "r"\n'):
        table.write_text(entry + reason, encoding="utf-8")
        with pytest.raises(Fault, match="reason"):
            declared(table)


def test_a_declared_mutant_exists() -> None:
    """An outdated declaration about a changed module is named; about another module nothing is known."""
    old, elsewhere = Change(mutant(1).change.path, "f", "before", "after"), Change("other.py", "f", "b", "a")

    assert obsolete([mutant(1).change, old, elsewhere], [mutant(1), mutant(2)]) == [old]
