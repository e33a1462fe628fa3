"""Versions of Stripe's API (docs.stripe.com/api/versioning), such as 2020-08-27 and 2026-10-28.endive.

Days are ISO texts, which sort by time. Whether Stripe had a version on that day is for Stripe to say.
"""

import re

_NAMED_SINCE = "2024-09-30"  # acacia, the first release with a name (docs.stripe.com/changelog)
_OLDEST_OF_SDKS = "2020-03-02"  # the one of Stripe's SDK for Android; that for iOS asks for 2020-08-27
_VERSION = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))(\.[a-z]{1,30})?")


def is_version(value: str) -> bool:
    """Say whether it looks like a version: a day, and since 2024 a release's name."""
    return _day_of(value) is not None


def is_of_an_sdk(value: str, latest: str) -> bool:
    """Say whether an SDK of Stripe's that is in use may ask for this version; `latest` is the last day it may have."""
    day = _day_of(value)
    return day is not None and _OLDEST_OF_SDKS <= day <= latest


def _day_of(value: str) -> str | None:
    found = _VERSION.fullmatch(value)
    if found is None:
        return None
    day, name = found[1], found[2]
    return day if (day >= _NAMED_SINCE) == (name is not None) else None
