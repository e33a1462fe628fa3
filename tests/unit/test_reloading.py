"""New settings for the real process: what takes effect and what does not, without a request that is lost."""

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.doubles import faults
from tests.doubles.directus import DirectusDouble
from tests.doubles.faults import Stall
from tests.doubles.invariants import nothing_shows
from tests.doubles.process import Program, Sidecar, serving, serving_as, started
from tests.doubles.running_app import CLERK, KEY, SERVICE_TOKEN, bearer, environment
from tests.doubles.stripe import StripeDouble, is_probe
from tests.doubles.waiting import eventually

pytestmark = pytest.mark.process
WEBHOOK_SECRET = "whsec_MARKEDsecretOfTheEndpoint"
NEW_KEY = "sk_test_MARKEDsecondKey"
RETRIEVE, CATALOGUE = "[customers.retrieve]\n", '[products.list]\ncollection = "shop"\n'
DONE = "new settings are in effect"
KEPT = "the settings cannot be used, so those of before stay in effect"
SAME = "the settings were read again, and nothing else has changed"


@dataclass
class Reloadable:
    """A process whose key and operations are in files, which `folder` has as Kubernetes mounts them."""

    sidecar: Sidecar
    folder: Path

    def write(self, *, key: str | None = None, operations: str | None = None) -> None:
        """Change files as Kubernetes does: a link to a folder is replaced at once."""
        old = (self.folder / "..data").resolve()
        new = self.folder / f"..{len(list(self.folder.iterdir()))}"
        new.mkdir()
        (new / "key").write_text((old / "key").read_text() if key is None else key)
        (new / "operations").write_text((old / "operations").read_text() if operations is None else operations)
        (self.folder / "..new").symlink_to(new.name)
        (self.folder / "..new").replace(self.folder / "..data")

    def hang_up(self) -> None:
        self.sidecar.process.send_signal(signal.SIGHUP)

    def said(self, message: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.sidecar.said().splitlines() if line.startswith("{")]
        return [line for line in lines if line["message"] == message]

    async def reload(self, message: str = DONE) -> dict[str, Any]:
        """Send SIGHUP and give the line that says what came of it."""
        before = len(self.said(message))
        self.hang_up()
        await eventually(lambda: len(self.said(message)) > before)
        return self.said(message)[-1]

    async def outcome(self, target: str) -> tuple[int, str | None]:
        answer = await self.sidecar.call(target, bearer(CLERK.token))
        return answer.status, answer.code


@asynccontextmanager
async def reloadable(
    directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path, **settings: str
) -> AsyncIterator[Reloadable]:
    folder = tmp_path / "mounted"
    first = folder / "..first"
    first.mkdir(parents=True)
    (first / "key").write_text(KEY)
    (first / "operations").write_text(RETRIEVE)
    (folder / "..data").symlink_to("..first")
    for name in ("key", "operations"):
        (folder / name).symlink_to(f"..data/{name}")
    variables = environment(directus.url, stripe.url, STRIPE_OPERATIONS=str(folder / "operations"), **settings)
    del variables["STRIPE_LIVE_SECRET_KEY"]
    variables["STRIPE_LIVE_SECRET_KEY_FILE"] = str(folder / "key")
    async with serving(tmp_path / "output", **variables) as sidecar:
        yield Reloadable(sidecar, folder)
        shown = sidecar.said()
    nothing_shows({KEY, NEW_KEY, SERVICE_TOKEN, WEBHOOK_SECRET}, [shown])


@pytest.fixture
async def process(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> AsyncIterator[Reloadable]:
    async with reloadable(directus, stripe, tmp_path) as opened:
        yield opened


def keys_used(stripe: StripeDouble) -> set[str]:
    return {value.removeprefix("Bearer ") for request in stripe.requests for value in request.values("Authorization")}


async def test_operations(process: Reloadable) -> None:
    """After SIGHUP a new operation is on, one that was removed is off, and one log line names both."""
    assert await process.outcome("/stripe/customers/cus_1") != (404, "OPERATION_OFF")

    process.write(operations=CATALOGUE)
    line = await process.reload()

    assert await process.outcome("/stripe/products") == (401, "FORBIDDEN")
    assert await process.outcome("/stripe/customers/cus_1") == (404, "OPERATION_OFF")
    facts = {name: line[name] for name in ("level", "settings", "turned_on", "turned_off")}
    assert facts == {
        "level": "info",
        "settings": ["STRIPE_OPERATIONS"],
        "turned_on": ["products.list"],
        "turned_off": ["customers.retrieve"],
    }


async def test_a_mounted_file(process: Reloadable) -> None:
    """Without a signal the service notices that a mounted file has changed."""
    process.write(operations=CATALOGUE)

    await eventually(lambda: len(process.said(DONE)) == 1)

    assert await process.outcome("/stripe/products") == (401, "FORBIDDEN")


async def test_a_new_key(process: Reloadable, stripe: StripeDouble) -> None:
    """After a reload Stripe sees the new key alone, and the log names the setting without a value."""
    stripe.key, stripe.replaced = NEW_KEY, {KEY}
    process.write(key=f"{NEW_KEY}\n")

    line = await process.reload()
    stripe.requests.clear()

    assert (await process.outcome("/stripe/payments"))[0] == 200
    assert line["settings"] == ["STRIPE_LIVE_SECRET_KEY"]
    assert keys_used(stripe) == {NEW_KEY}


BAD = {
    "unknown operation": ({"operations": "[customers.retreive]\n"}, "STRIPE_OPERATIONS: [customers.retreive]:"),
    "not TOML": ({"operations": "[customers"}, "STRIPE_OPERATIONS: the file is not TOML"),
    "no key": ({"key": "MARKED"}, "STRIPE_LIVE_SECRET_KEY: must be a secret"),
    "a key that Stripe rejects": ({"key": NEW_KEY}, "STRIPE_LIVE_SECRET_KEY: Stripe rejects this key"),
}


@pytest.mark.parametrize(("files", "fault"), BAD.values(), ids=BAD)
async def test_a_bad_file(process: Reloadable, files: dict[str, str], fault: str) -> None:
    """What cannot be used is said with every fault, and the service goes on with what it had."""
    process.write(**files)

    line = await process.reload(KEPT)

    assert (await process.outcome("/stripe/payments"))[0] == 200
    assert await process.outcome("/stripe/products") == (404, "OPERATION_OFF")
    [said] = line["faults"]
    assert said.startswith(fault)
    assert "MARKED" not in process.sidecar.said()
    metrics = (await process.sidecar.call("/metrics")).body.decode()
    assert [f'sidecar_reloads_total{{result="{result}"}}' in metrics for result in ("done", "failed")] == [True] * 2
    assert 'sidecar_reloads_total{result="failed"} 1.0' in metrics


async def test_a_collection_that_directus_lacks(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """A rule on an unknown collection is refused as at the start."""
    async with reloadable(directus, stripe, tmp_path, DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN) as process:
        process.write(operations=CATALOGUE)

        line = await process.reload(KEPT)

        assert line["faults"] == [
            (
                "STRIPE_OPERATIONS: [products.list]: Directus shows no collection shop to the service token; "
                "create it, then run `provision`"
            )
        ]


async def test_the_same_again(process: Reloadable) -> None:
    """Where nothing has changed, nothing is replaced."""
    await process.reload(SAME)

    metrics = (await process.sidecar.call("/metrics")).body.decode()
    assert 'sidecar_reloads_total{result="unchanged"} 1.0' in metrics


async def test_what_needs_a_restart(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """A setting that only a restart changes is named, and the others take effect."""
    seconds = tmp_path / "seconds"
    seconds.write_text("10")
    status = tmp_path / "status"
    status.write_text("401")
    variables = {"SHUTDOWN_TIMEOUT_FILE": str(seconds), "DENIED_STATUS_FILE": str(status)}
    async with reloadable(directus, stripe, tmp_path, **variables) as process:
        seconds.write_text("11")
        status.write_text("403")
        process.write(operations=CATALOGUE)

        line = await process.reload()

        [warning] = process.said("these settings take effect when the service is restarted")
        assert (line["settings"], warning["settings"]) == (["DENIED_STATUS", "STRIPE_OPERATIONS"], ["SHUTDOWN_TIMEOUT"])
        assert await process.outcome("/stripe/products") == (403, "FORBIDDEN")


async def test_under_load(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """No request is lost or refused by five reloads, on kept connections and on new ones."""
    stripe.add_payments(120)
    stop = asyncio.Event()
    statuses: list[int] = []

    async def ask(session: aiohttp.ClientSession) -> None:
        while not stop.is_set():
            async with session.get("/stripe/payments", headers=dict([bearer(CLERK.token)])) as answer:
                statuses.append(answer.status)
                assert len(await answer.json()) == 120

    async with (
        reloadable(directus, stripe, tmp_path, STRIPE_MAX_RPS="10000", STRIPE_ACCOUNT_RPS="10000") as process,
        asking(process) as kept,
        asking(process, force_close=True) as new,
        asyncio.TaskGroup() as clients,
    ):
        for session in (kept, new) * 4:
            clients.create_task(ask(session))
        for number in range(5):
            process.write(operations=CATALOGUE if number % 2 == 0 else RETRIEVE)
            before = len(statuses)
            await process.reload()
            await eventually(lambda before=before: len(statuses) > before + 16)  # type: ignore[misc]
        stop.set()

    assert set(statuses) == {200}


@asynccontextmanager
async def asking(process: Reloadable, *, force_close: bool = False) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(force_close=force_close)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{process.sidecar.port}", connector=connector) as session:
        yield session


async def test_a_change_under_way(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """What a request of before the reload changes at Stripe is seen at once by those of after it."""
    reads = {
        "STRIPE_READ_CACHE": "60",
        "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    async with reloadable(directus, stripe, tmp_path, **reads) as process:
        stall = Stall()
        stripe.fail(stall, when=lambda request: request.method == "POST")
        body = b'{"email": "ada@example.com"}'
        json_type = ("Content-Type", "application/json")
        creating = asyncio.create_task(
            process.sidecar.call("/stripe/customers", bearer(CLERK.token), json_type, method="POST", body=body)
        )
        await eventually(lambda: stall.arrived == 1)
        process.write(operations="")
        await process.reload()
        pages = [await process.sidecar.call("/stripe/customers?limit=1", bearer(CLERK.token)) for _ in range(2)]
        stall.release()
        created = await creating
        after = await process.sidecar.call("/stripe/customers?limit=1", bearer(CLERK.token))

    assert [(page.json()["data"], page.header("Age") is None) for page in pages] == [([], True), ([], False)]
    assert (created.status, after.json()["data"][0]["id"]) == (201, created.json()["id"])


async def test_a_request_under_way(process: Reloadable, stripe: StripeDouble) -> None:
    """A request that arrived before a reload ends with the settings of then, and after it nothing uses the old key."""
    stripe.key, stripe.replaced = NEW_KEY, {KEY}
    expected = stripe.add_payments(150)
    stall = Stall()
    stripe.fail(stall, when=lambda request: not is_probe(request), times=1)
    call = asyncio.create_task(process.sidecar.call("/stripe/payments", bearer(CLERK.token)))
    await eventually(lambda: stall.arrived == 1)

    process.write(key=NEW_KEY)
    await process.reload()
    during = await process.outcome("/stripe/payments?limit=1")
    stall.release()
    answer = await call

    assert during[0] == 200
    assert [payment["id"] for payment in answer.json()] == expected


async def test_many_signals(process: Reloadable) -> None:
    """Signals that come while settings are read are one reload more, and the last content is in effect."""
    for number in range(20):
        process.write(operations=CATALOGUE if number % 2 == 0 else RETRIEVE)
        process.hang_up()
    process.write(operations=CATALOGUE)
    process.hang_up()

    async def is_on() -> bool:
        return await process.outcome("/stripe/products") == (401, "FORBIDDEN")

    await eventually(is_on)


async def test_the_end_during_a_reload(process: Reloadable, stripe: StripeDouble) -> None:
    """SIGTERM while a new key is tried ends the process as ever, with exit code 0."""
    stall = Stall()
    stripe.fail(stall, when=is_probe)
    process.write(key=NEW_KEY)
    process.hang_up()
    await eventually(lambda: stall.arrived == 1)

    process.sidecar.terminate()

    assert await process.sidecar.exit_code() == 0
    assert "Traceback" not in process.sidecar.said()


async def test_a_signal_before_the_start_is_over(
    directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """SIGHUP while the service still looks at Directus does not end it; the settings are read again afterwards."""
    directus.fail(faults.hang, when=lambda _: True)
    variables = environment(directus.url, stripe.url, DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN, DIRECTUS_TIMEOUT="0.5")
    async with started(tmp_path / "output", **variables) as sidecar:
        await eventually(lambda: len(directus.requests) > 0)
        sidecar.process.send_signal(signal.SIGHUP)

        await eventually(lambda: SAME in sidecar.said())

        sidecar.terminate()
        assert await sidecar.exit_code() == 0


@pytest.mark.parametrize("closed", [True, False])
async def test_the_signal_of_a_terminal(
    *, closed: bool, directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """A terminal that is closed ends the service, as ever; a SIGHUP while it is there reads the settings again."""
    terminal, its_end = pty.openpty()
    variables = environment(directus.url, stripe.url)
    on_it = Program(("sh", "-c", f'exec "$0" -m sidecar < {os.ttyname(its_end)}', sys.executable))
    async with serving_as(on_it, tmp_path / "output", **variables) as sidecar:
        os.close(its_end)
        if closed:
            os.close(terminal)
        sidecar.process.send_signal(signal.SIGHUP)

        if closed:
            assert await sidecar.exit_code() == 0
        else:
            await eventually(lambda: SAME in sidecar.said())
            os.close(terminal)


async def test_a_file_that_changes_during_the_start(
    directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """A file that changes between the start's reading and the first look at it is noticed without a signal."""
    directus.fail(faults.hang, when=lambda _: True)
    operations = tmp_path / "operations"
    operations.write_text(RETRIEVE)
    variables = environment(directus.url, stripe.url, DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN, DIRECTUS_TIMEOUT="0.5")
    async with started(tmp_path / "output", **{**variables, "STRIPE_OPERATIONS": str(operations)}) as sidecar:
        await eventually(lambda: len(directus.requests) > 0)
        operations.write_text(f"{RETRIEVE}[customers.update]\n")

        await eventually(lambda: DONE in sidecar.said())

        sidecar.terminate()
        assert await sidecar.exit_code() == 0
