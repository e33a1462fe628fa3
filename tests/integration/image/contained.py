"""`python contained.py ROOT FOLDER USER COMMAND…` runs a command in an unpacked image as Kubernetes runs a container.

Its root is read-only, its user a number, it has no capabilities and can gain none. Standard library only, without the
checkout: it becomes the command. Needs root and the right to mount; raises OSError without them.
"""

import ctypes
import os
import sys
from pathlib import Path

# linux/sched.h, linux/mount.h and linux/prctl.h
_NEW_MOUNTS = 0x00020000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18
_DROP_CAPABILITY, _NO_NEW_PRIVILEGES = 24, 38
_SHARED = ("/proc", "/dev")  # what an engine gives every container
_libc = ctypes.CDLL(None, use_errno=True)


def main(root: str, folder: str, user: str, *command: str) -> None:
    enter_own_mounts()
    _bind(root, root)
    for place in _SHARED:
        _bind(place, root + place)
    _mount(root, root, _BIND | _REMOUNT | _READ_ONLY)
    last_capability = int(Path("/proc/sys/kernel/cap_last_cap").read_bytes())
    os.chroot(root)
    os.chdir(folder)
    _give_up_capabilities(last_capability)
    _become(*map(int, user.split(":")))
    os.execvp(command[0], command)  # noqa: S606 - the image's own command, on the image's PATH


def enter_own_mounts() -> None:
    """Leave the machine's mounts, so that what is mounted from here on ends with the process. Raises OSError."""
    _checked(_libc.unshare(_NEW_MOUNTS))
    _mount("none", "/", _RECURSIVE | _PRIVATE)


def _bind(source: str, target: str) -> None:
    _mount(source, target, _BIND | _RECURSIVE)


def _mount(source: str, target: str, flags: int) -> None:
    _checked(_libc.mount(source.encode(), target.encode(), None, ctypes.c_ulong(flags), None))


def _give_up_capabilities(last: int) -> None:
    for capability in range(last + 1):
        _checked(_libc.prctl(_DROP_CAPABILITY, capability, 0, 0, 0))
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))


def _become(user: int, group: int) -> None:
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main(*sys.argv[1:])
