"""Texts that reach Directus as they are: without invisible characters, and with no meaning of their own in filters."""

import re

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Directus replaces these values wherever they are in a filter (its documentation, "Filter rules", dynamic variables).
_REPLACED = re.compile(r"true|false|null|NULL|\$(?:NOW|CURRENT_USER|CURRENT_ROLE|CURRENT_POLICIES).*", re.DOTALL)


def has_unseen(text: str) -> bool:
    """Say whether a text contains control characters, other line ends or halves of characters."""
    return _UNSEEN.search(text) is not None


def is_replaced(text: str) -> bool:
    """Say whether Directus takes this text for another value in its filters."""
    return _REPLACED.fullmatch(text) is not None
