"""The bank's page of 3-D Secure, on which a person completes or fails it: docs.stripe.com/payments/3d-secure.

Stripe's own test page for test cards has the same two buttons.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from html import escape
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.confirming import authenticate
from deploy.stripe_stand_in.errors import Object, StripeError

_PATH = "/3d_secure/{id}"
_KINDS = {"pi": "payment_intent", "seti": "setup_intent"}
_PAGE = """<!doctype html>
<html lang="en"><title>3D Secure test page</title>
<h1>3D Secure test page</h1>
<form method="post">
<button name="outcome" value="succeeded">Complete</button>
<button name="outcome" value="failed">Fail</button>
</form></html>
"""
_DONE = (
    '<!doctype html>\n<html lang="en"><title>Done</title><p>3D Secure: {outcome}. You may close this page.</p></html>\n'
)


def bank_pages(account: Account, telling: Callable[[], AbstractContextManager[None]]) -> Sequence[web.RouteDef]:
    """Make the routes of the page. Its address has the client secret, without which there is none.

    `telling` is entered while a button has its effect.
    """

    async def show(request: web.Request) -> web.Response:
        _asked_about(account, request)
        return web.Response(text=_PAGE, content_type="text/html")

    async def end(request: web.Request) -> web.Response:
        intent, outcome = _asked_about(account, request), str((await request.post()).get("outcome"))
        back = _back(intent, outcome)
        try:
            with telling():
                authenticate(account, intent, passed=outcome == "succeeded")
        except StripeError as error:
            raise web.HTTPConflict(text=str(error)) from None
        if back is None:
            return web.Response(text=_DONE.format(outcome=escape(outcome)), content_type="text/html")
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": back})

    return [web.get(_PATH, show), web.post(_PATH, end)]


def _asked_about(account: Account, request: web.Request) -> Object:
    object_id = request.match_info["id"]
    kind = _KINDS.get(object_id.partition("_")[0], "payment_intent")
    for intent in account.objects[kind]:
        if intent["id"] == object_id and request.query.get(f"{kind}_client_secret") == intent["client_secret"]:
            return intent
    raise web.HTTPNotFound(text="There is no such page.")


def _back(intent: Object, outcome: str) -> str | None:
    """Give the address to which the browser returns, with what Stripe adds to it; None for Stripe.js."""
    action = (intent["next_action"] or {}).get("redirect_to_url")
    if action is None:
        return None
    kind, returned = intent["object"], str(action["return_url"])
    added = {kind: intent["id"], f"{kind}_client_secret": intent["client_secret"], "redirect_status": outcome}
    parts = urlsplit(returned)
    query = "&".join(part for part in (parts.query, urlencode(added)) if part)
    return urlunsplit(parts._replace(query=query))
