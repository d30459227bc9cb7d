"""Becomes another program that ends when its parent does; run as a script, so it imports the standard library alone.

The alternative, `preexec_fn`, runs Python between fork and exec and is unsafe once the parent has threads. This costs
a bare interpreter's start, about 20 ms.

Usage: launch.py DEATH_SIGNAL PARENT_PID UID GID PROGRAM [ARGUMENT…], with -1 for an id to keep.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # Source: prctl(2)
_PR_SET_NO_NEW_PRIVS = 38

_EXIT_CANNOT_RUN = 126


def main(death_signal: int, parent: int, uid: int, gid: int, argv: list[str]) -> None:
    """Drop rights, tie this process to `parent`, and run `argv`."""
    is_linux = sys.platform == "linux"
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        if is_linux:
            ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if is_linux:  # after the change of user, which clears it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel knew that we care
            sys.exit(_EXIT_CANNOT_RUN)
    try:
        os.execv(argv[0], argv)  # noqa: S606 - the point of this script; no shell wanted
    except OSError as error:
        sys.exit(f"cannot run {argv[0]}: {error.strerror}")


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:5]]
    main(numbers[0], numbers[1], numbers[2], numbers[3], sys.argv[5:])
