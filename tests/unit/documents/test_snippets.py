"""Every block of code in the documents is read by a test, or there is a reason why none can."""

import re

import pytest

from tests.documents.pages import PAGES, ROOT, Block, blocks, text_of

BLOCKS = [block for page in PAGES for block in blocks(page)]
# What no test does with a block, and why.
NOT_RUN = {
    "picture": "a drawing",
    "steps": "a drawing",
    "images": "needs a Docker daemon; targets and options are compared with the Dockerfile and the command line",
    "install": "the same for Docker; pip's line is the first of the five commands",
    "compose": "needs a Docker daemon; its files and services are looked for, and read by other tests",
    "kubernetes-provision": "needs a cluster; its command is looked for",
    "helm": "needs a cluster; the chart and the values that it names are looked for, and rendered by other tests",
    "two-commands": "they start this very test; their files are looked for",
    "loop": "it starts this very test; its words are looked for",
    "all-checks": "the same",
    "one-test": "the same",
    "by-hand": "minutes to hours; its words and modules are looked for",
}


def table() -> dict[tuple[str, str], str]:
    lines = text_of("tests/README.md").partition("<!-- blocks -->\n")[2].partition("\n\n")[0].splitlines()[2:]
    rows = ([cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines)
    return {(page, marker): reader for page, marker, reader in rows}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}:{block.marker}")
def test_each_block_is_read(block: Block) -> None:
    """Each block has a marker, and tests/README.md names the test that reads it."""
    assert block.marker
    reader = table()[block.page, block.marker]
    text = (ROOT / reader).read_text(encoding="utf-8")

    assert re.search(rf'["\']{block.marker}["\']|f"{block.marker.partition("-")[0]}-\{{', text), reader


def test_no_other_block_is_named() -> None:
    """The table names no block that is gone, and no block is named twice in a document."""
    there = [(block.page, block.marker) for block in BLOCKS]

    assert sorted(table()) == sorted(there)


def test_reasons_are_of_blocks_that_are_there() -> None:
    """Each block that is not run is in a document."""
    assert {block.marker for block in BLOCKS} >= NOT_RUN.keys()
