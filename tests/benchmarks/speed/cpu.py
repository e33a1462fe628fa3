"""The processor time of programs, as Linux counts it to the nanosecond for each thread.

That is the first number of `/proc/PID/task/TID/schedstat` (the kernel's "Scheduler Statistics"). `/proc/PID/stat`
counts in hundredths of a second, which is more than a short list takes.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from deploy.demo.processes import Server

_GROUP = 2  # its place in `stat` after the program's name
_ENDED = (FileNotFoundError, ProcessLookupError)


def used(servers: Iterable[Server]) -> float:
    """Give the seconds that all threads of these servers have used, in user mode and in the kernel.

    Threads that have ended do not count.
    """
    groups = {server.popen.pid for server in servers}  # each server leads a process group, where its workers are
    of_servers = (process for process in _numbered(Path("/proc")) if _group(process) in groups)
    return sum(_nanoseconds(thread) for process in of_servers for thread in _numbered(process / "task")) / 1e9


def _group(process: Path) -> int | None:
    words = _read(process / "stat").rpartition(")")[2].split()  # the name may contain anything
    return int(words[_GROUP]) if words else None


def _nanoseconds(thread: Path) -> int:
    words = _read(thread / "schedstat").split()
    return int(words[0]) if words else 0


def _numbered(folder: Path) -> Iterable[Path]:
    with suppress(*_ENDED):
        yield from [entry for entry in folder.iterdir() if entry.name.isdigit()]


def _read(file: Path) -> str:
    """Read a file, which is empty for what has just ended."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except _ENDED:
        return ""
