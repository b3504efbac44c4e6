"""The database as it was before an upgrade: a copy beside it, which can take its place again.

Nobody may have the database open meanwhile.  Whatever is cut off can be done once more.
"""

import os
import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from hausbote.base.files import free_bytes, sync_directory
from hausbote.storage.database import page_bytes
from hausbote.storage.errors import StorageError
from hausbote.storage.migrations import NEWEST

_LEFT: Final = 16 * 1024 * 1024  # bytes that stay free besides
_OF_VERSION: Final = re.compile(r"\.backup-v(\d+)$")
_LOGS: Final = ("-wal", "-shm", "-journal")  # what SQLite has beside a database


def copy_of(database: Path) -> Path:
    """Where the copy lies while an upgrade is tried."""
    return database.with_name(f"{database.name}.before-upgrade")


def keep_copy(database: Path) -> None:
    """Make the copy, all of it on the disk; StorageError if that is not possible."""
    _write_copy(database, copy_of(database))


def forget_copy(database: Path) -> None:
    """Remove the copy."""
    _remove(copy_of(database))


def copy_before_migration(database: Path, version: int) -> None:
    """Make the copy that is kept of a version, all of it on the disk; StorageError likewise."""
    unfinished = database.with_name(f"{database.name}.backup.part")
    _write_copy(database, unfinished)
    unfinished.rename(_kept_of(database, version))
    sync_directory(database.parent)


def forget_earlier_copies(database: Path, version: int) -> None:
    """Of the copies from before migrations only that of the last one is kept, from this version:
    nobody goes back further, and what people have deleted since is to be gone."""
    for kept, path in copies_by_version(database).items():
        if kept != version:
            path.unlink(missing_ok=True)


def _write_copy(database: Path, copy: Path) -> None:
    _remove(copy)
    try:
        with closing(_open(database)) as connection:
            size, free = page_bytes(connection), free_bytes(database.parent)
            if free < size + _LEFT:
                raise StorageError(
                    f"the database is kept as it is before anything changes, which needs"
                    f" {size + _LEFT >> 20} MB of the disk, and {free >> 20} MB are left: 'hausbote"
                    " purge' tells what could go",
                    full=True,
                )
            os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(copy)) as target:
                connection.backup(target)
        _sync(copy)
        sync_directory(copy.parent)
    except (sqlite3.Error, OSError) as error:
        _remove(copy)
        raise StorageError(f"{database} could not be copied: {error}") from None


def _remove(copy: Path) -> None:
    """Also what SQLite has left beside it if it was killed: that would spoil the next one."""
    for end in ("", *_LOGS):
        copy.with_name(copy.name + end).unlink(missing_ok=True)


def put_back(copy: Path, database: Path, aside: Path | None = None) -> None:
    """Let the copy be the database again, and put `aside` what was there, or delete it.

    If the copy is gone, that is done already.
    """
    if not copy.exists():
        return
    if aside is not None and database.exists():
        with suppress(sqlite3.Error), closing(_open(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.rename(aside)
    for log in _LOGS:  # of what was there: to the copy it would be nonsense
        database.with_name(database.name + log).unlink(missing_ok=True)
    sync_directory(database.parent)
    copy.rename(database)
    sync_directory(database.parent)


def keep_what_is_new(database: Path) -> None:
    """The new version is in use: the copy stays as that of its version, if that is another one, and
    earlier ones go."""
    copy = copy_of(database)
    if not copy.exists():
        return
    before, now = version_in(copy), version_in(database)
    if before == now:
        forget_copy(database)
    else:
        forget_earlier_copies(database, before)
        copy.rename(_kept_of(database, before))
        sync_directory(database.parent)


def copies_by_version(database: Path) -> dict[int, Path]:
    """Those from before migrations, by their versions."""
    kept = {}
    for path in database.parent.glob(f"{database.name}.backup-v*"):
        if found := _OF_VERSION.search(path.name):
            kept[int(found[1])] = path
    return kept


def last_copy(database: Path) -> Path | None:
    """The last copy from before a migration that this program can read."""
    kept = {
        version: path for version, path in copies_by_version(database).items() if version <= NEWEST
    }
    return kept[max(kept)] if kept else None


def undone_of(database: Path) -> Path:
    """Where the newer database is after its copy was put back."""
    return database.with_name(f"{database.name}.undone")


def version_in(path: Path) -> int:
    """The version of a database that may be of a newer program; StorageError."""
    try:
        with closing(_open(path)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be read: {error}") from None


def _kept_of(database: Path, version: int) -> Path:
    return database.with_name(f"{database.name}.backup-v{version}")


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=10.0)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
