"""Whether a field in Directus has the value that Stripe says already."""

import json


def is_same(current: object, wanted: object) -> bool:
    """Compare a field with an attribute: a text field has an address as JSON; empty members may be null or absent."""
    if isinstance(current, str) and isinstance(wanted, dict | list):
        try:
            current = json.loads(current)
        except (ValueError, RecursionError):
            return False
    return _bare(current) == _bare(wanted)


def _bare(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: _bare(part) for name, part in value.items() if part is not None}
