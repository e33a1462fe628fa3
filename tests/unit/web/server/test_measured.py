"""What is measured around aiohttp's own parser: where a request ends, and how long its head is."""

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpRequestParser

from sidecar.web.server.measured import HeadTooLong, MeasuredParser

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
REQUESTS = {
    "get": GET,
    "body": POST + b"Content-Length: 6\r\n\r\nbo\r\ndy",
    "empty body": POST + b"Content-Length: 0\r\n\r\n",
    "body that looks like a head": POST + b"Content-Length: 8\r\n\r\nab\r\n\r\ncd",
    "chunked": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
    "trailers": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n0\r\nX: y\r\n\r\n",
}
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def parser(loop: asyncio.AbstractEventLoop) -> MeasuredParser:
    return opened(loop)


def opened(loop: asyncio.AbstractEventLoop) -> MeasuredParser:
    protocol = BaseProtocol(loop)
    protocol._parser = HttpRequestParser(protocol, loop, 2**24, max_field_size=2**14, max_headers=1000)
    return MeasuredParser(protocol._parser)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_where_a_request_ends(loop: asyncio.AbstractEventLoop, request_: bytes) -> None:
    """L1: After each byte of two requests, however they are cut, it is known whether a whole request has arrived."""
    for cut in range(1, len(request_)):
        parser = opened(loop)
        told = [parser.between]
        for part in (request_[:cut], request_[cut:]) * 2:
            parser.feed_data(part)
            told.append(parser.between)

        assert told == [True, False, True, False, True]


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_byte_by_byte(parser: MeasuredParser, request_: bytes) -> None:
    """L1: The same holds for a request that comes byte by byte."""
    for end in range(1, len(request_) + 1):
        parser.feed_data(request_[end - 1 : end])

        assert parser.between == (end == len(request_))


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("first", [GET, REQUESTS["body"], REQUESTS["chunked"]], ids=["get", "body", "chunked"])
def test_half_behind_a_whole_one(loop: asyncio.AbstractEventLoop, first: bytes, request_: bytes) -> None:
    """L1: A half request behind a whole one is not taken for nothing, wherever it is cut."""
    for cut in range(1, len(request_)):
        parser = opened(loop)
        parser.feed_data(first + request_[:cut])

        assert not parser.between


def test_the_rest_of_a_head_behind_a_whole_one(loop: asyncio.AbstractEventLoop) -> None:
    """L1: When such a request is complete, that is known too."""
    for cut in range(1, len(GET)):
        parser = opened(loop)
        parser.feed_data(GET + GET[:cut])
        parser.feed_data(GET[cut:])

        assert parser.between


def head(size: int) -> bytes:
    """Make a head of this many bytes, with lines that are not too long."""
    start = b"GET / HTTP/1.1\r\nHost: a\r\n"
    lines = [b"X: " + b"x" * 1000 + b"\r\n"] * ((size - len(start) - 1010) // 1005)
    rest = size - len(start) - sum(map(len, lines)) - len(b"Y: \r\n\r\n")
    made = b"".join([start, *lines, b"Y: ", b"y" * rest, b"\r\n\r\n"])
    assert len(made) == size
    return made


@pytest.mark.parametrize("size", [1, 1000, 65536])
def test_longest_head(loop: asyncio.AbstractEventLoop, size: int) -> None:
    """L1: A head of 80 KiB is parsed, a longer one never ends, whatever the size of its parts."""
    for length, too_long in ((80 * 1024, False), (80 * 1024 + 1 + size, True)):
        parser, sent = opened(loop), head(length)
        found = 0
        with pytest.raises(HeadTooLong) if too_long else nullcontext():
            for at in range(0, length, size):
                found += len(parser.feed_data(sent[at : at + size])[0])

        assert found == (0 if too_long else 1)


def test_nothing_after_an_error(parser: MeasuredParser) -> None:
    """L1: Behind a request that cannot be parsed nothing is parsed, so that it cannot grow."""
    with pytest.raises(HttpProcessingError):
        parser.feed_data(b"\x00\r\n\r\n")

    assert parser.feed_data(GET) == ([], False, b"")


def test_bodies_are_no_heads(parser: MeasuredParser) -> None:
    """L1: The length of a body does not count."""
    parser.feed_data(POST + b"Content-Length: 1000000\r\n\r\n")
    for _ in range(1000):
        parser.feed_data(b"\r\n\r\nGET / " * 100)

    assert not parser.excessive
    assert parser.between


def test_small_chunks_are_no_excess(parser: MeasuredParser) -> None:
    """L1: A body in chunks of a byte each is read."""
    parser.feed_data(CHUNKED + b"1\r\nx\r\n" * 200_000)

    assert not parser.excessive


@pytest.mark.parametrize("extra", [b"1;" + b"e" * 2000 + b"\r\nx\r\n", b"0\r\n" + b"X: " + b"x" * 2000 + b"\r\n"])
def test_extensions_and_trailers(parser: MeasuredParser, extra: bytes) -> None:
    """L1: Far more around a body's chunks, or behind them, than in them is an excess."""
    parser.feed_data(CHUNKED)
    parser.feed_data(extra)
    assert not parser.excessive
    for _ in range(400):
        parser.feed_data(extra.removeprefix(b"0\r\n"))

    assert parser.excessive
