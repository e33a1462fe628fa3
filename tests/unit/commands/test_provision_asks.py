"""`provision` on a terminal: it asks after the plan, and only a yes is one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest

from deploy.demo import children
from deploy.demo.processes import environment
from tests.doubles.process import ROOT
from tests.unit.commands.test_provision import TOKEN, AdministratedDouble

pytestmark = pytest.mark.process
_ON_A_TERMINAL = ["/bin/sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1']
_MADE = ["POST /collections"]


@pytest.fixture
async def directus() -> AsyncIterator[AdministratedDouble]:
    async with AdministratedDouble.running() as double:
        yield double


async def answered(directus: AdministratedDouble, answer: bytes) -> tuple[int | None, str]:
    """Give the exit code and what stood on the terminal."""
    ours, theirs = os.openpty()
    settings = {
        "PYTHONPATH": str(ROOT),
        "DIRECTUS_URL": directus.url,
        "DIRECTUS_ADMIN_TOKEN": TOKEN,
        "STRIPE_CUSTOMERS_COLLECTION": "customers",
    }
    try:
        os.write(ours, answer)
        command = [sys.executable, "-m", "sidecar", "provision", "--create-collection"]
        process = await children.spawn([*_ON_A_TERMINAL, os.ttyname(theirs), *command], env=environment(settings))
        code = await asyncio.wait_for(process.wait(), 60)
        return code, os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("answer", "code", "made"),
    [(b"y\n", 0, _MADE), (b"Yes\n", 0, _MADE), (b"\n", 1, []), (b"n\n", 1, []), (b"\x04", 1, [])],
    ids=["y", "yes", "return", "no", "end"],
)
async def test_a_question(directus: AdministratedDouble, answer: bytes, code: int, made: list[str]) -> None:
    """The plan comes first, then the question with the address of this Directus; without a yes nothing is changed."""
    ended, said = await answered(directus, answer)

    assert (ended, directus.changes()) == (code, made)
    planned, question, rest = said.partition(f"Do this in the Directus at {directus.url}? [y/N]")
    assert "to create  collection customers" in planned
    assert question
    assert ("created    collection customers" in rest) is bool(made)
    assert ("Nothing was changed." in rest) is not bool(made)
