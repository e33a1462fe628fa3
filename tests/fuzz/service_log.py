"""Judges what the process printed: only JSON lines, no exception, no secret, at DEBUG."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.exchanges import Fault, shown

# These say nothing unless something went wrong in the service itself, such as an exception that nobody caught.
_LIBRARIES = ("asyncio", "aiohttp.server", "aiohttp.client", "aiohttp.internal", "aiohttp.web")


class ServiceLog:
    """Reads a growing file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._rest = b""
        self.lines = 0

    def faults(self) -> Iterator[Fault]:
        """Judge the whole lines since the last time."""
        with self._path.open("rb") as file:
            file.seek(self._place)
            new = file.read()
        self._place += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        self.lines += len(lines)
        for line in lines:
            yield from faults_of(line)


def faults_of(line: bytes) -> Iterator[Fault]:
    if forms := shown(line):
        yield "no secret", f"{forms} is logged: {line[:400]!r}"
    try:
        record = json.loads(line)
    except ValueError:
        yield "the log", f"a line that is no JSON: {line[:400]!r}"
        return
    if "exception" in record or str(record.get("logger")).startswith(_LIBRARIES):
        yield "the log", f"an error of the service's own: {line[-1500:]!r}"
