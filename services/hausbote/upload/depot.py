"""Where uploaded files lie on the disk, by their ids: DIR/ab/abcdef...

A file comes into being as DIR/incoming/abcdef... and gets its place when all of it is there, so
that what is in its place is whole.  Its first name goes when it has a row: by those that are left,
the next process finds what a killed one had not finished.  Most of this waits for the disk and
belongs into a thread.
"""

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Final

from hausbote.base.file_locks import Held, locked
from hausbote.base.files import free_bytes, sync_directory

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

    def prepare(self, has_row: Callable[[str], bool]) -> None:
        """Make its directories; what a process that was killed left of uploads goes, but for
        files that have their rows."""
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(256):
            (self._directory / f"{number:02x}").mkdir(mode=0o700, exist_ok=True)
        sync_directory(self._directory)
        for id in self.unfinished():
            if not has_row(id):
                self.remove(id)
            (self._incoming / id).unlink()

    def has_room(self, size: int, spare: int) -> bool:
        """Whether `spare` bytes stay free beside a file of that size."""
        return free_bytes(self._directory) >= size + spare

    def begin(self, id: str, size: int) -> "Incoming":
        """A new file, for which there is room from now on; DiskFull, or another OSError."""
        incoming = Incoming(self._incoming / id, self._place(id))
        try:
            incoming.reserve(size)
        except BaseException:
            incoming.discard()
            raise
        return incoming

    def put(self, id: str, content: bytes | memoryview) -> "Incoming":
        """A whole file at once, finished; likewise, and nothing is left of it then."""
        incoming = Incoming(self._incoming / id, self._place(id))
        try:
            incoming.write(content)
            incoming.finish()
        except BaseException:
            incoming.discard()
            raise
        return incoming

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

    def unfinished(self) -> Iterator[str]:
        """Ids of files that may not have their rows yet."""
        for path in self._incoming.glob("*"):
            if is_id(path.name):
                yield path.name

    def _place(self, id: str) -> Path:
        return Path(self._path(id))

    def _path(self, id: str) -> str:
        """Its place as text: making a Path takes longer than opening the file."""
        if not is_id(id):
            raise ValueError("not an id of a file")
        return f"{self._prefix}{id[:2]}/{id}"


def remove_files(depot: Depot, ids: list[str], lock: Path) -> bool:
    """Remove these files; False, and none is removed, if somebody holds the lock, which means that
    none may be."""
    try:
        with locked(lock) if lock.parent.is_dir() else nullcontext():
            for id in ids:
                depot.remove(id)
    except Held:
        return False
    return True


class Incoming:
    """A file on its way in: `write` all of it, `finish`, and when it has its row `settle`.

    `discard` ends it at any time before that.
    """

    def __init__(self, here: Path, place: Path) -> None:
        self._here = here
        self._place = place
        self._seen = hashlib.sha256()
        self._has_place = False
        with _room():
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(here, flags, 0o600)

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what was written."""
        return self._seen.digest()

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
        self._seen.update(piece)

    def finish(self) -> None:
        """Put it into its place: then it survives a power cut.

        It gets its place first, so that one transaction of the file system writes both.  Until
        it has a row nobody looks there.
        """
        with _room():
            os.link(self._here, self._place)
            self._has_place = True
            os.fdatasync(self._descriptor)
            sync_directory(self._place.parent)
        self._close()

    def settle(self) -> None:
        """It has its row; if this fails, the next `prepare` will do it."""
        with suppress(OSError):
            self._here.unlink()

    def discard(self) -> None:
        """Leave nothing of it."""
        self._close()
        if self._has_place:
            self._place.unlink(missing_ok=True)
        self._here.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)


class _room:
    """Tells a full disk from other troubles with it."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, _trace: object) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull from error
