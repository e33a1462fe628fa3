"""Stripe's events, in the documented shape and with the documented signature.

- signatures: docs.stripe.com/webhooks, "Verify webhook signatures manually"
- a snapshot: docs.stripe.com/api/events/object
- a thin event: docs.stripe.com/api/v2/core/events/event-notifications
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


def thin(kind: str, about: Object | str | None, **attributes: object) -> bytes:
    """Make the thin event of the same type as a snapshot, about an object or about the customer with this ID."""
    thing = {"id": about, "object": "customer"} if isinstance(about, str) else about
    whole = {
        "id": f"evt_test_{next(_numbers):024}",
        "object": "v2.core.event",
        "type": f"v1.{kind}",
        "livemode": False,
        "created": "2026-11-30T23:55:00.123Z",
        "context": None,
        **({} if thing is None else {"related_object": _related(thing)}),
        **attributes,
    }
    return json.dumps(whole).encode()


def ping(**attributes: object) -> bytes:
    """Make what Stripe sends when somebody asks it whether a destination works."""
    destination = {
        "id": "ed_test_1",
        "type": "v2.core.event_destination",
        "url": "/v2/core/event_destinations/ed_test_1",
    }
    kind = "v2.core.event_destination.ping"
    return thin("", None, **{"type": kind, "related_object": destination, **attributes})


def _related(thing: Object) -> Object:
    """Refer to an object at an address that nobody should use."""
    return {"id": thing["id"], "type": thing["object"], "url": "https://stripe.invalid/elsewhere"}


def signature(body: bytes, *, secret: str = SECRET, at: int | None = None, scheme: str = "v1") -> str:
    """Sign a body `at` a Unix time, by default now."""
    moment = int(time.time()) if at is None else at
    return f"t={moment},{scheme}={digest(body, secret, moment)}"


def digest(body: bytes, secret: str, moment: int) -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def headers(body: bytes, **how: str | int) -> list[tuple[str, str]]:
    """Give the headers that Stripe sends with this body."""
    return [("Content-Type", "application/json; charset=utf-8"), ("Stripe-Signature", signature(body, **how))]  # type: ignore[arg-type]  # each of its own type
