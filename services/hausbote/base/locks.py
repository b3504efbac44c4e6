"""Locks that say which services of a box run: run/NAME.lock in the state directory.

Containers do not see each other's processes, but all of them see these files, as does a second box
that was given the same state directory.  A lock is of the open file, not of the process (OFD locks,
fcntl(2)): it stays when its holder becomes another program, and is gone with the last process that
has the file open.  What its holder wrote into the file says how the service is.
"""

import fcntl
import os
import struct
from pathlib import Path
from typing import Final, Self

RUNNING: Final = "running"  # what a holder says of a service that is as it should be
MIGRATING: Final = "The database is being brought up to date, which may take a while."
_FLOCK: Final = "hhqqi4x"  # struct flock: type, whence, start, length, process
_MOST: Final = 1_000  # bytes that a holder says


class ServiceLock:
    """The lock of one service, taken or not."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, directory: Path, service: str) -> Self | None:
        """None if somebody has it; OSError if the directory cannot be used."""
        descriptor = os.open(_path(directory, service), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole(fcntl.F_WRLCK))
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return None
        return cls(descriptor)

    def say(self, text: str) -> None:
        """For others: `RUNNING`, or a sentence that tells what is wrong."""
        try:
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, text.encode()[:_MOST], 0)
        except OSError:  # a full disk: who asks hears nothing
            return

    def outlive_exec(self) -> int:
        """Let the program have it that this process becomes; returns the descriptor."""
        os.set_inheritable(self.descriptor, True)
        return self.descriptor

    def give_up(self) -> None:
        os.close(self.descriptor)


def holder_says(directory: Path, service: str) -> str | None:
    """What the holder says; None if nobody has the lock."""
    try:
        descriptor = os.open(_path(directory, service), os.O_RDONLY)
    except OSError:
        return None
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _whole(fcntl.F_WRLCK))
        if struct.unpack(_FLOCK, answer)[0] == fcntl.F_UNLCK:
            return None
        return os.read(descriptor, _MOST).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def _path(directory: Path, service: str) -> Path:
    return directory / f"{service}.lock"


def _whole(kind: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0)
