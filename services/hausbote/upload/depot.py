"""Where uploaded files lie on the disk, by their ids: DIR/ab/abcdef...

A file comes into being under another name and is moved to its place when all of it is on the disk,
so that what is in its place is whole.  Most of this waits for the disk and belongs into a thread.
"""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_ID: Final = re.compile(r"[0-9a-f]{32}")
_INCOMING: Final = "incoming"
_PIECE: Final = 1_048_576


class DiskFull(Exception):
    """There is no room for this file."""


def is_id(text: str) -> bool:
    """Whether this can be the id of a file; nothing else ever becomes part of a path."""
    return _ID.fullmatch(text) is not None


class Depot:
    """All files of the box."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._incoming = directory / _INCOMING
        self._prefix = f"{directory}/"

    def prepare(self) -> None:
        """Make its directories; what a process that was killed left of uploads goes."""
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(256):
            (self._directory / f"{number:02x}").mkdir(mode=0o700, exist_ok=True)
        _fsync_directory(self._directory)
        for left in self._incoming.iterdir():
            left.unlink()

    def has_room(self, size: int, spare: int) -> bool:
        """Whether `spare` bytes stay free beside a file of that size."""
        return shutil.disk_usage(self._directory).free >= size + spare

    def begin(self, id: str, size: int) -> "Incoming":
        """A new file, for which there is room from now on; DiskFull, or another OSError."""
        incoming = Incoming(self._incoming / id, self._place(id))
        try:
            incoming.reserve(size)
        except BaseException:
            incoming.discard()
            raise
        return incoming

    def put(self, id: str, content: bytes | memoryview) -> bytes:
        """A whole file at once; likewise, and nothing is left of it then."""
        incoming = Incoming(self._incoming / id, self._place(id))
        try:
            incoming.write(content)
            return incoming.finish()
        except BaseException:
            incoming.discard()
            raise

    def open(self, id: str) -> int:
        """A descriptor to read; FileNotFoundError if there is no such file."""
        return os.open(self._path(id), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)

    def remove(self, id: str) -> None:
        """Remove a file, if it is there."""
        self._place(id).unlink(missing_ok=True)

    def digest(self, id: str) -> tuple[int, bytes]:
        """Size and digest of a file as it is now; OSError if it cannot be read."""
        seen, size = hashlib.sha256(), 0
        with open(self.open(id), "rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                seen.update(piece)
                size += len(piece)
        return size, seen.digest()

    def ids(self) -> Iterator[str]:
        """Of all files in their places."""
        for path in self._directory.glob("[0-9a-f][0-9a-f]/*"):
            if is_id(path.name):
                yield path.name

    def _place(self, id: str) -> Path:
        return Path(self._path(id))

    def _path(self, id: str) -> str:
        """Its place as text: making a Path takes longer than opening the file."""
        if not is_id(id):
            raise ValueError("not an id of a file")
        return f"{self._prefix}{id[:2]}/{id}"


class Incoming:
    """A file on its way in; one of `finish` and `discard` ends it."""

    def __init__(self, here: Path, place: Path) -> None:
        self._here = here
        self._place = place
        self._digest = hashlib.sha256()
        with _room():
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(here, flags, 0o600)

    def reserve(self, size: int) -> None:
        """Room for that many bytes, in one piece if there is such a one; DiskFull, or another
        OSError."""
        with _room():
            os.posix_fallocate(self._descriptor, 0, size)

    def write(self, piece: bytes | memoryview) -> None:
        """DiskFull, or another OSError."""
        rest = memoryview(piece)
        with _room():
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self._digest.update(piece)

    def finish(self) -> bytes:
        """Put it into its place and return its digest: then it survives a power cut.

        It gets its place first, so that one transaction of the file system writes both.  Until
        then nobody looks there: the row that says so comes afterwards.
        """
        with _room():
            os.rename(self._here, self._place)
            os.fdatasync(self._descriptor)
            _fsync_directory(self._place.parent)
        os.close(self._descriptor)
        return self._digest.digest()

    def discard(self) -> None:
        """Leave nothing of it."""
        with suppress(OSError):
            os.close(self._descriptor)
        self._here.unlink(missing_ok=True)
        self._place.unlink(missing_ok=True)


class _room:
    """Tells a full disk from other troubles with it."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, _trace: object) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull from error


def _fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
