"""Packed bodies: nobody needs them, and what one unpacks to has no bound."""

import gzip

import pytest

from tests.doubles.running_app import CLERK, RunningApp

BODY = b'{"email": "ada@example.com"}'


PACKED = {
    "packed": gzip.compress(BODY),
    "bomb": gzip.compress(b" " * 10_000_000),
    "garbage": b"garbage",
    "plain": BODY,
}


@pytest.mark.parametrize("body", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("packed", ["gzip", "deflate", "br"])
async def test_a_packed_body_is_not_unpacked(app: RunningApp, packed: str, body: bytes) -> None:
    """V1: A body that is packed, or says so, is refused as it came, however much it would be."""
    headers = [("Content-Type", "application/json"), ("Content-Encoding", packed)]

    answer = await app.call(CLERK, "/stripe/customers", method="POST", headers=headers, body=body)

    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert app.stripe.asked == []
