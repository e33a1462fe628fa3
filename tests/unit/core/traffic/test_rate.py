"""Rates: what is allowed in any stretch of time, and after a quiet one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.traffic.rate import Rate


def turns(rate: Rate, asked: list[float]) -> list[float]:
    """Give the moments at which there was a turn, of those at which somebody asked for one."""
    due, given_at = float("-inf"), []
    for now in sorted(asked):
        if now >= due:
            due = rate.after(due, now)
            given_at.append(now)
    return given_at


@given(
    st.sampled_from([0.5, 3.0, 20.0]),
    st.sampled_from([0.0, 2.0, 7.5]),
    st.lists(st.floats(0, 30), max_size=200),
)
def test_never_more(per_second: float, burst: float, asked: list[float]) -> None:
    """F3: in any stretch of time there are no more turns than the rate, the burst and one."""
    came = turns(Rate(per_second, burst), asked)

    for first in range(len(came)):
        for last in range(first, len(came)):
            count, seconds = last - first + 1, came[last] - came[first]
            assert count <= seconds * per_second + burst + 1 + 1e-6


def test_burst() -> None:
    """After a quiet time the burst and one more are there at once, then one in each gap."""
    came = turns(Rate(10, 3), [100.0] * 10 + [100.05, 100.1, 100.15, 100.2])

    assert came == pytest.approx([100.0] * 4 + [100.1, 100.2])
