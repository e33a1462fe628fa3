"""The documents as tests read them: a table or a block of code by the marker above it.

A marker is a line such as `<!-- settings -->`, which nobody sees who reads the rendered page.
"""

import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: the marker above it, None where there is none, the language of its fence, and its text."""

    page: str
    marker: str | None
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    found = re.finditer(r"(?:<!-- ([a-z-]+) -->\n+)?^```([a-z]*)\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)
    return [Block(page, *match.groups()) for match in found]


def prose_of(page: str) -> str:
    """Give a document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


def headings(page: str) -> list[tuple[int, str]]:
    """Give each heading's level, 1 for the document's own, and its text."""
    found = re.findall(r"^(#+) (.+)$", prose_of(page), re.MULTILINE)
    return [(len(level), text) for level, text in found]


def anchor(heading: str) -> str:
    """Give the anchor that a rendered heading has (github.com and most others)."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links(page: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose_of(page))
