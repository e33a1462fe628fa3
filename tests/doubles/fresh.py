"""What a GET to Directus asks for, without what keeps every cache from answering it."""

import re

_FRESH = re.compile(r"fresh=[0-9a-f-]{36}")


def asked_for(target: object) -> str:
    """Give a target or URL without these parameters, which must be there."""
    path, _, query = str(target).partition("?")
    parts = query.split("&")
    rest = [part for part in parts if part != "export=json" and not _FRESH.fullmatch(part)]
    assert len(parts) == len(rest) + 2, f"a cache may answer {target}"
    return "?".join(filter(None, [path, "&".join(rest)]))
