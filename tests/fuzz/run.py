"""Sends requests in parts to the real process between the doubles, and judges all that happens."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from tests.doubles.directus import DirectusDouble
from tests.doubles.process import Sidecar, serving
from tests.doubles.running_app import KEY, environment
from tests.doubles.stripe import StripeDouble
from tests.fuzz import world
from tests.fuzz.answers import Unreadable
from tests.fuzz.client import Received, send
from tests.fuzz.exchanges import Got, faults
from tests.fuzz.findings import Findings
from tests.fuzz.generator import Sent
from tests.fuzz.reached import Reached, reached
from tests.fuzz.service_log import ServiceLog
from tests.fuzz.trouble import OF_DIRECTUS, OF_STRIPE, Witness
from tests.fuzz.upstreams import Upstreams

_PART = 500  # requests between two fresh states of the upstreams
_AT_ONCE = 24
_SLOW = 1.0  # seconds after which a request that waits, as for the rest of its body, makes room for others
_IN_TROUBLE = {"DIRECTUS_TIMEOUT": "0.5", "STRIPE_TIMEOUT": "2", "WRITE_BACK_TIMEOUT": "0.5"}
_CALM = {"DIRECTUS_TIMEOUT": "20", "STRIPE_TIMEOUT": "25", "WRITE_BACK_TIMEOUT": "10"}


@dataclass(slots=True)
class Run:
    """`statuses` counts the first answers; 0 is none. `trouble`: both upstreams fail now and then.

    `patience`: seconds after which every client leaves; None lets them wait for the end of the service's deadlines.
    """

    sidecar: Sidecar
    upstreams: Upstreams
    log: ServiceLog
    trouble: bool
    patience: float | None = None
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0
    reached: Reached = field(default_factory=dict)
    _waiting: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _ended: set[int] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    @property
    def findings(self) -> Findings:
        return self.upstreams.findings

    async def all(self, requests: Iterable[Sent]) -> None:
        """Send them, some at once, and judge what each got, what the process logs, and that it lives."""
        started = time.monotonic()
        for part in _parts(requests):
            world.furnish(self.upstreams.directus, self.upstreams.stripe)
            await asyncio.gather(*[self._one(sent) for sent in part])
            self.judge_log()
            self.upstreams.forget(self._ended)
            self._ended = {sent.number for sent in part} - self._waiting.keys()
        await asyncio.gather(*self._waiting.values())
        self.judge_log()
        self.judge_process()
        self.seconds += time.monotonic() - started
        self.reached = reached((await self.sidecar.call("/metrics")).body.decode())

    async def _one(self, sent: Sent) -> None:
        """Send a request; one that waits for long, such as for the rest of its body, makes room for others."""
        async with self._slots:
            self.upstreams.begin(sent)
            leaves = self.patience if sent.leaves is None else sent.leaves
            task = asyncio.create_task(send(self.sidecar.port, sent.data, leaves=leaves))
            await asyncio.wait([task], timeout=_SLOW)
        judging = self._judged(sent, task)
        if task.done():
            await judging
        else:
            self._waiting[sent.number] = asyncio.create_task(judging)

    async def _judged(self, sent: Sent, task: asyncio.Task[Received]) -> None:
        received, number = await task, sent.number
        asked, changed = self.upstreams.asked[number], self.upstreams.changed[number]
        self.judge(Got(sent, received, asked, changed))
        if self._waiting.pop(number, None) is not None:
            self._ended.add(number)

    def judge(self, got: Got) -> None:
        for rule, what in faults(got, trouble=self.trouble):
            self.findings.add(rule, what, got.sent)
        try:
            read = got.read
        except Unreadable:
            read = []
        self.statuses[read[0].status if read else 0] += 1

    def judge_log(self) -> None:
        for rule, what in self.log.faults():
            self.findings.add(rule, what)

    def judge_process(self) -> None:
        if (code := self.sidecar.process.returncode) is not None:
            self.findings.add("the process lives", f"it ended with {code}")


def _parts(requests: Iterable[Sent]) -> Iterator[list[Sent]]:
    left = iter(requests)
    while part := list(islice(left, _PART)):
        yield part


@asynccontextmanager
async def running(folder: Path, seed: int, *, trouble: bool = False) -> AsyncIterator[Run]:
    """Start the real process between two doubles; at its end it must stop properly."""
    async with DirectusDouble.running() as directus, StripeDouble.running() as stripe:
        stripe.key = KEY
        world.furnish(directus, stripe)
        upstreams = Upstreams(directus, stripe, Findings())
        variables = environment(
            directus.url, stripe.url, **world.settings(folder, **(_IN_TROUBLE if trouble else _CALM))
        )
        output = folder / f"sidecar-{'trouble' if trouble else 'calm'}.log"
        async with serving(output, **variables) as sidecar:
            _watch(upstreams, seed, trouble=trouble)
            run = Run(sidecar, upstreams, ServiceLog(output), trouble)
            yield run
            run.judge_process()
            sidecar.terminate()
            if code := await sidecar.exit_code():
                run.findings.add("the process lives", f"it ended with {code}")
            run.judge_log()


def _watch(upstreams: Upstreams, seed: int, *, trouble: bool) -> None:
    """Have each request to an upstream judged."""
    random = Random(f"{seed}/trouble")  # noqa: S311 - reproducible, not secret
    of_directus, of_stripe = (OF_DIRECTUS, OF_STRIPE) if trouble else ((), ())
    upstreams.directus.fail(Witness(upstreams.directus_asked, upstreams.directus_answered, random, of_directus))
    upstreams.stripe.fail(Witness(upstreams.stripe_asked, upstreams.stripe_answered, random, of_stripe))
