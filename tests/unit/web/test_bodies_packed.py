"""Bodies that are not packed as their headers say."""

import pytest

from tests.doubles.house import CLERK, House


@pytest.mark.xfail(strict=True, reason="read as a fault of the service: 500, and a traceback in the log")
@pytest.mark.parametrize("packed", ["gzip", "deflate"])
async def test_a_body_that_is_not_packed(house: House, packed: str) -> None:
    """V1: A body that is not what its headers say is the caller's fault."""
    house.crashes = True  # aiohttp tells of it as well when it drains the connection
    headers = [("Content-Type", "application/json"), ("Content-Encoding", packed)]

    answer = await house.call(CLERK, "/stripe/customers", method="POST", headers=headers, body=b"garbage")

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
