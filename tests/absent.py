"""What a test does where the machine lacks what it needs."""

import os
from typing import NoReturn

import pytest


def left_out(why: str) -> NoReturn:
    """Leave the test out; in CI it fails, because a test that is left out looks like one that passed."""
    absent = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    absent(why)
