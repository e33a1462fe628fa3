"""Changes of how requests are told apart on a connection, of the request line, and of single bytes."""

from random import Random

from tests.fuzz.drafts import Draft
from tests.fuzz.people import BY_NAME

_METHODS = (
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "SEARCH",
    "get",
    "GE T",
    "G\x00T",
    "É",
    "",
    "POST",
)
_VERSIONS = (
    "HTTP/1.0",
    "HTTP/0.9",
    "HTTP/2.0",
    "HTTP/1.2",
    "HTTP/1.1 ",
    "http/1.1",
    "HTTP/11",
    "",
    "HTTP/1.1\x00",
    "ICY",
)
_LENGTHS = ("-1", "+5", "0x10", "1_0", "٣", "99999999999999999999", "1e3", "", " ", "5, 5", "5, 6", "00", "abc")
_CODINGS = (
    "chunked",
    "Chunked",
    "chunked, identity",
    "gzip, chunked",
    "xchunked",
    "identity",
    "chunked\x0b",
    " chunked",
    "",
)
_SIZES = (b"%x", b"%X", b"0%x", b"%x;ext=1", b'%x;ext="\r\n"', b"%x ", b" %x", b"+%x", b"0x%x", b"-%x", b"%xg")


def use_another_method(draft: Draft, random: Random) -> None:
    draft.method = random.choice(_METHODS)


def use_another_version(draft: Draft, random: Random) -> None:
    draft.version = random.choice(_VERSIONS)


def lie_about_the_length(draft: Draft, random: Random) -> None:
    """Announce more or fewer bytes than follow, or what is no number, once or twice."""
    real = len(draft.body or b"")
    near = (str(real + 1), str(real + 50), str(max(real - 1, 0)), str(real // 2), "0")
    draft.length = random.random() < 0.3
    draft.headers.append(("Content-Length", random.choice((*near, *near, *_LENGTHS))))


def send_chunks(draft: Draft, random: Random) -> None:
    """Send the body in chunks: mostly well-formed, else with a size, an end or a coding that is not."""
    body = draft.body or b""
    cut = random.randrange(len(body) + 1)
    parts = [part for part in (body[:cut], body[cut:]) if part]
    well = random.random() < 0.5
    size = b"%x" if well else random.choice(_SIZES)
    end = (
        b"0\r\n\r\n"
        if well
        else random.choice((b"", b"0\r\n", b"0\r\nX-Trailer: 1\r\n\r\n", b"00000\r\n\r\n", b"\r\n0\n\n"))
    )
    draft.headers.append(("Transfer-Encoding", "chunked" if well else random.choice(_CODINGS)))
    draft.length = not well and random.random() < 0.4
    draft.body = b"".join(size % len(part) + b"\r\n" + part + b"\r\n" for part in parts) + end


def smuggle_a_request(draft: Draft, random: Random) -> None:
    """Let another request follow that has a token of its own: it is a request of that caller, or a part of this one."""
    person = random.choice((BY_NAME["outsider"], draft.holders[0][0] if draft.holders else BY_NAME["outsider"]))
    token = person.token(f"smuggled-{draft.identity}")
    draft.holders.append((person, token))
    method, path = random.choice(
        (("GET", "/stripe/customers?limit=2"), ("DELETE", "/stripe/subscriptions/sub_FOREIGN"))
    )
    lines = (f"{method} {path} HTTP/1.1", "Host: sidecar.test", f"Authorization: Bearer {token}", "Connection: close")
    draft.tail = random.choice((b"", b"\r\n", b"0\r\n\r\n", b"\n")) + "\r\n".join((*lines, "", "")).encode()
    if random.random() < 0.6:
        draft.drop("Connection")
    if random.random() < 0.4:
        draft.headers.append(random.choice((("Content-Length", "0"), ("Transfer-Encoding", "chunked"))))


def use_line_feeds(data: bytes, random: Random) -> bytes:
    return data.replace(b"\r\n", random.choice((b"\n", b"\r", b"\r\r\n", b"\x0b\r\n")), random.choice((1, 2, 99)))


def flip_bytes(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def cut_bytes(data: bytes, random: Random) -> bytes:
    """Leave out a part in the middle."""
    start = random.randrange(len(data))
    return data[:start] + data[start + random.choice((1, 2, 10)) :]


def repeat_bytes(data: bytes, random: Random) -> bytes:
    start = random.randrange(len(data))
    return data[:start] + data[start : start + 30] * random.choice((2, 20)) + data[start + 30 :]


def stop_early(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(1, len(data))]


def begin_with_another_protocol(data: bytes, random: Random) -> bytes:
    hello = (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n",
        b"\x00" * 20,
    )
    return random.choice((*hello, b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n")) + data


FRAMING = (
    use_another_method,
    use_another_method,
    use_another_version,
    lie_about_the_length,
    send_chunks,
    send_chunks,
    smuggle_a_request,
)
BYTES = (use_line_feeds, flip_bytes, flip_bytes, cut_bytes, repeat_bytes, stop_early, begin_with_another_protocol)
