"""The benchmarks' programs work, each on a tiny scale. No figure is checked: timings depend on the machine.

Some rows of each benchmark stand for all of them here. `./tests/benchmarks/run.sh --quick`, and the same with `fair`
and `replicas`, run every row and fail if one could not run.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import web

from deploy.demo import redis_program
from deploy.demo.servers import ROOT
from deploy.demo.stack import Stack
from tests.benchmarks import measures
from tests.benchmarks.fair import report
from tests.benchmarks.fair.account import Asked, StripeAccount, customer_id, worst_second
from tests.benchmarks.fair.command import QUICK, one
from tests.benchmarks.fair.plan import Group, Request
from tests.benchmarks.fair.rig import Ground
from tests.benchmarks.fair.visit import visiting
from tests.benchmarks.peers import WITHOUT_LIMIT, Peers, beside, relay, upstream
from tests.benchmarks.replicas import command as replicas
from tests.benchmarks.replicas.outcome import Seen
from tests.benchmarks.replicas.rows import ROWS as REPLICA_ROWS
from tests.benchmarks.replicas.stripe import LIVE, SANDBOX, LimitedAccount
from tests.benchmarks.speed import command as speed
from tests.benchmarks.speed import report as speed_report
from tests.benchmarks.speed.rows import Ground as SpeedGround
from tests.benchmarks.upstream import Received
from tests.doubles.one_route import serving_get
from tests.doubles.process import serving

# One row of each way to measure.
_OF_SPEED = (2, 4, 7, 9, 13, 14)
_OF_FAIR = (1, 8, 9, 10, 14)
_OF_REPLICAS = (1, 4, 9)
# What the requests of some rows get in any case, by group and status.
_ANSWERED = {
    8: {"page": {"200": 1}},
    9: {"POST": {"400": 1}},
    10: {"page": {"200": 3}},
    14: {"page": {"200": QUICK.clerks}},
    15: {"page": {"200": QUICK.clerks}},
}


async def test_pieces(tmp_path: Path) -> None:
    """The sidecar, the relay and the library read the stand-in's whole list; load and gate give figures."""
    async with (
        upstream(tmp_path, payments=250, customers=150) as stripe,
        relay(tmp_path, stripe.url) as bare,
        serving(
            tmp_path / "sidecar.log",
            DIRECTUS_URL=stripe.url,
            STRIPE_API_BASE=stripe.url,
            STRIPE_LIVE_SECRET_KEY="sk_test_benchmark",
            STRIPE_CUSTOMERS_COLLECTION="customers",
            **WITHOUT_LIMIT,
        ) as sidecar,
    ):
        ours = f"http://127.0.0.1:{sidecar.port}/stripe"
        page, relayed, array, lines, library, gate, looking = await asyncio.gather(
            measures.program("load", f"{ours}/customers?limit=100", "token", "--seconds", "0.2"),
            measures.program("load", f"{bare.url}/v1/customers?limit=100", "token", "--seconds", "0.2"),
            measures.program("whole", f"{ours}/payments", "token"),
            measures.program("whole", f"{ours}/payments", "token", "--lines"),
            measures.program("library", stripe.url),
            measures.program("gate", stripe.url, "100"),
            measures.program("looking", "2"),
        )
        asked = int(await measures.get(f"{stripe.url}/count/v1/payment_intents"))

    assert page["requests"] > 0
    assert (page["failures"], relayed["failures"]) == (0, 0)
    assert [array["objects"], lines["objects"], library["objects"]] == [250] * 3
    assert gate["ms"] > 0
    assert min(looking.values()) > 0
    assert asked >= 9


async def test_stand_in_against_plain_paging(tmp_path: Path) -> None:
    """The stand-in's filters agree with plain paging: a time range contains the objects that paging finds in it."""
    async with upstream(tmp_path, payments=250, customers=1) as stripe:
        pages = [await listed(stripe.url, "limit=100")]
        while pages[-1]["has_more"]:
            pages.append(await listed(stripe.url, f"limit=100&starting_after={pages[-1]['data'][-1]['id']}"))
        everything = [payment for page in pages for payment in page["data"]]
        since, until = everything[180]["created"], everything[90]["created"]
        part = await listed(stripe.url, f"limit=100&created[gte]={since}&created[lt]={until}")
        own = await listed(stripe.url, "limit=100&customer=cus_00000000000007")

    assert len(everything) == len({payment["id"] for payment in everything}) == 250
    assert part["data"] == [payment for payment in everything if since <= payment["created"] < until]
    assert own["data"] == [payment for payment in everything if payment["customer"] == "cus_00000000000007"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def peers(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Peers]:
    """The peers of `speed` beside a real Directus, but not the extension. The code before is that of this checkout."""
    state, size = tmp_path_factory.mktemp("peers"), speed.QUICK
    async with (
        upstream(state, payments=size.payments, customers=size.payments) as stripe,
        beside(stack, stripe, state, size, earlier=ROOT) as found,
    ):
        yield found


@pytest.mark.parametrize("number", _OF_SPEED)
async def test_rows_of_speed(number: int, peers: Peers, tmp_path: Path) -> None:
    """Each row of `speed` runs, fills its lines of the tables, and gives figures that can be written as JSON."""
    found = await speed.one(SpeedGround(peers, speed.QUICK, tmp_path), number)

    assert found.seen is not None, found.fault
    assert f"| {number} |" in speed_report.table([(number, found.seen)])
    assert json.loads(json.dumps(asdict(found)))["number"] == number


@pytest.mark.parametrize("number", _OF_FAIR)
async def test_rows(number: int, stack: Stack, tmp_path: Path) -> None:
    """Each row of `fair` runs, fills its line of the table, and gives figures that can be written as JSON."""
    found = await one(Ground(QUICK, tmp_path, stack), number)

    assert found.outcome is not None, found.fault
    assert report.line("title", number, found.outcome).count("|") == 6
    written = json.loads(json.dumps(asdict(found)))["outcome"]["figures"]
    answered = _ANSWERED.get(number, {})
    assert {name: written[name]["statuses"] for name in answered} == answered


async def test_row_that_cannot_run(tmp_path: Path) -> None:
    """A row that cannot run, here for want of a real Directus, has a fault and no outcome, and its line says so."""
    found = await one(Ground(QUICK, tmp_path), 9)

    assert found.outcome is None
    assert "AssertionError" in found.fault
    assert report.line("title", 9, found.outcome) == "| 9 | title | could not run | | |"


async def test_visitors(tmp_path: Path) -> None:
    """Visitors know answers of any kind by their status, and those that broke off, were left or never came."""
    kinds = ("length", "chunked", "closing", "empty", "broken")
    groups = [Group(kind, [Request(f"/{kind}", "token")], 2, times=2) for kind in kinds]
    silent = [Request("/silent", "token")]
    left, waiting = Group("left", silent, 2, times=2, leaves_after=0.01), Group("silent", silent, 2, background=True)
    async with serving_get("/{kind}", _answer_as_asked) as url:
        port = urlsplit(url).port or 0
        async with visiting(port, [*groups, left, waiting], seconds=60, state=tmp_path) as visit:
            tallies = await visit.ended()

    assert {name: tally.statuses for name, tally in tallies.items()} == {
        "length": {"200": 4},
        "chunked": {"200": 4},
        "closing": {"503": 4},
        "empty": {"204": 4},
        "broken": {"broken": 4},
        "silent": {},
        "left": {"left": 4},
    }
    assert len(tallies["silent"].waiting) == 2


async def _answer_as_asked(request: web.Request) -> web.StreamResponse:
    match request.match_info["kind"]:
        case "length":
            return web.Response(body=b"x" * 1_000_000)
        case "closing":
            refused = web.Response(status=503, text="no")
            refused.force_close()
            return refused
        case "empty":
            return web.Response(status=204)
        case "silent":
            await asyncio.Event().wait()
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(20):
        await response.write(b"[0]" * 10_000)
    if request.match_info["kind"] == "broken":
        raise ConnectionError
    return response


@pytest.mark.parametrize("number", _OF_REPLICAS)
async def test_rows_of_replicas(number: int, tmp_path: Path) -> None:
    """Each row of `replicas` runs without Redis and, where there is one, with it, and fills its line of the table."""
    redis = redis_program.is_installed()
    found = await replicas.both(replicas.QUICK, tmp_path, number, redis=redis)

    assert (found.alone.fault, found.shared.fault) == ("", "")
    assert (found.alone.seen is None) == REPLICA_ROWS[number].redis_alone
    assert (found.shared.seen is not None) == redis
    assert replicas.line(found).count("|") == 7
    assert json.loads(json.dumps(asdict(found)))["number"] == number


@pytest.mark.parametrize(
    ("shared", "cell"),
    [
        (replicas.Found(Seen("10 of 10", met=True)), "| 10 of 10 |"),
        (replicas.Found(Seen("7 of 10", met=False)), "| **MISSED** 7 of 10 |"),
        (replicas.Found(fault="a traceback"), "| could not run |"),
        (replicas.Found(), "|  |"),
    ],
)
def test_column_with_redis(shared: replicas.Found, cell: str) -> None:
    """What misses its mark with Redis is marked, and without it is not."""
    found = replicas.Both(5, replicas.Found(Seen("0 of 10", met=False)), shared)

    title = "a customer made at A, then the list asked at B"
    assert replicas.line(found) == f"| 5 | {title} | all | 0 of 10 {cell} all |"


@pytest.mark.parametrize(("in_all", "reason"), [(SANDBOX, "global-rate"), (LIVE, "endpoint-rate")])
def test_limited_account(in_all: int, reason: str) -> None:
    """The double of `replicas` refuses what a second has too much of, says which limit that is, and then goes on."""
    now = [0.0]
    account = LimitedAccount(StripeAccount(payments=1, owners=1, latency=0), in_all, lambda: now[0])
    listed, created = Received("GET", "/v1/customers", b""), Received("POST", "/v1/customers", b"")

    allowed = [account.answer(listed) for _ in range(25)]
    now[0] = 0.9
    refused, elsewhere = account.answer(listed), account.answer(created)
    now[0] = 1.0
    again = account.answer(listed)

    assert {answer.status for answer in (*allowed, again)} == {200}
    assert (refused.status, refused.headers) == (429, f"Stripe-Rate-Limited-Reason: {reason}\r\n")
    assert elsewhere.status == (429 if in_all == SANDBOX else 200)
    assert (len(account.asked), len(account.refused)) == (28, 2 if in_all == SANDBOX else 1)


def test_worst_second() -> None:
    """The largest number of calls in one second is found wherever that second begins."""
    asked = [Asked(at, "GET", "/v1/customers") for at in (0.0, 0.9, 1.1, 1.5, 1.8, 2.2)]

    assert worst_second(asked) == 4
    assert worst_second([]) == 0


def test_account() -> None:
    """The double of `fair` gives a customer's payments in its list, and the same ones by their IDs."""
    account = StripeAccount(payments=30, owners=7, latency=0)

    own = account.answer(Received("GET", f"/v1/payment_intents?limit=100&customer={customer_id(3)}", b""))
    payments = json.loads(own.body)["data"]
    single = [account.answer(Received("GET", f"/v1/payment_intents/{one['id']}", b"")) for one in payments]

    assert len(payments) == 4
    assert {payment["customer"] for payment in payments} == {customer_id(3)}
    assert [json.loads(answer.body) for answer in single] == payments
    assert len(account.asked) == 5


async def listed(stripe: str, query: str) -> Any:  # noqa: ANN401 - a list object, in JSON
    return json.loads(await measures.get(f"{stripe}/v1/payment_intents?{query}"))
