"""The documents as tests read them: a table or a block of code by the marker above it.

A marker is a line such as `<!-- settings -->`, which nobody sees who reads the rendered page.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRONT, SIDECAR, DEPLOY = "README.md", "sidecar/README.md", "deploy/README.md"
PAGES = (FRONT, SIDECAR, DEPLOY, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "tests/README.md")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def table_after(page: str, marker: str) -> str:
    """Give the lines of a table, with its head."""
    return text_of(page).partition(f"<!-- {marker} -->\n")[2].partition("\n\n")[0]


def block_after(page: str, marker: str) -> str:
    """Give what stands in a block of code, without its fences."""
    block = re.search(rf"<!-- {re.escape(marker)} -->\n+```[a-z]*\n(.*?)```", text_of(page), re.DOTALL)
    if block is None:
        raise LookupError(f"{page} has no block of code after <!-- {marker} -->")
    return block[1]
