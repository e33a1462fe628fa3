"""Parses JSON as JavaScript does, so that Directus and this service read the same text alike."""

import json
from collections.abc import Callable
from typing import NoReturn


def parse(text: str, *, parse_int: Callable[[str], int | float] = int) -> object:
    """Raises ValueError for what JavaScript refuses, such as NaN, and RecursionError for deep nesting."""
    return json.loads(text, parse_int=parse_int, parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
