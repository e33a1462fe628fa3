"""`python -m tests.soak.main MINUTES`: mixed load, random faults, and checks of every answer. Prints figures.

The exit code is 1 unless: every verdict was true at some moment within the cache's lifetime; no list that parses is
short; no answer is a 500; no exception is in the log; memory and descriptors stay flat.
"""

import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles.directus import DirectusDouble, User
from tests.doubles.process import Sidecar, serving
from tests.doubles.running_app import KEY, bearer, environment
from tests.doubles.stripe import StripeDouble
from tests.doubles.wire import Answer, request_bytes
from tests.soak.trouble import changes, outages, trouble
from tests.soak.truth import History

TTL, DENIED_TTL, LOOKUP = 2.0, 0.5, 0.7
CALLERS, USERS, PAYMENTS = 12, 24, 450
_EXPECTED = {200, 201, 401, 429, 502, 503, 504}
_JSON = ("Content-Type", "application/json")
_LEAST = 20.0  # megabytes of growth that are noise


@dataclass(slots=True)
class Figures:
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    broken: int = 0
    left: int = 0


async def caller(sidecar: Sidecar, histories: list[History], figures: Figures, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible, no secret
    while True:
        history = chance.choice(histories)
        kind = chance.choices(("page", "list", "create", "leave"), (6, 2, 2, 1))[0]
        if kind == "leave":
            await leave(sidecar, history, chance.uniform(0, 0.05))
            figures.left += 1
            continue
        begun = time.monotonic()
        try:
            answer = await call(sidecar, history, kind)
        except OSError as error:
            figures.wrong.append(f"{kind}: {error!r}")
            continue
        judge(kind, answer, history, begun, figures)


async def call(sidecar: Sidecar, history: History, kind: str) -> Answer:
    token = bearer(history.user.token)
    if kind == "create":
        body = b'{"email": "ada@example.com"}'
        return await sidecar.call("/stripe/customers", token, _JSON, method="POST", body=body)
    return await sidecar.call("/stripe/payments" + ("?limit=5" if kind == "page" else ""), token)


async def leave(sidecar: Sidecar, history: History, after: float) -> None:
    """Ask for a list and close the connection early."""
    _, writer = await asyncio.open_connection("127.0.0.1", sidecar.port)
    writer.write(request_bytes("GET", "/stripe/payments", [bearer(history.user.token)], None))
    await asyncio.sleep(after)
    writer.transport.abort()


def judge(kind: str, answer: Answer, history: History, begun: float, figures: Figures) -> None:
    figures.statuses[answer.status] += 1
    now = time.monotonic()
    allowed = answer.status in {200, 201}
    since = begun - ((TTL if allowed else DENIED_TTL) + LOOKUP)
    if answer.status not in _EXPECTED:
        figures.wrong.append(f"{kind}: status {answer.status}: {answer.body[:200]!r}")
    if answer.status in {200, 201, 401} and not history.may_have_been(allowed=allowed, begun=since, ended=now):
        figures.wrong.append(f"{kind}: {answer.status} for {history.user.name}, {history.changes[-5:]}, asked {begun}")
    if allowed and not answer.whole:
        figures.broken += 1
    elif answer.status == 200 and kind == "list" and len(answer.json()) != PAYMENTS:
        figures.wrong.append(f"a list of {len(answer.json())} that looks whole")


async def watch(process: int, figures: Figures) -> None:
    while True:
        await asyncio.sleep(1)
        status = Path(f"/proc/{process}/status").read_text()  # noqa: ASYNC240 - in memory
        figures.memory.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)
        figures.descriptors.append(len(os.listdir(f"/proc/{process}/fd")))  # noqa: PTH208 - in memory


@asynccontextmanager
async def in_background(*coroutines: object) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]  # type: ignore[call-overload]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def soak(minutes: float, folder: Path) -> int:
    figures, seed = Figures(), random.randrange(10**6)  # noqa: S311 - reproducible, no secret
    async with DirectusDouble.running() as directus, StripeDouble.running() as stripe:
        stripe.key = KEY
        stripe.add_payments(PAYMENTS)
        histories = [History(User(f"user-{n}", f"token-{n}-{'x' * 20}")) for n in range(USERS)]
        directus.add_users(history.user for history in histories)
        for history in histories:
            history.change("allowed")
        async with serving(folder / "output", **_settings(directus, stripe)) as sidecar:
            upstreams = (directus, stripe)
            async with in_background(
                watch(sidecar.process.pid, figures),
                changes(histories, seed=seed),
                *(make(double, seed=seed + n) for n, double in enumerate(upstreams) for make in (trouble, outages)),
                *(caller(sidecar, histories, figures, seed + n) for n in range(CALLERS)),
            ):
                await asyncio.sleep(minutes * 60)
            await asyncio.sleep(3)  # so that closed connections are noticed
            last = len(os.listdir(f"/proc/{sidecar.process.pid}/fd"))  # noqa: PTH208 - in memory
            sidecar.terminate()
            code = await sidecar.exit_code(within=25)
        said = sidecar.said()
    return report(figures, seed, said, code, last)


def _settings(directus: DirectusDouble, stripe: StripeDouble) -> dict[str, str]:
    return environment(
        directus.url,
        stripe.url,
        PERMISSIONS_CACHE_TTL=str(TTL),
        PERMISSIONS_DENIED_TTL=str(DENIED_TTL),
        DIRECTUS_TIMEOUT=str(LOOKUP - 0.2),
        STRIPE_TIMEOUT="2",
        STRIPE_MAX_RPS="1000",
        SHUTDOWN_DELAY="0",
        LOG_LEVEL="WARNING",
    )


def report(figures: Figures, seed: int, said: str, code: int, last: int) -> int:
    third = max(1, len(figures.memory) // 3)
    early, late = (sorted(part)[len(part) // 2] for part in (figures.memory[:third], figures.memory[-third:]))
    faults = list(dict.fromkeys(figures.wrong))
    if '"exception"' in said or "Traceback" in said:
        faults.append("an exception in the log: " + said[said.find("Traceback") :][:2000])
    if late > early * 1.15 + _LEAST:
        faults.append("memory grows")
    if code != 0:
        faults.append(f"exit code {code}")
    print(f"seed {seed}; {sum(figures.statuses.values())} answers: {dict(sorted(figures.statuses.items()))}")
    print(f"{figures.broken} lists broken off visibly, {figures.left} clients that left, {len(figures.wrong)} wrong")
    print(f"memory: {early:.0f} MB in the first third, {late:.0f} MB in the last, {max(figures.memory):.0f} MB at most")
    print(f"descriptors: {max(figures.descriptors)} at most, {last} at the end; exit code {code}")
    print(*(f"FAULT {fault}" for fault in faults[:20]), sep="\n")
    return int(bool(faults))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary, contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(soak(float(sys.argv[1]), Path(temporary))))
