"""Which answers of other replicas are from before a change that this one heard of."""

import math

import pytest

from sidecar.clients.directus.felt_changes import FeltChanges

ANN, BOB = "0000000A-0000", "0000000b-0000"
MOST = 10_000


@pytest.mark.parametrize("user", [ANN, BOB, None])
def test_everybodys(user: str | None) -> None:
    """A change of everybody's permissions outdates all earlier answers, but not what was asked just then."""
    felt = FeltChanges()
    felt.feel_everybodys(100.0)

    assert [felt.since(user, asked) for asked in (-math.inf, 99.9, 99.995, 100.0, 101.0)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_one_users() -> None:
    """A change of a user outdates earlier answers about it, however it is written, or about nobody knows whom."""
    felt = FeltChanges()
    felt.feel_users(ANN, 100.0)

    assert [felt.since(user, 50.0) for user in (ANN, ANN.lower(), BOB, None)] == [True, True, False, True]


def test_nothing_felt() -> None:
    """Without a change every answer may be taken."""
    assert FeltChanges().since(None, 0.0) is False


def test_very_many_users() -> None:
    """Beyond the users that are counted one by one, a change counts as one of everybody."""
    felt = FeltChanges()
    for number in range(MOST + 1):
        felt.feel_users(str(number), 100.0)

    assert felt.since(ANN, 50.0) is True
