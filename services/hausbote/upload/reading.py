"""A part of a file, piece by piece, for the WSGI server.

What the kernel has in memory is read at once; for the rest a thread waits for the disk, and brings
more of it into memory than is asked for.  There is one small buffer, however large the file.
"""

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any, Final

_PIECE: Final = 16_384  # what fits into one TLS record
_AHEAD: Final = 1_048_576


class Reading:
    """Bytes `first` up to `end`; `close` closes the descriptor."""

    def __init__(self, descriptor: int, first: int, end: int, compute: Callable[..., Any]) -> None:
        self._descriptor = descriptor
        self._at = first
        self._end = end
        self._compute = compute

    def __iter__(self) -> Iterator[memoryview]:
        view = memoryview(bytearray(min(_PIECE, self._end - self._at)))
        while self._at < self._end:
            piece = view[: self._end - self._at]
            size = self._read(piece)
            if size == 0:  # the file is shorter than it was
                raise ConnectionAbortedError(errno.ECONNABORTED, "the file is not whole")
            self._at += size
            yield piece[:size]

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self, piece: memoryview) -> int:
        try:
            return os.preadv(self._descriptor, [piece], self._at, os.RWF_NOWAIT)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EOPNOTSUPP):
                raise
        size: int = self._compute(self._wait_for_disk, piece)
        return size

    def _wait_for_disk(self, piece: memoryview) -> int:
        os.posix_fadvise(self._descriptor, self._at, _AHEAD, os.POSIX_FADV_WILLNEED)
        return os.preadv(self._descriptor, [piece], self._at)
