"""The main job, as the demo does it: every route as everybody, by session and by static token, through nginx."""

from collections.abc import Collection
from itertools import groupby

from deploy.demo.expectations import EXPECTED
from deploy.demo.matrix import Row, ask_all
from deploy.demo.stack import Stack
from tests.matrix.claims import Claim, Findings, Version


async def version_of(stack: Stack) -> Version:
    return Version(f"Directus {(await stack.admin.request('GET', '/server/info'))['version']}")


async def main_job(stack: Stack, *, people: Collection[str] = EXPECTED) -> Findings:
    """Claim of each of `people` that all answers are as the demo's table expects them."""
    rows = [row for row in await ask_all(stack) if row.who in people]
    for who, own in groupby(rows, key=lambda row: row.who):
        answers = list(own)
        asked = sum(len(row.answers) for row in answers)
        yield Claim(f"{who}: {asked} answers as expected", [], [fault for row in answers for fault in _faults(row)])


def _faults(row: Row) -> list[str]:
    return [
        f"{row.route} by {credential}: {answer.status} {answer.code}, {fault}"
        for credential, answer in row.answers.items()
        if (fault := row.fault(credential))
    ]
