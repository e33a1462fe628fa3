"""Ends what a process has started once that process is gone. A program of its own; see `children`, which starts it.

Standard input is a pipe: one line with the number of each process group, and its end when the starter has ended.
"""

import os
import select
import signal
import sys
import time
from contextlib import suppress

_GRACE = 3.0  # seconds from SIGTERM to SIGKILL; nobody waits for an orderly end any more
_POLL = 0.1
_PRUNE = 1.0  # seconds; far less than it takes until a number is given to another process


def main() -> None:
    groups = _left_at_the_end(sys.stdin.fileno())
    for group in groups:
        signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while any(map(_is_left, groups)) and time.monotonic() < deadline:
        time.sleep(_POLL)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def signal_group(leader: int, number: int) -> None:
    """Signal a process and all its children; when none of them is left, nothing happens."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says the second of a group of zombies
        os.killpg(leader, number)


def _left_at_the_end(pipe: int) -> set[int]:
    rest, groups = b"", set[int]()
    while True:
        ready, _, _ = select.select([pipe], [], [], _PRUNE)
        groups = set(filter(_is_left, groups))
        if not ready:
            continue
        read = os.read(pipe, 4096)
        if not read:
            return groups
        *lines, rest = (rest + read).split(b"\n")
        groups.update(map(int, lines))


def _is_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
