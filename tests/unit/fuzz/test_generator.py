"""Requests of the fuzz run: the same for the same number, and the run notices a bad service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.doubles import faults as faults_of_doubles
from tests.doubles.server import Double
from tests.fuzz.client import send
from tests.fuzz.exchanges import Got, faults
from tests.fuzz.generator import Generator
from tests.fuzz.mutations.bodies import BODIES
from tests.fuzz.mutations.framing import BYTES, FRAMING
from tests.fuzz.mutations.headers import HEADERS
from tests.fuzz.mutations.targets import TARGETS
from tests.fuzz.reached import never_successful, reached, table
from tests.fuzz.service_log import ServiceLog
from tests.unit.web.table.cases import CASES


class Careless(Double):
    """A service that answers everybody with everything, and with the token that it was sent."""

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{anything:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            raise RuntimeError("unexpected")
        return web.json_response({"id": "cus_HIDDEN", "token": request.headers.get("Authorization")})


@pytest.fixture
async def careless() -> AsyncIterator[Careless]:
    async with Careless.running() as double:
        yield double


def test_a_number_has_one_request() -> None:
    """The same seed and number give the same bytes in any order; other seeds and numbers give others."""
    numbers = [*range(0, 200, 7)]
    first, second = Generator(3), Generator(3)

    made = {number: first.request(number).data for number in numbers}

    # The signature of an event of Stripe's contains the present time.
    unsigned = [number for number in numbers if first.request(number).draft.seed != "webhooks"]
    assert all(made[number] == second.request(number).data for number in reversed(unsigned))
    assert len(set(made.values())) == len(numbers)
    assert all(Generator(4).request(number).data != made[number] for number in numbers)


def test_a_mutation_can_be_left_out() -> None:
    """Without one of its mutations a request keeps the others."""
    generator = Generator(3)
    number = next(number for number in range(100) if len(generator.request(number).told) == 3)
    told = generator.request(number).told

    assert generator.request(number, frozenset({1})).told == (told[0], told[2])
    assert generator.request(number, frozenset({0, 1, 2})).told == ()


def test_leaving_out_a_mutation_leaves_the_rest_of_the_request() -> None:
    """Without its mutations a request is the valid one that it began as, the same one whatever they were."""
    generator, all_of_them = Generator(3), frozenset(range(10))

    bare = [generator.request(number, all_of_them) for number in range(300)]

    assert [each.draft.seed for each in bare] == [generator.request(number).draft.seed for number in range(300)]
    tokens = [[token for _, token in each.holders] for each in bare]
    assert all(
        generator.request(number).draft.holders[: len(own)] == bare[number].holders for number, own in enumerate(tokens)
    )


def test_requests_are_of_every_kind() -> None:
    """Each operation is asked for and each mutation is used, on whatever others left; a quarter is not mutated."""
    requests = [Generator(seed).request(number) for seed in range(3, 6) for number in range(1000)]

    assert {request.draft.seed for request in requests} >= {*CASES, "webhooks", "platform", "logout", "preflight"}
    mutations = (*TARGETS, *HEADERS, *BODIES, *FRAMING, *BYTES)
    assert {name for request in requests for name in request.told} == {mutate.__name__ for mutate in mutations}
    assert sum(not request.told for request in requests) > 3000 / 4


async def test_a_careless_service_is_found(careless: Careless) -> None:
    """A service that asks nobody is found by what it shows, by its headers and by its errors."""
    sent = [Generator(3).request(number) for number in range(60)]

    received = [await send(careless.port, each.data, leaves=2.0) for each in sent]

    found = {
        rule for each, raw in zip(sent, received, strict=True) for rule, _ in faults(Got(each, raw), trouble=False)
    }
    assert found >= {"no secret", "no foreign datum", "headers", "no 5xx", "documented errors"}


async def test_a_silent_service_is_found(careless: Careless) -> None:
    """A service that never ends a connection is a hang."""
    careless.fail(faults_of_doubles.hang)
    sent = Generator(3, mutating=False).request(1)

    received = await send(careless.port, sent.data, leaves=None, within=0.2)

    assert "no hang" in {rule for rule, _ in faults(Got(sent, received), trouble=False)}


def test_lines_are_judged_once_and_whole(tmp_path: Path) -> None:
    """A line of the log that is still being written is judged when it is whole, and then once."""
    file = tmp_path / "log"
    file.write_bytes(b'{"a": 1}\n{"token": "MARKED')
    log = ServiceLog(file)

    early = [*log.faults()]
    file.write_bytes(file.read_bytes() + b'token"}\n')
    later = [[rule for rule, _ in log.faults()] for _ in range(2)]

    assert (early, later) == ([], [["no secret"], []])


def test_what_was_never_reached_is_named() -> None:
    """An operation that only failed counts as never reached."""
    lines = [f'sidecar_requests_total{{operation="{name}",status="200",verdict="granted"}} 2.0' for name in CASES]
    lines[0] = lines[0].replace("200", "401")

    found = reached("\n".join(lines))

    assert never_successful(found) == [next(iter(CASES))]
    assert "| 401 |" in table(found).splitlines()[0].replace("| 200 ", "")
