"""Compressed bodies: no client needs them, and their decompressed size has no bound."""

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
    """V1: A body that is compressed, or claims to be, is refused without decompression, for any size."""
    headers = [("Content-Type", "application/json"), ("Content-Encoding", packed)]

    answer = await app.call(CLERK, "/stripe/customers", method="POST", headers=headers, body=body)

    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert app.stripe.asked == []
