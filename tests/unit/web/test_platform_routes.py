"""Routes for a platform and a proxy: readiness in all its states, metrics, and the notice of a logout."""

import platform
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sidecar import __version__
from sidecar.core.access.policy import Reason
from sidecar.core.operations.table import OPERATIONS
from sidecar.outcome import Outcome
from sidecar.web import keys
from tests.doubles.running_app import CLERK, MEMBER, NOBODY, READER, OpenApp, RunningApp, bearer

LABELS = {
    "operation": {operation.name for operation in OPERATIONS} | {"none"},
    "verdict": {*Reason} | {"none"},
    "result": {"hit", "shared", "found", "asked", "done", "unchanged", "failed"},
    "cause": {"change", "settled", "connected", "lost", "told", "gap"},
    "upstream": {"directus", "stripe"},
    "about": {"account", "endpoint", "object"},
    "outcome": {*Outcome},
    "queue": {"place", "directus"},
    "place": {"used", "waiting", "most"},
    "version": {__version__},
    "python": {platform.python_version()},
    "urgency": {"list", "page", "call"},
    "state": {"waiting", "asked", "overdue"},
    "answer": {"remembered", "asked"},
    "part": {"permissions", "budgets", "changes", "shapes", "news", "replicas"},
}


def asked(app: RunningApp) -> int:
    return len(app.directus.requests)


@pytest.mark.parametrize("place", ["header", "cookie"])
async def test_logout_forgets(open_app: OpenApp, place: str) -> None:
    """After a logout the next request asks Directus again, wherever the token was sent; other tokens stay cached."""
    app = await open_app(PERMISSIONS_CACHE_TTL="3600")
    for user in (CLERK, READER):
        await app.call(user)
    before = asked(app)
    cookie = ("Cookie", f"directus_session_token={CLERK.token}")
    told = await app.log_out(bearer(CLERK.token) if place == "header" else cookie)
    answers = [await app.call(CLERK), await app.call(READER)]

    assert told.status == 204
    assert [answer.status for answer in answers] == [200, 200]
    assert asked(app) == before + 1


async def test_logout_of_every_address(open_app: OpenApp) -> None:
    """The address of a logout, claimed or not, does not matter."""
    app = await open_app(PERMISSIONS_CACHE_TTL="3600")
    sources = ("127.0.0.1", "127.0.0.2")
    for source in sources:
        await app.call(CLERK, source=source)
    before = asked(app)
    await app.log_out(bearer(CLERK.token), ("X-Forwarded-For", "203.0.113.9"))
    for source in sources:
        await app.call(CLERK, source=source)

    assert asked(app) == before + len(sources)


async def test_refused_after_logout(open_app: OpenApp) -> None:
    """An answer of Directus between the notice and the end of the session is used and not cached."""
    app = await open_app(PERMISSIONS_CACHE_TTL="3600")
    await app.call(CLERK)
    await app.log_out(bearer(CLERK.token))
    between = await app.call(CLERK)
    user = app.directus.users[CLERK.token]
    user.refused = "INVALID_CREDENTIALS"
    try:
        after = await app.call(CLERK)
    finally:
        user.refused = None

    assert (between.status, after.status) == (200, 401)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_logout_is_a_post(app: RunningApp, method: str) -> None:
    """A page cannot cause a logout by a link or an image."""
    assert (await app.call(CLERK, "/logout", method=method)).status == 405


async def test_readiness_says_how_changes_are_heard(app: RunningApp) -> None:
    """/readyz shows whether the feed is off, connected or lost; neither makes the service unready."""
    health = app.runner.app[keys.HEALTH]
    states = []
    for feed in (None, lambda: True, lambda: False):
        health.feed_connected = feed
        answer = await app.call(target="/readyz")
        states.append((answer.status, answer.json()["realtime"]))

    assert states == [(200, "off"), (200, "connected"), (200, "lost")]


async def test_draining(app: RunningApp) -> None:
    """L4: during the drain the process is not ready, is alive, and serves; each answer ends its connection."""
    app.runner.app[keys.HEALTH].draining = True
    answers = [await app.call(target=path) for path in ("/readyz", "/healthz")]
    answers.append(await app.call(CLERK))

    assert [answer.status for answer in answers] == [503, 200, 200]
    assert answers[0].json()["status"] == "draining"
    assert [answer.header("Connection") for answer in answers] == ["close"] * 3


async def test_metrics(app: RunningApp) -> None:
    """Every outcome is counted, under labels from fixed sets, and no metric names a person or an object."""
    app.directus.users["other"] = NOBODY
    payments = app.stripe.add_payments(3, customer="cus_MARKED")
    app.directus.add_row(owner=MEMBER.name, stripe_customer_id="cus_MARKED")
    for user in (CLERK, CLERK, READER, MEMBER, NOBODY, None):
        await app.call(user)
        await app.call(user, "/stripe/payments/cus_MARKED")
    await app.create(CLERK)
    await app.create(READER)
    await app.call(target="/nothing/here")
    text = (await app.call(target="/metrics")).body.decode()

    families = {family.name: family for family in text_string_to_metric_families(text)}
    requests = families["sidecar_requests"].samples
    seen = {(s.labels["operation"], s.labels["status"], s.labels["verdict"]) for s in requests if "total" in s.name}
    assert {verdict for _, _, verdict in seen} >= {"granted", "no_access", "none"}
    assert {status for _, status, _ in seen} >= {"200", "201", "401", "404"}
    assert families["sidecar_upstream_seconds"].type == "histogram"
    for family in families.values():
        for sample in family.samples:
            for name, value in sample.labels.items():
                assert name in {"status", "le"} or value in LABELS[name]
                assert name != "status" or re.fullmatch(r"[1-5]\d\d|broken", value)
    for secret in ("MARKED", *payments, "cus_", MEMBER.name, "@example"):
        assert secret not in text


async def test_metrics_of_the_feed(app: RunningApp) -> None:
    """If changes are not followed the feed cannot be lost, so no metric raises an alarm."""
    text = (await app.call(target="/metrics")).body.decode()

    assert "sidecar_feed_connected NaN" in text
    assert 'sidecar_purges_total{cause="lost"} 0.0' in text


async def test_metrics_of_the_memory(app: RunningApp) -> None:
    """Hits, shared questions and questions are counted apart."""
    await app.call(CLERK)
    await app.call(CLERK)
    text = (await app.call(target="/metrics")).body.decode()

    assert 'sidecar_permissions_total{result="asked"} 1.0' in text
    assert 'sidecar_permissions_total{result="hit"} 1.0' in text
