"""The real process: its start, its end, and what it prints."""

import asyncio
import json
import signal
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.doubles import faults
from tests.doubles.directus import NO_LICENSE, DirectusDouble, User
from tests.doubles.faults import Stall
from tests.doubles.invariants import nothing_shows
from tests.doubles.process import Sidecar, is_listening, serving, started
from tests.doubles.running_app import CLERK, KEY, MEMBER, NOBODY, SERVICE_TOKEN, bearer, environment
from tests.doubles.stripe import StripeDouble, is_probe
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer

pytestmark = pytest.mark.process
PAYMENTS = "/stripe/payments"
CUSTOMERS = "/stripe/customers"
JSON = ("Content-Type", "application/json")
NEW = b'{"email": "ada@example.com"}'


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


async def create(sidecar: Sidecar, body: bytes) -> Answer:
    return await sidecar.call(CUSTOMERS, bearer(CLERK.token), JSON, method="POST", body=body)


def logged(sidecar: Sidecar, level: str) -> list[str]:
    lines = [json.loads(line) for line in sidecar.said().splitlines() if line.startswith("{")]
    return [line["message"] for line in lines if line["level"] == level]


async def is_deaf(port: int) -> bool:
    return not await is_listening(port)


async def test_no_secret_is_printed(
    directus: DirectusDouble, stripe: StripeDouble, output: Path, tmp_path: Path
) -> None:
    """S1: after a run at DEBUG through every outcome no log and no answer contains the key or a token."""
    unknown = User("unknown", "MARKED-unknown/+token")
    variables = environment(
        directus.url,
        stripe.url,
        LOG_LEVEL="DEBUG",
        STRIPE_WRITE_BACK="true",
        DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN,
        WRITE_BACK_TIMEOUT="0.2",
        PERMISSIONS_CACHE_TTL="0.001",
        PERMISSIONS_DENIED_TTL="0.001",
        PYTHONASYNCIODEBUG="1",
        PYTHONDEVMODE="1",
    )
    stripe.add_payments(150)
    async with (
        serving(output, **variables) as sidecar,
        serving(tmp_path / "without-directus", **{**variables, "DIRECTUS_TIMEOUT": "0.3"}) as without_directus,
        serving(tmp_path / "without-stripe", **{**variables, "STRIPE_TIMEOUT": "0.3"}) as without_stripe,
    ):
        answers = [await sidecar.call(PAYMENTS, bearer(user.token)) for user in (CLERK, MEMBER, NOBODY, unknown)]
        for token in (CLERK.token, NOBODY.token):
            cookie = ("Cookie", f"directus_session_token={token}")
            answers.append(await sidecar.call(PAYMENTS, cookie))
            answers.append(await sidecar.call(f"{PAYMENTS}?access_token={quote(token, safe='')}"))
            answers.append(await sidecar.call(f"{PAYMENTS}?access_token={quote(token, safe='')}", bearer(token)))
            answers.append(await sidecar.call(PAYMENTS, bearer(token), ("X-Bad\x01", "1")))
            answers.append(await sidecar.call(f"{PAYMENTS}?access_token={token}{'x' * 20_000}"))
        for fault in (faults.answer(500), faults.reset_mid_body, faults.hang, faults.half_json, faults.too_deep):
            directus.fail(fault)
            answers.append(await without_directus.call(PAYMENTS, bearer(CLERK.token)))
            directus.recover()
            stripe.fail(fault)
            answers.append(await without_stripe.call(PAYMENTS, bearer(CLERK.token)))
            stripe.recover()
        answers += [await create(sidecar, body) for body in (NEW, b'{"email": "MARKED', b'{"email": 1}')]
        directus.fail(faults.answer(500), when=lambda request: request.method == "PATCH")
        answers.append(await create(sidecar, NEW))
        stripe.key = "sk_test_another"
        answers.append(await sidecar.call(PAYMENTS, bearer(CLERK.token)))
        processes = (sidecar, without_directus, without_stripe)
        for process in processes:
            process.terminate()
        assert [await process.exit_code() for process in processes] == [0, 0, 0]
        printed = "".join(process.said() for process in processes)

    assert {200, 201, 400, 401, 503, 504} <= {answer.status for answer in answers}
    assert '"status":503' in printed
    secrets = {KEY, SERVICE_TOKEN, *(user.token for user in (CLERK, MEMBER, NOBODY, unknown))}
    nothing_shows(secrets, [printed, *(answer.raw.decode("latin-1") for answer in answers)])


async def test_every_line_is_json(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """A serving process prints one JSON object a line, and nothing else."""
    async with serving(output, **environment(directus.url, stripe.url)) as sidecar:
        await sidecar.call(PAYMENTS, bearer(CLERK.token))
        await sidecar.call(PAYMENTS)
        sidecar.terminate()
        assert await sidecar.exit_code() == 0

        lines = [json.loads(line) for line in sidecar.said().splitlines()]

    requests = [line for line in lines if line["message"] == "request"]
    assert [line["status"] for line in requests] == [200, 401]


BAD = {
    "DIRECTUS_URL": "cms.example.com/MARKED",
    "STRIPE_LIVE_SECRET_KEY": '"sk_live_MARKED"',
    "STRIPE_CUSTOMERS_COLLECTION": "customers/../MARKED",
    "STRIPE_CUSTOMER_ID_FIELD": "id,*MARKED",
    "DIRECTUS_SERVICE_TOKEN": "MARKED token",
    "STRIPE_WRITE_BACK": "MARKED",
    "STRIPE_API_VERSION": "MARKED",
    "SIDECAR_PORT": "99999",
    "SIDECAR_PREFIX": "stripe/",
    "PERMISSIONS_CACHE_TTL": "-1",
    "PERMISSIONS_CACHE_SIZE": "0",
    "TRUSTED_PROXIES": "10.0.0.0/33",
    "SESSION_COOKIE_NAME": "a=MARKED",
    "IP_CUSTOM_HEADER": "X Real IP",
    "DENIED_STATUS": "404",
    "DIRECTUS_TIMEOUT": "nan",
    "STRIPE_TIMEOUT": "soon",
    "LOG_LEVEL": "LOUD",
}


async def test_every_bad_setting_is_named(output: Path) -> None:
    """L5: invalid settings end the start with exit code 2, every fault named by its variable, and no value shown."""
    async with started(output, **BAD) as sidecar:
        code = await sidecar.exit_code()

    assert code == 2
    assert [name for name in BAD if f"{name}:" not in sidecar.said()] == []
    assert "MARKED" not in sidecar.said()
    assert "Traceback" not in sidecar.said()


async def test_missing_settings(output: Path, tmp_path: Path) -> None:
    """L5: missing settings, and a file that cannot be read, are all named at once."""
    async with started(output, STRIPE_LIVE_SECRET_KEY_FILE=str(tmp_path / "absent")) as sidecar:
        code = await sidecar.exit_code()

    assert code == 2
    for name in ("DIRECTUS_URL", "STRIPE_CUSTOMERS_COLLECTION", "STRIPE_LIVE_SECRET_KEY"):
        assert f"{name}:" in sidecar.said()


async def test_secrets_from_files(directus: DirectusDouble, stripe: StripeDouble, output: Path, tmp_path: Path) -> None:
    """L5: a variable can be given as NAME_FILE; the newline that an editor adds does no harm."""
    variables = environment(directus.url, stripe.url)
    key = tmp_path / "key"
    key.write_text(variables.pop("STRIPE_LIVE_SECRET_KEY") + "\n")
    async with serving(output, **variables, STRIPE_LIVE_SECRET_KEY_FILE=str(key)) as sidecar:
        answer = await sidecar.call(PAYMENTS, bearer(CLERK.token))

    assert answer.status == 200


async def test_port_that_is_taken(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """L5: an unusable address gives a message of one line, and exit code 1."""
    variables = {**environment(directus.url, stripe.url), "SIDECAR_PORT": str(stripe.port)}
    async with started(output, **variables) as sidecar:
        code = await sidecar.exit_code()

    assert code == 1
    assert str(stripe.port) in sidecar.said()
    assert "Traceback" not in sidecar.said()


async def test_starts_while_directus_is_down(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """L6: the process starts and answers 503 while Directus is down, and serves as soon as it is up."""
    await directus.refuse()
    async with serving(output, **environment(directus.url, stripe.url)) as sidecar:
        down = await sidecar.call(PAYMENTS, bearer(CLERK.token))
        health = [(await sidecar.call(path)).status for path in ("/healthz", "/readyz")]
        await directus.listen()
        up = await sidecar.call(PAYMENTS, bearer(CLERK.token))

    assert (down.status, down.code, health, up.status) == (503, "SERVICE_UNAVAILABLE", [200, 200], 200)


async def test_starts_while_stripe_is_down(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """L6: while Stripe is down the answer is 502 or 504; then it is the list."""
    await stripe.refuse()
    async with serving(output, **environment(directus.url, stripe.url)) as sidecar:
        down = await sidecar.call(PAYMENTS, bearer(CLERK.token))
        await stripe.listen()
        up = await sidecar.call(PAYMENTS, bearer(CLERK.token))

    assert down.status in {502, 504}
    assert up.status == 200


async def test_request_under_way_is_finished(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """L4: after SIGTERM no new connection is accepted, requests under way are answered in full, exit code 0."""
    stall = Stall()
    stripe.fail(stall, when=lambda request: not is_probe(request))
    customers = [str(stripe.add("customer", id=f"cus_{number}")["id"]) for number in range(5)]
    expected = [stripe.add_payments(150, customer=customer) for customer in customers]
    async with serving(output, **environment(directus.url, stripe.url, SHUTDOWN_TIMEOUT="600")) as sidecar:
        targets = [f"{PAYMENTS}/{customer}" for customer in customers]
        calls = asyncio.gather(*(sidecar.call(target, bearer(CLERK.token)) for target in targets))
        await eventually(lambda: stall.arrived == 5)

        sidecar.terminate()
        await eventually(lambda: is_deaf(sidecar.port))
        assert sidecar.process.returncode is None
        stall.release()
        answers = await calls

        assert await sidecar.exit_code() == 0
    assert expected == [[payment["id"] for payment in answer.json()] for answer in answers]


async def test_draining(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """L4: for SHUTDOWN_DELAY the process is not ready and still serves, on connections that it then closes."""
    async with serving(output, **{**environment(directus.url, stripe.url), "SHUTDOWN_DELAY": "60"}) as sidecar:
        sidecar.terminate()
        await eventually(lambda: is_unready(sidecar))
        payments = await sidecar.call(PAYMENTS, bearer(CLERK.token))

    assert (payments.status, payments.header("Connection")) == (200, "close")


async def test_end_of_draining(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """L4: after SHUTDOWN_DELAY, and no sooner, the process ends by itself."""
    async with serving(output, **{**environment(directus.url, stripe.url), "SHUTDOWN_DELAY": "0.5"}) as sidecar:
        began = time.monotonic()
        sidecar.terminate()
        assert await sidecar.exit_code() == 0

    assert time.monotonic() - began >= 0.5


async def test_keepalive(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """L1: KEEPALIVE_TIMEOUT ends a connection that waits for another request."""
    async with serving(output, **environment(directus.url, stripe.url, KEEPALIVE_TIMEOUT="0.1")) as sidecar:
        reader, writer = await asyncio.open_connection("127.0.0.1", sidecar.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" not in answer


async def is_unready(sidecar: Sidecar) -> bool:
    answer = await sidecar.call("/readyz")
    return (answer.status, answer.json()["status"]) == (503, "draining")


async def test_idle_and_silent_connections_do_not_delay_the_end(
    directus: DirectusDouble, stripe: StripeDouble, output: Path
) -> None:
    """L4: connections that are idle, silent or in the middle of their headers do not delay the end."""
    async with serving(output, **environment(directus.url, stripe.url, SHUTDOWN_TIMEOUT="600")) as sidecar:
        starts = [b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"]
        writers = []
        for start in starts:
            _, writer = await asyncio.open_connection("127.0.0.1", sidecar.port)
            writer.write(start)
            writers.append(writer)
        await sidecar.call("/healthz")

        sidecar.terminate()
        assert await sidecar.exit_code() == 0
        for writer in writers:
            writer.close()


async def test_request_that_does_not_finish(directus: DirectusDouble, stripe: StripeDouble, output: Path) -> None:
    """L4: requests that do not finish within SHUTDOWN_TIMEOUT are cut off, and the exit code is still 0."""
    stall = Stall()
    stripe.fail(stall, when=lambda request: not is_probe(request))
    async with serving(output, **environment(directus.url, stripe.url, SHUTDOWN_TIMEOUT="1.5")) as sidecar:
        call = asyncio.create_task(sidecar.call(PAYMENTS, bearer(CLERK.token)))
        await eventually(lambda: stall.arrived == 1)

        began = time.monotonic()
        sidecar.terminate()
        assert await sidecar.exit_code() == 0
        seconds = time.monotonic() - began
        answer = await call

    assert answer.status != 200 or not answer.whole
    assert seconds >= 1.5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_end_without_requests(
    directus: DirectusDouble, stripe: StripeDouble, output: Path, number: signal.Signals
) -> None:
    """L4: an idle process ends at once, with exit code 0."""
    async with serving(output, **environment(directus.url, stripe.url, SHUTDOWN_TIMEOUT="600")) as sidecar:
        sidecar.process.send_signal(number)

        assert await sidecar.exit_code() == 0
    assert "Traceback" not in sidecar.said()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("11.7.2", "this version of Directus is not supported: update it"),
        ("12.3.1", "Directus has no license: it gives nothing to callers with item rules or field lists"),
    ],
)
async def test_a_directus_that_lacks_something(
    directus: DirectusDouble, stripe: StripeDouble, output: Path, version: str, message: str
) -> None:
    """The service logs one line about an old version or a missing license, and serves."""
    directus.info["version"], directus.license = version, dict(NO_LICENSE if version.startswith("12") else {})
    variables = environment(directus.url, stripe.url, DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN)
    async with serving(output, **variables) as sidecar:
        await eventually(lambda: logged(sidecar, "warning") == [message])

        assert (await sidecar.call(PAYMENTS, bearer(CLERK.token))).status == 200
