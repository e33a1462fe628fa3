"""What the machine and a process say of themselves (Linux's /proc)."""

import asyncio
import os
from pathlib import Path


class Busy:
    """How much of the processors' time is used, in percent, since this was made."""

    def __init__(self) -> None:
        self._began = _ticks()

    def percent(self) -> float:
        idle, everything = (now - then for now, then in zip(_ticks(), self._began, strict=True))
        return 100 * (1 - idle / everything) if everything else 0.0


async def others(seconds: float) -> float:
    """Give the percentage of the processors that is used while nothing of ours runs."""
    busy = Busy()
    await asyncio.sleep(seconds)
    return busy.percent()


def most_memory(process: int) -> float:
    """Give the most that a process has had in memory since it began, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1_000_000


def load() -> float:
    return os.getloadavg()[0]


def _ticks() -> tuple[int, int]:
    """Give the idle ticks, waiting for disks included, and all ticks (proc(5), "/proc/stat")."""
    ticks = [int(word) for word in Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)
