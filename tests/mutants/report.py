"""The mutants of each package that the tests noticed, the other mutants, and whether the score is enough."""

from collections import Counter
from collections.abc import Mapping

from tests.mutants.mutant import Mutant
from tests.mutants.trial import Verdict

LEAST = {"core/access": 95, "core/flows": 95}  # percent
Verdicts = Mapping[Mutant, Verdict]


def text(verdicts: Verdicts) -> str:
    """Give the unnoticed mutants, with place and change, and a table."""
    missed = [f"{mutant}\n" for mutant, verdict in verdicts.items() if verdict is Verdict.SURVIVED]
    head = f"{'':18}" + "".join(f"{verdict:>13}" for verdict in Verdict) + f"{'noticed':>13}"
    return "\n".join([*sorted(missed), head, *(_row(package, counts) for package, counts in _packages(verdicts))])


def too_little(verdicts: Verdicts) -> list[str]:
    """Give the reasons for a failed run."""
    found = [
        f"{package}: {score:.1f} % noticed, which should be {LEAST[package]} %"
        for package, counts in _packages(verdicts)
        if (score := _score(counts)) < LEAST.get(package, 0)
    ]
    untried = sum(verdict is Verdict.NOT_TRIED for verdict in verdicts.values())
    return [*found, f"{untried} were not tried: give more --seconds, or a number with --most"] if untried else found


def _packages(verdicts: Verdicts) -> list[tuple[str, Counter[Verdict]]]:
    packages: dict[str, Counter[Verdict]] = {}
    for mutant, verdict in verdicts.items():
        packages.setdefault(mutant.package, Counter())[verdict] += 1
    return sorted(packages.items())


def _row(package: str, counts: Counter[Verdict]) -> str:
    return f"{package:18}" + "".join(f"{counts[verdict]:>13}" for verdict in Verdict) + f"{_score(counts):>11.1f} %"


def _score(counts: Counter[Verdict]) -> float:
    noticed = counts[Verdict.KILLED] + counts[Verdict.TIMEOUT]
    return 100 * noticed / ((noticed + counts[Verdict.SURVIVED]) or 1)
