"""Stripe.js, and what it asks: with a publishable key, and the client secret of the intent that it asks about.

It sends the key in the form or the query (docs.stripe.com/keys), which needs no preflight of the browser.
"""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from deploy.stripe_stand_in import PUBLISHABLE_KEY, effects
from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.errors import Object, Result, StripeError
from deploy.stripe_stand_in.kinds import Kind
from deploy.stripe_stand_in.parameters import decoded, read, sent_by

CALLS = {(kind, call) for kind in ("payment_intent", "setup_intent") for call in ("retrieve", "confirm")}
_SCRIPT = Path(__file__).with_name("stripe.js")
_OWN = ("key", "client_secret")
# What of an intent a publishable key shows (docs.stripe.com/api/payment_intents/object).
_SHOWN = (
    *("id", "object", "amount", "automatic_payment_methods", "canceled_at", "cancellation_reason", "capture_method"),
    *("client_secret", "created", "currency", "description", "last_payment_error", "last_setup_error", "livemode"),
    *("next_action", "payment_method", "payment_method_types", "receipt_email", "setup_future_usage", "status"),
    "usage",
)
_PREFLIGHT: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, HEAD, OPTIONS, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Stripe-Version",
}


async def is_one(request: web.Request) -> bool:
    """Say whether a request has a publishable key."""
    return (await _key(request)).startswith("pk_")


async def answer(account: Account, kind: Kind, call: str, request: web.Request) -> Result:
    """Retrieve or confirm an intent. Raises StripeError without its client secret."""
    if await _key(request) != PUBLISHABLE_KEY:
        raise StripeError(401, "Invalid API Key provided.")
    values = decoded(await sent_by(request))
    intent = account.find(kind.name, request.match_info["id"], "intent", 404)
    if values.get("client_secret") != intent["client_secret"]:
        message = "The client_secret provided does not match the client_secret associated with this intent."
        raise StripeError(400, message, code="payment_intent_invalid_parameter", param="client_secret")
    given = read(kind.takes(call), {name: value for name, value in values.items() if name not in _OWN})
    if call != "retrieve":
        given["client_secret"] = values["client_secret"]
        intent = effects.change(account, kind.name, call, intent, given)
    return 200, shown(intent)


def shown(intent: Object) -> Object:
    """Give what a browser sees of an intent."""
    return {name: intent[name] for name in _SHOWN if name in intent}


def preflights() -> web.RouteDef:
    async def allow(_request: web.Request) -> web.Response:
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)

    return web.options("/v1/{anything:.*}", allow)


def script() -> web.RouteDef:
    """Serve what of Stripe.js a page needs that pays (docs.stripe.com/js)."""

    async def send(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(_SCRIPT, headers={"Content-Type": "text/javascript; charset=utf-8"})

    return web.get("/stripe.js", send)


async def _key(request: web.Request) -> str:
    key = decoded(await sent_by(request)).get("key")
    return key if isinstance(key, str) else request.headers.get("Authorization", "").removeprefix("Bearer ")
