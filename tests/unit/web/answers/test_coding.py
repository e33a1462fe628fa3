"""Which clients get gzip, and that what they get is what was sent."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.web.answers.coding import Gzip, takes_gzip

ACCEPTED = ["gzip", "GZIP", "x-gzip", "deflate, gzip;q=0.5", "*", "gzip ; q=1.000", "br, gzip, zstd", "*;q=0.1"]
NOT_ACCEPTED = [
    "",
    "identity",
    "br",
    "gzip;q=0",
    "gzip;q=0.000",
    "*;q=0",
    "gzip;q=0, *",
    "gzip;q=0.5, identity",
    "gzip;q=0.5, identity;q=0.6",
    "gzip;q=nonsense",
    "gzip;q=2",
    "gzip;q=-1",
    "gzip;level=9",
    "gzipped",
]


@pytest.mark.parametrize("value", ACCEPTED)
def test_accepted(value: str) -> None:
    """RFC 9110, 12.5.3: gzip by name or by `*`, at any weight above 0 and not below that of what is as it is."""
    assert takes_gzip([value])


@pytest.mark.parametrize("value", NOT_ACCEPTED)
def test_not_accepted(value: str) -> None:
    """RFC 9110, 12.5.3: weight 0, another coding, or what cannot be read is no yes."""
    assert not takes_gzip([value])


def test_several_headers() -> None:
    """Several headers are one list; none is no yes."""
    assert takes_gzip(["br", "gzip"])
    assert not takes_gzip([])


@given(st.text())
def test_any_text(value: str) -> None:
    """Any text is answered, and only one with the name or `*` is a yes."""
    assert not takes_gzip([value]) or "gzip" in value.lower() or "*" in value


PAGES = st.lists(st.binary(max_size=300) | st.binary(min_size=1, max_size=4).map(lambda one: one * 60_000), max_size=6)


@given(PAGES, st.binary(max_size=10))
def test_page_by_page(pages: list[bytes], end: bytes) -> None:
    """After each page everything so far can be read; only after the end is the stream whole."""
    gzip, reader, read = Gzip(), zlib.decompressobj(31), b""

    for number, page in enumerate(pages):
        read += b"".join(reader.decompress(piece) for piece in gzip.page(page))
        assert read == b"".join(pages[: number + 1])
    assert not reader.eof

    read += reader.decompress(gzip.end(end))
    assert (read, reader.eof) == (b"".join(pages) + end, True)
