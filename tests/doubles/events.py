"""Stripe's events, in the documented shape and with the documented signature.

- signatures: docs.stripe.com/webhooks, "Verify webhook signatures manually"
- the object: docs.stripe.com/api/events/object
"""

import hashlib
import hmac
import json
import time
from itertools import count

from tests.doubles.stripe import Object

SECRET = "whsec_MARKEDwebhookSECRET01"
OTHER_SECRET = "whsec_MARKEDwebhookSECRET02"
PATH = "/stripe/webhooks"
_numbers = count(1)


def event(kind: str, about: Object | str, **attributes: object) -> bytes:
    """Make an event about an object, or about the customer with this ID; `attributes` are the event's own."""
    thing = {"id": about, "object": "customer"} if isinstance(about, str) else about
    whole = {
        "id": f"evt_{next(_numbers):024}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "data": {"object": thing, "previous_attributes": {}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        **attributes,
    }
    return json.dumps(whole).encode()


def signature(body: bytes, *, secret: str = SECRET, at: int | None = None, scheme: str = "v1") -> str:
    """Sign a body `at` a Unix time, by default now."""
    moment = int(time.time()) if at is None else at
    return f"t={moment},{scheme}={digest(body, secret, moment)}"


def digest(body: bytes, secret: str, moment: int) -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def headers(body: bytes, **how: str | int) -> list[tuple[str, str]]:
    """Give the headers that Stripe sends with this body."""
    return [("Content-Type", "application/json; charset=utf-8"), ("Stripe-Signature", signature(body, **how))]  # type: ignore[arg-type]  # each of its own type
