"""A client that sends exactly the given bytes and gives exactly the received bytes."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.doubles.waiting import PATIENCE

_HEX = re.compile(rb"[0-9a-fA-F]+")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3} ")


@dataclass(frozen=True, slots=True)
class Answer:
    """`raw` contains all bytes until the connection ended; `whole` says whether the body is complete as in HTTP."""

    raw: bytes
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool
    seconds: float

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        return json.loads(self.body)

    @property
    def extensions(self) -> dict[str, Any]:
        """The extensions of the first error; empty for an answer without an error."""
        body = self.json() if self.status >= 400 and self.body else {}
        extensions: dict[str, Any] = body["errors"][0]["extensions"] if "errors" in body else {}
        return extensions

    @property
    def code(self) -> str | None:
        return self.extensions.get("code")

    @property
    def message(self) -> str:
        return str(self.json()["errors"][0]["message"])

    @property
    def status_lines(self) -> int:
        return len(_STATUS_LINE.findall(self.raw))

    def header(self, name: str) -> str | None:
        found = [value for header, value in self.headers if header.lower() == name.lower()]
        assert len(found) <= 1, f"{name} is there twice"
        return found[0] if found else None


def request_bytes(method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> bytes:
    """Write one request with `Connection: close`; nothing is encoded or checked."""
    lines = [f"{method} {target} HTTP/1.1", "Host: sidecar.test", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + (body or b"")


async def exchange(port: int, sent: bytes, *, source: str = "127.0.0.1", within: float = PATIENCE) -> Answer:
    """Send bytes from the address `source`, and read until the server closes the connection."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with asyncio.timeout(within):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        try:
            writer.write(sent)
            raw = await _read_all(reader)
        finally:
            writer.close()
    return parse(raw, loop.time() - started)


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    received = bytearray()
    try:
        while block := await reader.read(65536):
            received += block
    except ConnectionError:
        pass  # a reset also ends the connection
    return bytes(received)


def parse(raw: bytes, seconds: float = 0) -> Answer:
    """Read one answer; status 0 means no answer."""
    if not raw:
        return Answer(raw, 0, (), b"", whole=False, seconds=seconds)
    head, _, rest = raw.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    names = {name.lower(): value for name, value in headers}
    body, whole = _body(names, rest)
    return Answer(raw, int(status_line.split(" ")[1]), headers, body, whole, seconds)


def _body(headers: dict[str, str], rest: bytes) -> tuple[bytes, bool]:
    if headers.get("transfer-encoding") == "chunked":
        return _unchunk(rest)
    return rest, len(rest) == int(headers.get("content-length", "0"))


def _unchunk(rest: bytes) -> tuple[bytes, bool]:
    body = bytearray()
    while True:
        size, found, rest = rest.partition(b"\r\n")
        if not found or not _HEX.fullmatch(size):
            return bytes(body), False
        length = int(size, 16)
        if length == 0:
            return bytes(body), rest == b"\r\n"
        body += rest[:length]
        if len(rest) < length + 2:
            return bytes(body), False
        rest = rest[length + 2 :]
