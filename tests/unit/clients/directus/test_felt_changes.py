"""Which answers of other replicas are from before a change that this one heard of."""

import math

import pytest

from sidecar.clients.directus.felt_changes import FeltChanges

ANN, BOB = "0000000A-0000", "0000000b-0000"
MOST = 10_000


def at(moment: float) -> FeltChanges:
    """Give what is felt of changes that all come at this moment."""
    return FeltChanges(lambda: moment)


@pytest.mark.parametrize("user", [ANN, BOB, None])
def test_everybodys(user: str | None) -> None:
    """A change of everybody's permissions outdates all earlier answers, but not what was asked just then."""
    felt = at(100.0)
    felt.feel_everybodys()

    assert [felt.precede(user, asked) for asked in (-math.inf, 99.8, 99.95, 100.0, 101.0)] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_one_users() -> None:
    """A change of a user outdates earlier answers about it, however it is written, and about nobody knows whom."""
    felt = at(100.0)
    felt.feel_users(ANN)

    assert [felt.precede(user, 50.0) for user in (ANN, ANN.lower(), BOB, None)] == [False, False, True, False]


def test_nothing_felt() -> None:
    """Without a change every answer may be taken."""
    assert at(100.0).precede(None, 0.0) is True


def test_very_many_users() -> None:
    """Beyond the users that are counted one by one, a change counts as one of everybody."""
    felt = at(100.0)
    for number in range(MOST + 1):
        felt.feel_users(str(number))

    assert felt.precede(ANN, 50.0) is False
