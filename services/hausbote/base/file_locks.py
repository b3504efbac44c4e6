"""Locks between processes of one machine: flock(2) on a file, given back however a process ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_AGAIN: Final = 0.05  # seconds between two attempts


class Held(Exception):
    """Somebody else holds the lock."""


@contextmanager
def locked(path: Path, *, shared: bool = False, patience: float = 0.0) -> Iterator[int]:
    """Hold the lock, alone or with others that share it, and give the file's descriptor; Held if
    others hold it for longer than `patience` seconds.

    The file is made if need be, and stays.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, time.monotonic() + patience)
        yield descriptor
    finally:
        os.close(descriptor)


def share(descriptor: int) -> None:
    """Let others share a lock that was held alone."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def _take(descriptor: int, how: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Held from None
        time.sleep(_AGAIN)
