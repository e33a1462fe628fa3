"""The load client of the benchmarks."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.load import Asked, Body

_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Give the head of an answer, and its body in the parts in which it arrives."""
    text = st.text(alphabet="[]0,x\n", max_size=40).map(str.encode)
    if draw(st.booleans()):
        chunks = [chunk for chunk in draw(st.lists(text)) if chunk]
        head, body = _CHUNKED, b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    else:
        body = draw(text)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: text/plain" % len(body)
    cuts = sorted(draw(st.sets(st.integers(0, len(body)))) | {0, len(body)})
    return head, [body[start:end] for start, end in pairwise(cuts)] or [b""]


@given(answers())
def test_end_of_body(answer: tuple[bytes, list[bytes]]) -> None:
    """A body ends with its last part and no earlier, with a Content-Length and in chunks, however it is cut."""
    head, parts = answer
    body = Body(head)

    assert [body.ends_with(part) for part in parts] == [False] * (len(parts) - 1) + [True]


def test_numbered_requests() -> None:
    """No two requests have the same number, on whatever connection, and connections use the tokens in turn."""
    requests = Asked("http://sidecar/pages?created[lt]={n}&limit=1", ["a", "b"], first=10, step=5).requests()
    first, second, third = requests(0), requests(1), requests(2)

    sent = [request().decode() for request in (first, second, first, third)]

    assert [line.partition(" HTTP")[0] for line in sent] == [
        f"GET /pages?created[lt]={number}&limit=1" for number in (10, 15, 20, 25)
    ]
    assert [line.partition("Bearer ")[2].strip() for line in sent] == ["a", "b", "a", "a"]


def test_same_request() -> None:
    """Without a place for a number all requests are the same."""
    request = Asked("http://sidecar/pages?limit=1", ["a"]).requests()(0)

    assert request() == request() == b"GET /pages?limit=1 HTTP/1.1\r\nHost: sidecar\r\nAuthorization: Bearer a\r\n\r\n"
