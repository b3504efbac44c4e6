"""Bodies of answers that are sent a piece at a time: of bytes that many share, or of a file.

Of a file, what the kernel has in memory is read at once; for the rest a thread waits for the disk,
and brings more of it into memory than is asked for.  All downloads read into the same small buffer,
which is free again when a piece was encrypted: who waits for a slow peer holds nothing.
"""

import errno
import os
from collections.abc import Callable
from typing import Any, Final

from hausbote.net.http_socket import CHUNK

_AHEAD: Final = 1_048_576
_shared: Final = memoryview(bytearray(CHUNK))


class Stored:
    """An answer's body that can be read again: `size` bytes."""

    size: int

    def piece(self, at: int) -> memoryview:
        """Up to CHUNK bytes from there on, the same ones each time; good until somebody waits."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing more is read."""


class StoredBytes(Stored):
    """What is in memory already."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content = memoryview(content)

    def piece(self, at: int) -> memoryview:
        return self._content[at : at + CHUNK]

    def close(self) -> None:
        pass


class StoredFile(Stored):
    """Bytes `first` up to `end`; `close` closes the descriptor.  `compute` calls in a thread."""

    def __init__(self, descriptor: int, first: int, end: int, compute: Callable[..., Any]) -> None:
        self.size = end - first
        self._descriptor = descriptor
        self._first = first
        self._compute = compute

    def piece(self, at: int) -> memoryview:
        wanted, place = _shared[: self.size - at], self._first + at
        try:
            size = os.preadv(self._descriptor, [wanted], place, os.RWF_NOWAIT)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EOPNOTSUPP):
                raise
            size = 0
        if size < len(wanted):
            wanted = memoryview(bytearray(len(wanted)))  # others go on meanwhile
            size = self._compute(self._wait_for_disk, wanted, place)
        if size < len(wanted):
            raise ConnectionAbortedError(errno.ECONNABORTED, "the file is not whole")
        return wanted

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _wait_for_disk(self, piece: memoryview, place: int) -> int:
        os.posix_fadvise(self._descriptor, place, _AHEAD, os.POSIX_FADV_WILLNEED)
        return os.preadv(self._descriptor, [piece], place)
