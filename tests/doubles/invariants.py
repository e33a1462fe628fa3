"""Invariants that every test of the whole application checks at its end."""

import json
import re
from collections.abc import Iterable

from tests.doubles.running_app import KEY, LOGOUT_SECRET, SERVICE_TOKEN, Exchange, RunningApp, spellings
from tests.doubles.server import Recorded
from tests.doubles.stripe import CLIENT_SECRET

# Codes of refusals that come before any request to Stripe, with Directus's own codes for a bad credential.
# INVALID_QUERY is not among them: a cursor is compared with the caller's own list after Stripe was read.
_REFUSALS = {
    "CONTENT_TOO_LARGE",
    "FORBIDDEN",
    "FOREIGN_ORIGIN",
    "INVALID_CREDENTIALS",
    "INVALID_PAYLOAD",
    "INVALID_TOKEN",
    "METHOD_NOT_ALLOWED",
    "NO_CREDENTIALS",
    "NO_CUSTOMER_YET",
    "OPERATION_OFF",
    "ROUTE_NOT_FOUND",
    "TOKEN_EXPIRED",
    "UNSUPPORTED_MEDIA_TYPE",
}
_OBJECT = re.compile(r"/v1/[a-z_/]+/[a-z_]+_[A-Za-z0-9]+")
_NEVER = ("Set-Cookie", "Location", "X-Powered-By", "Stripe-Version", "Idempotent-Replayed")
_CORS = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials")


def check(app: RunningApp) -> None:
    for exchange in app.exchanges:
        refusals_asked_nothing_of_stripe(exchange)
        answers_carry_only_what_they_must(exchange, () if app.lets_origins_in else _CORS)
    secrets = {KEY, LOGOUT_SECRET, SERVICE_TOKEN, *app.tokens}
    shown = secrets if app.shows_client_secrets else {*secrets, CLIENT_SECRET}
    nothing_shows(shown, (exchange.answer.raw.decode("latin-1") for exchange in app.exchanges))
    nothing_shows({*secrets, CLIENT_SECRET}, app.log)
    crashed = [line for line in app.log if '"exception"' in line]
    assert app.crashes or not crashed, crashed
    for request in app.directus.requests:
        directus_saw_one_credential(request, app.tokens)
    nothing_shows({KEY, LOGOUT_SECRET}, (request.text() for request in app.directus.requests))
    for request in app.stripe.requests:
        stripe_saw_the_key_alone(request, app.stripe.connected)
    nothing_shows(app.tokens, (request.text() for request in app.stripe.requests))


def refusals_asked_nothing_of_stripe(exchange: Exchange) -> None:
    """A refusal causes no request to Stripe; neither does a failure to ask Directus.

    Four refusals may read from Stripe, which changes nothing: an object's owner is checked, or a price is checked, or
    after both Directus is asked who answers for a change, or which item the owner belongs to.
    """
    answer = exchange.answer
    refused = answer.code in _REFUSALS or (answer.status == 503 and answer.extensions.get("service") == "directus")
    asked = exchange.stripe_requests if refused and exchange.stripe_requests is not None else ()
    looked_at = [request.target for request in asked if request.method == "GET" and _OBJECT.fullmatch(request.path)]
    looked = answer.extensions.get("reason") in {"not_visible", "no_user", "no_item"} or (
        answer.code == "INVALID_PAYLOAD" and looked_at and looked_at[-1].startswith("/v1/prices/")
    )
    assert len(asked) == (len(looked_at) if looked else 0), (answer.code, asked)


def answers_carry_only_what_they_must(exchange: Exchange, cors: tuple[str, ...]) -> None:
    """An answer has no header of an upstream, and forbids storing and sniffing (P5, X4)."""
    answer = exchange.answer
    if answer.status == 0 or "is not proper HTTP" in answer.raw.decode("latin-1"):
        return
    assert [name for name in (*_NEVER, *cors) if answer.header(name) is not None] == []
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Server") == "directus-stripe-sidecar"


def nothing_shows(secrets: Iterable[str], texts: Iterable[str]) -> None:
    forms = {form for secret in secrets for form in spellings(secret)}
    for text in texts:
        shown = [form for form in forms if form in text]
        assert not shown, f"{shown} is in {text[:2000]}"


def directus_saw_one_credential(request: Recorded, tokens: Iterable[str]) -> None:
    """A request to Directus has one Authorization, of a caller or the service, and no token anywhere else.

    A Flow is told no token at all, and no client secret.
    """
    if request.path.startswith("/flows/trigger/"):
        nothing_shows({*tokens, CLIENT_SECRET}, [request.text()])
        assert not request.values("Authorization")
        return
    assert [value for value in request.values("Authorization") if value.removeprefix("Bearer ") in set(tokens)]
    assert len(request.values("Authorization")) == 1
    assert not request.values("Cookie")
    assert "access_token" not in request.target


def stripe_saw_the_key_alone(request: Recorded, account: str | None = None) -> None:
    """A request to Stripe has the key, the account of the settings if there is one, and nothing of the caller's."""
    assert len(request.values("Authorization")) == 1
    assert len(request.values("Stripe-Version")) == 1
    assert not request.values("Cookie")
    assert request.values("Stripe-Account") == ([] if account is None else [account])
    assert not [name for name, _ in request.headers if name.lower() in {"x-forwarded-for", "origin"}]


def log_records(lines: Iterable[str], message: str) -> list[dict[str, object]]:
    """Give the logged records with this message."""
    records: list[dict[str, object]] = [json.loads(line) for line in lines]
    return [record for record in records if record["message"] == message]
