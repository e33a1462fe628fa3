"""Versions of Stripe's API: their shape, and which ones a client's SDK may ask for."""

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.operations.api_versions import is_of_an_sdk, is_version

LATEST = "2027-12-01"


@pytest.mark.parametrize(
    ("version", "known"),
    [
        (stripe.api_version, True),
        ("2020-03-02", True),
        ("2020-08-27", True),
        ("2024-06-20", True),
        ("2024-09-30.acacia", True),
        ("2027-11-30.future", True),
        ("2020-03-01", False),
        ("2014-09-08", False),
        ("2028-01-01.future", False),
        ("2024-09-30", False),
        ("2024-06-20.acacia", False),
        ("2020-08-27\n", False),
        ("2020-08-27;beta=v1", False),
        ("", False),
    ],
)
def test_versions_of_sdks(version: str, *, known: bool) -> None:
    """A version is an SDK's if it has the shape, and is neither older than what is in use nor in the far future."""
    assert is_of_an_sdk(version, LATEST) is known


@given(st.text(max_size=60) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[a-z]*)?", fullmatch=True))
def test_every_version_can_be_a_header(value: str) -> None:
    """Whatever counts as a version is short, and has nothing that a header could not have."""
    if is_version(value):
        assert len(value) <= 41
        assert value.isascii()
        assert set(value) <= set("0123456789-.abcdefghijklmnopqrstuvwxyz")
