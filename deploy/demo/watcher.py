"""A program that ends the children of a process when that process has ended. `children` starts it and says why.

Its standard input is a pipe with one line for each process group, its number. The pipe ends with the parent.
"""

import os
import select
import signal
import sys
import time
from contextlib import suppress

_GRACE = 3.0  # seconds from SIGTERM to SIGKILL; short, since nobody waits for the result
_POLL = 0.1
_PRUNE = 1.0  # seconds; far less than a system takes to reuse a process number


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
    """Signal a process and all its children, if any of them is left."""
    with suppress(ProcessLookupError, PermissionError):  # macOS raises the second for a group of zombies
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
