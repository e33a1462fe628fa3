"""The processor time of programs, as Linux counts it (proc(5), "/proc/pid/stat")."""

import os
from collections.abc import Iterable
from pathlib import Path

from deploy.demo.processes import Server

_TICKS = os.sysconf("SC_CLK_TCK")
_GROUP, _UTIME, _STIME = 2, 11, 12  # places after the program's name


def used(servers: Iterable[Server]) -> float:
    """Give the seconds that all processes of these servers have used, in user mode and in the kernel."""
    groups = {server.popen.pid for server in servers}  # each server leads a process group, where its workers are
    return sum(ticks for group, ticks in map(_group_and_ticks, _stats()) if group in groups) / _TICKS


def _stats() -> Iterable[str]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                yield (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended


def _group_and_ticks(stat: str) -> tuple[int, int]:
    words = stat.rpartition(")")[2].split()  # the name may contain anything
    return int(words[_GROUP]), int(words[_UTIME]) + int(words[_STIME])
