"""A copy of the database as it was at one moment, what is in such a copy, and going on from one."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from hausbote.base.files import free_bytes
from hausbote.storage.database import page_bytes
from hausbote.storage.errors import StorageError
from hausbote.storage.mark import id_of
from hausbote.storage.migrations import NEWEST

_PAGES: Final = 512  # copied in one step
_LEFT: Final = 16 * 1024 * 1024  # bytes that stay free beside the reserve: the log grows meanwhile
_PATIENCE: Final = 10.0  # seconds that a lock of SQLite's is waited for
# More than what is changed between a backup and the loss of the box; see `go_on_from`.
_ROSTER_VERSIONS: Final = 65_536
_ACCOUNT_IDS: Final = 1_000


class StoredFile(NamedTuple):
    """An uploaded file beside the database, as it was when it was uploaded."""

    size: int
    digest: bytes


def copy_database(source: Path, target: Path, reserve: int) -> None:
    """Copy the database as it is now to a new file, while others write it.

    One transaction reads all of it, so that what is written meanwhile is not in it, and nobody
    waits; the write-ahead log grows for as long.  Every step is followed by a pause as long as
    itself, which leaves half of the disk's time to others.  StorageError if fewer than `reserve`
    bytes would stay free, or if it cannot be read or written.
    """
    try:
        with closing(_connect(source)) as connection:
            connection.execute("BEGIN")
            needed = page_bytes(connection)  # the first read: from here on it is one moment
            free = free_bytes(target.parent)
            if free < needed + reserve + _LEFT:
                raise StorageError(
                    f"a copy of the database needs {needed >> 20} MB of the disk, which has"
                    f" {free >> 20} MB left, and {reserve + _LEFT >> 20} MB are to stay free",
                    full=True,
                )
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(target)) as copy:
                copy.execute("PRAGMA synchronous = off")  # it is read once, and made anew then
                connection.backup(copy, pages=_PAGES, progress=_pause(target.parent, reserve))
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{source} could not be copied: {error}") from None


def _pause(directory: Path, reserve: int) -> Callable[[int, int, int], None]:
    last = time.monotonic()

    def pause(_status: int, remaining: int, _total: int) -> None:
        nonlocal last
        if free_bytes(directory) < reserve:
            raise StorageError("the disk became full while the database was copied", full=True)
        if remaining:
            time.sleep(time.monotonic() - last)
        last = time.monotonic()

    return pause


class Copy:
    """A copy of a database that nobody writes: only read, whatever its version."""

    def __init__(self, path: Path) -> None:
        """StorageError if it is no database."""
        self.path = path
        try:
            self._connection = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
            self.version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.Error as error:
            raise StorageError(f"{path.name} is no database: {error}") from None

    def close(self) -> None:
        self._connection.close()

    @property
    def is_newer(self) -> bool:
        """Whether it was written by a newer Hausbote."""
        return self.version > NEWEST

    def rows(self) -> dict[str, int]:
        """How many rows each table has; StorageError if that cannot be read."""
        try:
            tables = [name for (name,) in self._connection.execute(_TABLES)]
            return {name: self._number(f'SELECT count(*) FROM "{name}"') for name in tables}
        except sqlite3.Error as error:
            raise StorageError(f"the database is damaged: {error}") from None

    def files(self) -> dict[str, StoredFile]:
        """All files beside it, by id; StorageError likewise."""
        try:
            beside = " WHERE content IS NULL" if self._has("upload", "content") else ""
            if not self._has("upload", "id"):
                return {}
            found = self._connection.execute(f"SELECT id, size, digest FROM upload{beside}")
            return {id: StoredFile(size, bytes(digest)) for id, size, digest in found}
        except sqlite3.Error as error:
            raise StorageError(f"the database is damaged: {error}") from None

    def damaged_files(self) -> Iterator[str]:
        """Ids of small files inside it that are not what was uploaded; StorageError likewise."""
        try:
            if not self._has("upload", "content"):
                return
            sql = "SELECT id, digest, content FROM upload WHERE content IS NOT NULL"
            for id, digest, content in self._connection.execute(sql):
                if hashlib.sha256(content).digest() != digest:
                    yield id
        except sqlite3.Error as error:
            raise StorageError(f"the database is damaged: {error}") from None

    def _has(self, table: str, column: str) -> bool:
        sql = "SELECT count(*) FROM pragma_table_info(?) WHERE name = ?"
        return bool(self._connection.execute(sql, (table, column)).fetchone()[0])

    def _number(self, sql: str) -> int:
        return int(self._connection.execute(sql).fetchone()[0])


_TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
)


def go_on_from(path: Path, mark: Path) -> None:
    """Make a database that was copied some time ago fit to be used again, and write the mark that
    knows it; StorageError if that is not possible.

    What others know of the time that is lost must not be mistaken for what comes:

    - Sessions that waited for their clients are older than what these know.
    - A client may have a later version of its roster, and would miss changes that get that number:
      versions jump, and everybody gets the whole roster once.
    - Nor may a new account get the number of one that is lost: versions of rosters begin by it.
    """
    try:
        with closing(_connect(path)) as connection:
            connection.execute("PRAGMA synchronous = full")
            connection.execute("BEGIN IMMEDIATE")
            for (table,) in connection.execute(_OF_SESSIONS).fetchall():
                connection.execute(f"DELETE FROM {table}")
            connection.execute(
                "UPDATE account SET roster_version = roster_version + :more,"
                " roster_floor = roster_version + :more",
                {"more": _ROSTER_VERSIONS},
            )
            connection.execute(
                "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'account'", (_ACCOUNT_IDS,)
            )
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            id = id_of(connection)
        mark.write_text(f"{id}\n", "ascii")
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{path.name} cannot be used: {error}") from None


_OF_SESSIONS: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('session', 'session_shared')"
)


def copy_small_database(source: Path, target: Path) -> None:
    """The same for a database of somebody else that is small; StorageError likewise."""
    try:
        with closing(_connect(source)) as connection, closing(sqlite3.connect(target)) as copy:
            connection.backup(copy)
        target.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{source} could not be copied: {error}") from None


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None
    )
