"""Ending with the process that started this one, however that ends (Linux, prctl(2)).

A supervisor that is killed could not stop its services any more, and nobody else would know them:
they would hold the ports of those that are started next.  So each process of a box is told by the
kernel when its parent is gone, and stops as it does when it is told to.

`python -m hausbote.base.parent PROGRAM ARGUMENT...` does it for programs that are not ours: what
was asked of the kernel outlives execve(2).
"""

import ctypes
import os
import signal
import sys
from typing import Final

PARENT: Final = "HAUSBOTE_PARENT"  # in the environment: the process that whoever reads it ends with
_PR_SET_PDEATHSIG: Final = 1


def end_with_parent() -> None:
    """Get SIGTERM when the parent ends; a process that nobody tied to one is left alone.

    The kernel means the parent's thread that made this process, so parents start theirs in the main
    thread.  A parent that ended before the kernel was asked is seen by its id.
    """
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if str(os.getppid()) != parent:
        sys.exit("the process that started this one is gone")


def main(arguments: list[str]) -> None:
    """Become another program that ends with its parent, as will all that it starts."""
    end_with_parent()
    os.environ[PARENT] = str(os.getpid())
    os.execvp(arguments[0], arguments)  # noqa: S606 - what our own configuration names


if __name__ == "__main__":
    main(sys.argv[1:])
