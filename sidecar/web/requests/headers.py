"""Reads the headers by which a client says how to ask Stripe. A fault names its header, and repeats no value."""

import re
from datetime import UTC, datetime, timedelta

from aiohttp import web

from sidecar.core.operations.api_versions import is_of_an_sdk
from sidecar.errors import InvalidPayload

SDK_HEADERS = ("Stripe-Version",)  # what a row with `sdk_version` reads besides
_AHEAD = timedelta(days=366)  # how far from this clock, which may be wrong, a version may be
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def read_key(request: web.Request) -> str | None:
    """Read the client's `Idempotency-Key` (docs.stripe.com/api/idempotent_requests). Raises InvalidPayload."""
    values = request.headers.getall("Idempotency-Key", [])
    if not values:
        return None
    if len(values) > 1 or not _KEY.fullmatch(values[0]):
        raise InvalidPayload("Idempotency-Key: send it once, with 1 to 255 visible characters.")
    return values[0]


def read_sdk_version(request: web.Request) -> str:
    """Read the version of the API that the client's SDK was made for. Raises InvalidPayload."""
    values = request.headers.getall("Stripe-Version", [])
    latest = (datetime.now(UTC) + _AHEAD).date().isoformat()
    if len(values) != 1 or not is_of_an_sdk(values[0], latest):
        raise InvalidPayload(
            "Stripe-Version: send it once, with the version of Stripe's API that your SDK of Stripe's gives, such as "
            "2020-08-27."
        )
    return values[0]
