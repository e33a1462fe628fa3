"""Primary keys that can be passed on to Directus and to Stripe, and those that cannot."""

import pytest

from sidecar.core.item_keys import LONGEST, unusable


@pytest.mark.parametrize(
    "key",
    [
        *(0, 7, 2**53, "7", "a", "a b", " a", "50%", "a/b", "a?b#c", "a&b=c", "Müller & Co", "日本", "😀"),
        *("a.b", ".a", "a.", "...", "a/...", "a/.b", "a..b", "nulls", "True", "$NO", "a$NOW", "-", "x" * LONGEST),
    ],
)
def test_usable(key: int | str) -> None:
    """An item may have any other primary key."""
    assert unusable(key) is None


@pytest.mark.parametrize(
    ("key", "why"),
    [
        *((key, "is empty") for key in ("", " ", "\u3000")),
        ("x" * (LONGEST + 1), "is longer than 255 characters"),
        *((key, "contains a control character") for key in ("a\x00", "a\nb", "\x7f", "a\u2028", "\ud83d", "..\n")),
        *((key, 'has "." or ".." as a part') for key in (".", "..", "a/..", "../a", "a/./b", "a\\..\\b", "a/../b")),
        *((key, "is a word that Directus replaces") for key in ("null", "NULL", "true", "false")),
        *((key, "is a word that Directus replaces") for key in ("$NOW", "$NOW(-1 year)", "$CURRENT_USER.id")),
        *((key, "is a word that Directus replaces") for key in ("$CURRENT_ROLE", "$CURRENT_POLICIES")),
    ],
)
def test_unusable(key: str, why: str) -> None:
    """P1: A key that would be another path or another value is refused, and the reason is named."""
    assert str(unusable(key)).startswith(why)
