"""A short part of the fuzz run, with the real process; `./tests/run.sh fuzz` is all of it."""

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.generator import Generator, Sent
from tests.fuzz.reached import never_successful
from tests.fuzz.run import Run, running
from tests.fuzz.seeds import every_operation, operation

pytestmark = pytest.mark.process
SEED = 15
PATIENCE = 2.0  # seconds; the whole run waits for all of the service's deadlines
FEWEST = 0.3  # of mutated requests that must be answered with success, so that the run gets beyond the first checks


def valid() -> list[Sent]:
    """Each operation by each caller, unchanged."""
    drafts = [
        operation(name, person, f"valid-{number}", Random(number))  # noqa: S311 - reproducible, not secret
        for number, (name, person) in enumerate(every_operation())
    ]
    return [Sent(-number, draft, draft.written()) for number, draft in enumerate(drafts, start=1)]


def told(run: Run) -> str:
    return "\n".join(line for finding in run.findings.kept for line in finding.told())


def successes(run: Run) -> int:
    return sum(number for status, number in run.statuses.items() if status in {200, 201})


async def test_every_operation_by_every_caller(tmp_path: Path) -> None:
    """Each operation is reached with success, and no caller gets or causes more than Directus allows it."""
    requests = valid()
    async with running(tmp_path, SEED) as run:
        run.patience = PATIENCE
        await run.all(requests)

    assert not run.findings.number, told(run)
    assert never_successful(run.reached) == []
    assert sum(run.statuses.values()) == len(requests)


async def test_mutated_requests(tmp_path: Path) -> None:
    """No mutated request is answered with a 5xx, unanswered, or with what its caller may not see or cause."""
    async with running(tmp_path, SEED) as run:
        run.patience = PATIENCE
        await run.all(Generator(SEED).request(number) for number in range(400))

    assert not run.findings.number, told(run)
    assert successes(run) > 400 * FEWEST
    assert run.upstreams.total > 100


async def test_mutated_requests_while_upstreams_fail(tmp_path: Path) -> None:
    """U1, U2: while Directus and Stripe fail in every way, the documented outages are the only 5xx."""
    async with running(tmp_path, SEED, trouble=True) as run:
        run.patience = PATIENCE
        await run.all(Generator(SEED).request(number) for number in range(400, 520))

    assert not run.findings.number, told(run)
    assert run.statuses[503] + run.statuses[502] + run.statuses[504] > 3
