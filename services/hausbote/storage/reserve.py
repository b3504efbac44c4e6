"""The room on the disk that what people send may not take: others are to read, delete and leave.

Part of it is a file of zeros beside the database, the ballast.  Whatever else fills the disk, even
deleting needs some room (for the write-ahead log), and so does opening the database: then the
ballast is deleted, and made again when there is room for it.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from hausbote.base.files import free_bytes

_LARGEST_BALLAST: Final = 16 * 1024 * 1024  # bytes
# Bytes on their way: what is queued, and the write-ahead log, which shrinks to half of that.
_UNDER_WAY: Final = 16 * 1024 * 1024
_MORE: Final = 8 * 1024 * 1024  # bytes that it must have besides, once it is low: the log shrinks
_TO_OPEN: Final = 4 * 1024 * 1024  # bytes that SQLite needs to open and change the database
_FOR_FILES: Final = 65_536  # bytes that a file takes besides its content
_LOOK: Final = 0.05  # seconds between two looks at the disk


def ballast_of(database: Path) -> Path:
    """Where the ballast of a database lies."""
    return database.with_name(f"{database.name}.ballast")


def give_up_ballast(database: Path) -> bool:
    """Let others have its room; False if there is none."""
    try:
        ballast_of(database).unlink()
    except OSError:
        return False
    return True


def make_way(database: Path) -> None:
    """Before the database is opened: give up the ballast if it could not be otherwise."""
    if free_bytes(database.parent) < _TO_OPEN:
        give_up_ballast(database)


class Reserve:
    """`size` bytes of the disk on which the database is; 0 = everything may be filled.

    `spare` tells how many bytes inside the database are free.
    """

    def __init__(
        self,
        database: Path,
        size: int,
        spare: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._spare = spare
        self._clock = clock
        self._looked_at = -_LOOK
        self._is_low = False
        self.size = size
        self._ballast = min(_LARGEST_BALLAST, size // 4)

    @property
    def is_low(self) -> bool:
        """Whether what would fill the disk is to be refused."""
        now = self._clock()
        if now - self._looked_at >= _LOOK:
            self._looked_at = now
            self._is_low = self._look()
        return self._is_low

    @property
    def free(self) -> int:
        """Bytes that are free on the disk."""
        return free_bytes(self._database.parent)

    @property
    def room(self) -> int:
        """Bytes that may still be taken before `is_low`; below 0 then."""
        return self.free + self._spare() - self.size - _UNDER_WAY

    def of(self, directory: Path) -> int:
        """Bytes that are reserved on the disk of that directory."""
        here = os.stat(directory).st_dev == os.stat(self._database.parent).st_dev
        return self.size if here else 0

    def give_up(self) -> bool:
        """Delete the ballast, because the disk is full; False if there is none."""
        return self.size > 0 and give_up_ballast(self._database)

    def restore(self) -> None:
        """Make the ballast again, if there is room for it beside the reserve."""
        path = ballast_of(self._database)
        held = _size(path)
        if held < self._ballast and self.free + held >= self.size + self._ballast:
            _allocate(path, self._ballast)

    def restore_a_little(self) -> None:
        """When nothing runs any more: make a ballast of what is free if that is little, so that the
        next start finds some room whatever fills the disk meanwhile."""
        path = ballast_of(self._database)
        size = min(self._ballast, self.free + _size(path) - _FOR_FILES)
        if size > _size(path):
            _allocate(path, size)

    def _look(self) -> bool:
        """What was deleted leaves room inside the database, which is taken first."""
        if not self.size:
            return False
        left, half = self.free - self.size, _UNDER_WAY // 2
        more = _MORE if self._is_low else 0
        has_room = left >= _UNDER_WAY + more or (left >= half and self._spare() >= half + more)
        return not has_room


def _size(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _allocate(path: Path, size: int) -> None:
    """Make the file that large; if the disk has no room for it, it stays as it is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return
    try:
        with suppress(OSError):
            os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def spare_bytes(connection: sqlite3.Connection) -> int:
    """Bytes inside the database that are free, for whatever comes."""
    pages = connection.execute("PRAGMA freelist_count").fetchone()[0]
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    return int(pages * size)


def spare_in(database: Path) -> int:
    """Likewise, of a database that is not open here; 0 if it cannot be read now."""
    try:
        where = f"file:{database}?mode=ro"
        with closing(sqlite3.connect(where, timeout=0.0, uri=True)) as connection:
            return spare_bytes(connection)
    except sqlite3.Error:
        return 0
