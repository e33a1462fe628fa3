"""Which primary keys of items can be passed on: in a URL to Directus, in its filters, in a customer's metadata."""

import re

from sidecar.core.plain_text import has_unseen, is_replaced

LONGEST = 255  # characters, as Directus makes its text columns
# Percent-encoding leaves dots alone and some proxies decode %2F: such a key would be another path (RFC 3986, 5.2.4).
_DOTS = re.compile(r"(?:^|[/\\])\.{1,2}(?:[/\\]|$)")


def unusable(key: int | str) -> str | None:
    """Say why an item with this primary key cannot have a customer; None for all others."""
    text = str(key)
    faults = {
        "is empty": not text.strip(),
        f"is longer than {LONGEST} characters": len(text) > LONGEST,
        "contains a control character": has_unseen(text),
        'has "." or ".." as a part of a path, which a URL cannot carry': _DOTS.search(text) is not None,
        "is a word that Directus replaces in filters, such as null or $NOW": is_replaced(text),
    }
    return next((fault for fault, there in faults.items() if there), None)
