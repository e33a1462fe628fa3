"""Events: each handled once, one at a time for each customer, forgotten in time, and counted with their outcome."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest

from sidecar.clients.stripe.event_listener import EventListener
from sidecar.clients.stripe.event_turns import EventTurns
from sidecar.clients.stripe.events import StripeWebhooks
from sidecar.clients.stripe.signature import Signatures
from sidecar.core.flows.events import DELETED, FOLLOWED, PING, UPDATED, Event, object_named
from sidecar.core.flows.follow_customer import Change
from sidecar.errors import CredentialRefused, DirectusUnavailable, EventFailed, InvalidPayload, SidecarError
from sidecar.metrics import Metrics
from tests.doubles.events import OTHER_SECRET, SECRET, event, ping, signature, thin

DOWN = DirectusUnavailable("down")
BEGAN = 1_700_000_000  # when these tests begin, in Unix time


@dataclass
class Items:
    """Records the work: `followed` are the customers in order, `at_once` the most runs at once for one of them."""

    error: Exception | None = None
    hold: asyncio.Event | None = None
    deaf: asyncio.Event | None = None  # until it is set, lists are not forgotten
    followed: list[str] = field(default_factory=list)
    working: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    time: float = 0.0
    lists: int = 0
    others: Sequence[EventListener] = ()
    metrics: Metrics = field(default_factory=Metrics)

    def webhooks(
        self, *, livemode: bool = False, own_account: str | None = None, turns: EventTurns | None = None
    ) -> StripeWebhooks:
        following = EventListener(
            FOLLOWED, self.customer, self.follow, covering=True, turns=turns, timer=lambda: self.time
        )
        return StripeWebhooks(
            Signatures([SECRET], lambda: BEGAN + self.time),
            [following, *self.others],
            self.forget,
            livemode=livemode,
            own_account=own_account,
            metrics=self.metrics,
            timer=lambda: self.time,
        )

    async def customer(self, event: Event) -> str | None:
        return event.customer

    async def forget(self) -> None:
        if self.deaf is not None:
            await self.deaf.wait()
        self.lists += 1

    async def follow(self, _event: Event, customer_id: str) -> AsyncIterator[Change]:
        self.followed.append(customer_id)
        self.working[customer_id] += 1
        self.at_once = max(self.at_once, *self.working.values())
        try:
            await (self.hold.wait() if self.hold else asyncio.sleep(0))
            if self.error is not None:
                raise self.error
            yield Change(7, ("name", "mail"))
        finally:
            self.working[customer_id] -= 1

    @property
    def counted(self) -> dict[tuple[str, str], float]:
        """Give the counts by event type and outcome, without zeros."""
        lines = [line for line in self.metrics.exposition().decode().splitlines() if "sidecar_webhooks_total{" in line]
        found = {tuple(line.split('"')[3::-2]): float(line.rpartition(" ")[2]) for line in lines}
        return {(kind, result): times for (kind, result), times in found.items() if times}


async def send(webhooks: StripeWebhooks, body: bytes, *, secret: str = SECRET, at: float = 0) -> None:
    """Send a delivery that was signed `at` so many seconds after the tests began."""
    await webhooks.handle(webhooks.verify(body, [signature(body, secret=secret, at=BEGAN + int(at))]))


@pytest.mark.parametrize("kind", [UPDATED, DELETED])
async def test_dealt_with(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The event's customer is followed, lists begun before can no longer be joined, each change is an audit line."""
    items = Items()
    body = event(kind, "cus_1", id="evt_7")

    with caplog.at_level(logging.INFO, "sidecar.audit"):
        await send(items.webhooks(), body)

    assert (items.followed, items.lists, items.counted) == (["cus_1"], 1, {(kind, "done"): 1})
    [line] = caplog.records
    facts = {name: vars(line)[name] for name in ("item", "fields", "object", "event", "operation")}
    assert facts == {"item": 7, "fields": ["name", "mail"], "object": "cus_1", "event": "evt_7", "operation": kind}


async def test_a_duplicate_costs_nothing() -> None:
    """A replayed delivery that was handled is acknowledged again and does nothing else."""
    items = Items()
    webhooks, body = items.webhooks(), event(UPDATED, "cus_1")

    for _ in range(3):
        await send(webhooks, body)

    assert (items.followed, items.lists) == (["cus_1"], 1)
    assert items.counted == {(UPDATED, "done"): 1, (UPDATED, "duplicate"): 2}


async def test_a_replay_of_a_type_that_is_not_followed() -> None:
    """A replayed delivery does nothing whatever its type: else whoever overheard one ends all sharing of lists."""
    items = Items()
    webhooks, bodies = items.webhooks(), [event("invoice.paid", {"id": "in_1", "object": "invoice"}) for _ in range(2)]

    for body in bodies * 50:
        await send(webhooks, body)

    assert items.lists == 2
    assert items.counted == {("other", "ignored"): 2, ("other", "duplicate"): 98}


async def test_duplicates_at_once() -> None:
    """Of several copies of an event at once one is handled, and none is acknowledged before that is done."""
    items = Items(hold=asyncio.Event())
    webhooks, body = items.webhooks(), event(UPDATED, "cus_1")
    sent = [asyncio.create_task(send(webhooks, body)) for _ in range(5)]
    await asyncio.sleep(0)

    acknowledged = [task.done() for task in sent]
    assert items.hold is not None
    items.hold.set()
    await asyncio.gather(*sent)

    assert acknowledged == [False] * 5
    assert items.followed == ["cus_1"]
    assert items.counted == {(UPDATED, "done"): 1, (UPDATED, "duplicate"): 4}


async def test_one_at_a_time_for_each_customer() -> None:
    """One run at a time for a customer, which those that wait share; events of another customer do not wait for it."""
    items = Items(hold=asyncio.Event())
    webhooks = items.webhooks()
    bodies = [event(UPDATED, customer) for customer in ("cus_1", "cus_1", "cus_1", "cus_2")]
    sent = [asyncio.create_task(send(webhooks, body)) for body in bodies]
    for _ in range(5):
        await asyncio.sleep(0)

    begun = sorted(items.followed)
    assert items.hold is not None
    items.hold.set()
    await asyncio.gather(*sent)

    assert begun == ["cus_1", "cus_2"]
    assert (sorted(items.followed), items.at_once) == (["cus_1"] * 2 + ["cus_2"], 1)
    assert items.counted == {(UPDATED, "done"): 4}


async def test_a_duplicate_covers_nobody() -> None:
    """An event that comes during another's run is followed itself, also after a copy of the other was acknowledged."""
    items = Items(hold=asyncio.Event())
    webhooks, body = items.webhooks(), event(UPDATED, "cus_1")
    sent = [asyncio.create_task(send(webhooks, each)) for each in (body, body, event(UPDATED, "cus_1"))]
    await asyncio.sleep(0)

    assert items.hold is not None
    items.hold.set()
    await asyncio.gather(*sent)

    assert items.followed == ["cus_1"] * 2
    assert items.counted == {(UPDATED, "done"): 2, (UPDATED, "duplicate"): 1}


async def test_an_event_that_finds_no_turn() -> None:
    """An event beyond the line is one that Stripe has to send again, and counts as failed."""
    items = Items(hold=asyncio.Event())
    webhooks = items.webhooks(turns=EventTurns(at_once=1, waiting=0))
    working = asyncio.create_task(send(webhooks, event(UPDATED, "cus_1")))
    await asyncio.sleep(0)

    with pytest.raises(EventFailed):
        await send(webhooks, event(UPDATED, "cus_2"))
    assert items.hold is not None
    items.hold.set()
    await working

    assert items.counted == {(UPDATED, "failed"): 1, (UPDATED, "done"): 1}


async def test_sent_again_by_hand() -> None:
    """An event that was handled and is signed anew is handled again, at once: its answer was lost, or it was resent."""
    items = Items()
    webhooks, body = items.webhooks(), event(UPDATED, "cus_1")

    for items.time in (0.0, 1.0, 2.0):
        await send(webhooks, body, at=items.time)

    assert (items.followed, items.lists) == (["cus_1"] * 3, 3)
    assert items.counted == {(UPDATED, "done"): 3}


@pytest.mark.parametrize("ahead", [0, 300])
async def test_a_replay_is_known_for_as_long_as_its_signature_counts(ahead: int) -> None:
    """A delivery is not handled again until its signature is too old, also where Stripe's clock is ahead of ours."""
    items = Items()
    webhooks, body = items.webhooks(), event(UPDATED, "cus_1")

    for items.time in (0.0, 299.0 + ahead, 300.0 + ahead):
        await send(webhooks, body, at=ahead)
    items.time = 301.0 + ahead
    with pytest.raises(InvalidPayload):
        await send(webhooks, body, at=ahead)

    assert items.followed == ["cus_1"]


async def test_a_replay_with_another_header(caplog: pytest.LogCaptureFixture) -> None:
    """What is not signed in the header, such as signatures of other schemes, makes a replay no new delivery."""
    items = Items()
    webhooks, body = items.webhooks(), event(UPDATED, "cus_1")
    signed = signature(body, at=BEGAN)

    for header in (signed, f"{signed},v0=1", f"v1=0,{signed}", ",".join(reversed(signed.split(",")))):
        await webhooks.handle(webhooks.verify(body, [header]))

    assert (items.followed, caplog.records) == (["cus_1"], [])


@pytest.mark.parametrize(
    ("headers", "reason", "detail"),
    [
        ([], "header", "there are 0 headers"),
        ([signature(b"{}", at=BEGAN)] * 2, "header", "there are 2 headers"),
        (["v1=00"], "header", "no readable time"),
        ([f"t={BEGAN},v0=00"], "header", "scheme v1"),
        ([signature(b"{}", at=BEGAN - 412)], "time", "412 s ago"),
        ([signature(b"{}", at=BEGAN + 3600)], "time", "3600 s ahead of this clock"),
        ([signature(b"{}", at=BEGAN, secret=OTHER_SECRET)], "signature", "STRIPE_WEBHOOK_SECRET"),
        ([signature(b"{}", at=BEGAN)], "body", "not an event"),
    ],
)
async def test_the_log_says_why(headers: list[str], reason: str, detail: str, caplog: pytest.LogCaptureFixture) -> None:
    """S3: the log tells three reasons apart, and a signed body that is no event; the sender learns none of them."""
    with pytest.raises(InvalidPayload) as refused:
        Items().webhooks().verify(b"{}", headers)

    [record] = caplog.records
    assert (vars(record)["reason"], detail in vars(record)["detail"]) == (reason, True)
    unsigned = "This body has no valid signature."
    assert (refused.value.message == unsigned, refused.value.extensions) == (reason != "body", {})
    assert SECRET not in str(vars(record))


async def test_memory_is_bounded() -> None:
    """At most ten thousand deliveries are remembered, and nothing about their customers."""
    items = Items()
    webhooks = items.webhooks()

    for number in (*range(10_100), 10_099, 0):
        await send(webhooks, event(UPDATED, f"cus_{number}", id=f"evt_{number}"))

    assert items.counted == {(UPDATED, "done"): 10_101, (UPDATED, "duplicate"): 1}


@pytest.mark.parametrize(
    "error", [DOWN, CredentialRefused("INVALID_CREDENTIALS")], ids=lambda error: type(error).__name__
)
async def test_a_failure_is_stripes_to_repeat(error: SidecarError, caplog: pytest.LogCaptureFixture) -> None:
    """A failed event is answered so that Stripe sends it again, for any reason, and then it is handled."""
    items = Items(error=error)
    webhooks, body = items.webhooks(), event(DELETED, "cus_1", id="evt_7")

    with pytest.raises(EventFailed) as failed:
        await send(webhooks, body)
    items.error = None
    await send(webhooks, body)

    assert failed.value.status == 503
    assert items.counted == {(DELETED, "failed"): 1, (DELETED, "done"): 1}
    [line] = [record for record in caplog.records if record.levelno == logging.ERROR]
    facts = {name: vars(line)[name] for name in ("event", "type", "customer", "code", "detail")}
    assert facts == {
        "event": "evt_7",
        "type": DELETED,
        "customer": "cus_1",
        "code": error.code,
        "detail": error.detail,
    }


async def test_a_fault_of_our_own_is_a_failure_too() -> None:
    """An event with an unexpected error does not count as handled either."""
    items = Items(error=RuntimeError("a fault"))
    webhooks, body = items.webhooks(), event(UPDATED, "cus_1")

    with pytest.raises(RuntimeError):
        await send(webhooks, body)
    items.error = None
    await send(webhooks, body)

    assert items.counted == {(UPDATED, "failed"): 1, (UPDATED, "done"): 1}


async def test_several_listen_for_one_type() -> None:
    """Those that listen for one type hear an event in order; what one has done is not done again by a replay."""
    heard: list[str] = []
    errors = [DOWN]

    async def also(_: Event, subject: str) -> AsyncIterator[Change]:
        heard.append(subject)
        if errors:
            raise errors.pop()
        yield Change(None, (), "flow started")

    items = Items()
    items.others = [EventListener([UPDATED, "invoice.paid"], object_named, also, covering=False)]
    webhooks, body = items.webhooks(), event(UPDATED, "cus_1")

    with pytest.raises(EventFailed):
        await send(webhooks, body)
    await send(webhooks, body)
    await send(webhooks, body)
    await send(webhooks, event("invoice.paid", {"id": "in_1", "object": "invoice"}))

    assert (items.followed, heard) == (["cus_1"], ["cus_1", "cus_1", "in_1"])
    assert items.counted == {
        (UPDATED, "failed"): 1,
        (UPDATED, "done"): 1,
        (UPDATED, "duplicate"): 1,
        ("invoice.paid", "done"): 1,
    }


@pytest.mark.parametrize("kind", ["customer.created", "payment_intent.succeeded", "invoice.paid", "no.such.type"])
async def test_other_types(kind: str) -> None:
    """An event about an object that is not followed is acknowledged; the object may be in a list."""
    items = Items()

    await send(items.webhooks(), event(kind, {"id": "x_1", "object": "x"}))

    assert (items.followed, items.lists, items.counted) == ([], 1, {("other", "ignored"): 1})


@pytest.mark.parametrize("kind", [UPDATED, DELETED])
async def test_thin_events(kind: str) -> None:
    """A thin event asks for the same as its snapshot, and counts under the same type."""
    items = Items()

    await send(items.webhooks(), thin(kind, "cus_1"))

    assert (items.followed, items.lists, items.counted) == (["cus_1"], 1, {(kind, "done"): 1})


async def test_a_ping() -> None:
    """A ping is acknowledged and counted, whatever it is about, and changes nothing."""
    items = Items()
    webhooks = items.webhooks()

    for body in (ping(), ping(livemode=True), ping(context="acct_1")):
        await send(webhooks, body)

    assert (items.followed, items.lists, items.counted) == ([], 0, {(PING, "done"): 3})


async def test_a_ping_needs_a_signature() -> None:
    """A ping that Stripe did not sign is refused like any event."""
    items = Items()

    with pytest.raises(InvalidPayload):
        await send(items.webhooks(), ping(), secret=OTHER_SECRET)

    assert items.counted == {("other", "refused"): 1}


@pytest.mark.parametrize(("kind", "about"), [(UPDATED, "cus_1"), ("invoice.paid", {"id": "in_1"})])
async def test_lists_are_forgotten_before_the_answer(kind: str, about: dict[str, object] | str) -> None:
    """An event, and each copy of it, is acknowledged once nobody can join a list from before it any more."""
    items = Items(deaf=asyncio.Event())
    webhooks, body = items.webhooks(), event(kind, about)
    sent = [asyncio.create_task(send(webhooks, body)) for _ in range(3)]
    await asyncio.sleep(0)

    acknowledged = [task.done() for task in sent]
    assert items.deaf is not None
    items.deaf.set()
    await asyncio.gather(*sent)

    assert acknowledged == [False] * 3


@pytest.mark.parametrize("make", [event, thin])
@pytest.mark.parametrize("attributes", [{"livemode": True}, {"account": "acct_1"}, {"context": "acct_1"}])
async def test_events_of_others(
    make: Callable[..., bytes], attributes: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """Events of the other mode and of connected accounts are acknowledged with a log line, and change nothing."""
    items = Items()

    with caplog.at_level(logging.INFO):
        await send(items.webhooks(), make(DELETED, "cus_1", **attributes))

    assert (items.followed, items.lists, items.counted) == ([], 0, {(DELETED, "ignored"): 1})
    assert [record.message for record in caplog.records] == ["an event was ignored"]


@pytest.mark.parametrize("name", ["account", "context"])
async def test_the_account_that_is_asked(name: str) -> None:
    """Where Stripe is asked about a connected account, its events are ours, and those of the key's own are not."""
    items = Items()
    webhooks = items.webhooks(own_account="acct_1")

    for number, attributes in enumerate([{name: "acct_1"}, {name: "acct_2"}, {}]):
        await send(webhooks, event(UPDATED, f"cus_{number}", **attributes))

    assert (items.followed, items.counted) == (["cus_0"], {(UPDATED, "done"): 1, (UPDATED, "ignored"): 2})


async def test_live_mode() -> None:
    """With a live key, test events are those of the other mode."""
    items = Items()
    webhooks = items.webhooks(livemode=True)

    await send(webhooks, event(UPDATED, "cus_1", livemode=True))
    await send(webhooks, event(UPDATED, "cus_2", livemode=False))

    assert items.followed == ["cus_1"]


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        (event(UPDATED, "cus_1"), OTHER_SECRET),
        (b"", SECRET),
        (b"[]", SECRET),
        (b"{", SECRET),
        (b'{"object": "event"}', SECRET),
        (thin(UPDATED, None), SECRET),
        (thin(UPDATED, {"id": "in_1", "object": "invoice"}), SECRET),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else "",
)
async def test_refused(body: bytes, secret: str) -> None:
    """A body that is unsigned, or signed and not an event, is refused, counted, and changes nothing."""
    items = Items()

    with pytest.raises(InvalidPayload):
        await send(items.webhooks(), body, secret=secret)

    assert (items.followed, items.lists, items.counted) == ([], 0, {("other", "refused"): 1})


def test_every_way_to_end_is_there_from_the_start() -> None:
    """Prometheus does not see an increase from nothing, so each type and outcome starts at 0."""
    items = Items()

    items.webhooks()

    assert items.metrics.exposition().count(b"sidecar_webhooks_total{") == 4 * 5
