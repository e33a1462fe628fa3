"""Versions of Stripe's API (docs.stripe.com/api/versioning), such as 2020-08-27 and 2026-10-28.endive."""

import re
from datetime import date, timedelta

_NAMED_SINCE = date(2024, 9, 30)  # acacia, the first release with a name (docs.stripe.com/changelog)
_NAME = re.compile("[a-z]{1,30}")
_OLDEST_OF_SDKS = date(2020, 3, 2)  # the one of Stripe's SDK for Android; that for iOS asks for 2020-08-27
_AHEAD = timedelta(days=366)  # this clock may be wrong


def is_version(value: str) -> bool:
    """Say whether it looks like a version: a day, and since 2024 a release's name."""
    return _day_of(value) is not None


def is_of_an_sdk(value: str, today: date) -> bool:
    """Say whether an SDK of Stripe's that is in use may ask for this version."""
    day = _day_of(value)
    return day is not None and _OLDEST_OF_SDKS <= day <= today + _AHEAD


def _day_of(value: str) -> date | None:
    written, dot, name = value.partition(".")
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    named = _NAME.fullmatch(name) is not None if day >= _NAMED_SINCE else not dot
    return day if named and day.isoformat() == written else None
