"""One application takes over from another while the server goes on."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from sidecar.app import create_app
from sidecar.settings import Settings
from sidecar.web import keys
from tests.doubles.faults import Stall
from tests.doubles.running_app import CLERK, RunningApp, bearer, environment
from tests.doubles.stripe import is_probe
from tests.doubles.waiting import eventually
from tests.doubles.wire import request_bytes


def another(app: RunningApp) -> web.Application:
    variables = environment(app.directus.url, app.stripe.url, STRIPE_OPERATIONS="")
    return create_app(Settings.model_validate({name.lower(): value for name, value in variables.items() if value}))


async def accept(_app: web.Application) -> None:
    pass


async def test_a_kept_connection_goes_on(app: RunningApp) -> None:
    """The next request on a connection is answered by the next application, and nothing of the former one stays."""
    former, client = weakref.ref(app.runner.app), weakref.ref(app.runner.app[keys.STRIPE])
    sent = request_bytes("GET", "/stripe/customers/cus_1", [bearer(CLERK.token)], None).replace(b"close", b"keep-alive")
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)

    async def ask() -> bytes:
        writer.write(sent)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        return await reader.readexactly(length)

    before = await ask()
    await app.runner.replace(another(app), accept)
    await eventually(lambda: former() is None and client() is None)
    after = await ask()
    writer.close()

    assert (b"resource_missing" in before, b"OPERATION_OFF" in after) == (True, True)


async def test_a_request_keeps_its_application(app: RunningApp) -> None:
    """The former application ends after its last request, and not before."""
    former = weakref.ref(app.runner.app)
    expected = app.stripe.add_payments(150)
    stall = Stall()
    app.stripe.fail(stall, when=lambda request: not is_probe(request), times=1)
    call = app.start(CLERK)
    await eventually(lambda: stall.arrived == 1)

    await app.runner.replace(another(app), accept)
    others = await app.call(CLERK, "/stripe/payments?limit=1")
    gc.collect()
    kept = former() is not None
    stall.release()
    answer = await call

    assert ([payment["id"] for payment in answer.json()], others.status, kept) == (expected, 200, True)
    await eventually(lambda: former() is None)


@pytest.mark.parametrize("fails", ["start", "judge"])
async def test_what_cannot_take_over(app: RunningApp, fails: str) -> None:
    """An application that does not start, or is not accepted, is ended, and the former one goes on."""
    former, successor = app.runner.app, another(app)
    ended: list[str] = []

    async def note(_app: web.Application) -> AsyncIterator[None]:
        yield
        ended.append("ended")

    async def fail(_app: web.Application) -> None:
        raise RuntimeError(fails)

    successor.cleanup_ctx.append(note)
    if fails == "start":
        successor.on_startup.append(fail)

    with pytest.raises(RuntimeError, match=fails):
        await app.runner.replace(successor, fail)

    assert (app.runner.app is former, ended) == (True, ["ended"])
    assert (await app.call(CLERK)).status == 200
