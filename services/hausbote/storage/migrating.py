"""Brings a database file to the version that this code reads (PRAGMA user_version).

Each step of `migrations.py` runs in a transaction of its own, and before the first one a copy of
the file is kept beside it.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hausbote.base.files import free_bytes
from hausbote.storage.database import connect, page_bytes, path_of
from hausbote.storage.errors import StorageError
from hausbote.storage.mark import check_same, check_there
from hausbote.storage.migrations import STEPS
from hausbote.storage.reserve import make_way


def schema_version(url: str) -> int:
    """The version of a database; 0 if there is none yet."""
    path = path_of(url)
    if not path.exists():
        return 0
    make_way(path)
    with _alone(path), closing(connect(path)) as database:
        return _version(database.connection())


def migrate(url: str, mark: Path | None = None, *, has_copy: bool = False) -> tuple[int, int]:
    """Bring the database to the current version and return (version before, version now).

    `mark` is the file that knows the box's database: see `mark.py`.  Who `has_copy` of it already
    needs no other one.  StorageError if the database
    is newer than this program, cannot be written, or is not the one that the mark knows.  Several
    processes may do this at once.
    """
    path = path_of(url)
    try:
        make_way(path)
        with _alone(path):
            if mark is not None and (not path.exists() or not path.stat().st_size):
                check_there(path, mark)
            _touch(path)
            with closing(connect(path)) as database:
                versions = _bring_up_to_date(database.connection(), path, has_copy)
                if mark is not None:
                    check_same(database.connection(), path, mark)
                return versions
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{path} could not be brought up to date: {error}") from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: SQLite does not wait when several turn a new file to WAL mode."""
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _bring_up_to_date(
    connection: sqlite3.Connection, path: Path, has_copy: bool
) -> tuple[int, int]:
    before = _version(connection)
    if before > len(STEPS):
        raise StorageError(
            f"{path} was written by a newer Hausbote (version {before}, this one knows "
            f"{len(STEPS)}): update Hausbote, or restore a backup"
        )
    if 0 < before < len(STEPS) and not has_copy:
        _backup(connection, path.with_name(f"{path.name}.backup-v{before}"))
    for number in range(before, len(STEPS)):
        _run(connection, number)
    return before, len(STEPS)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _run(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        STEPS[number](connection)
        connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _backup(connection: sqlite3.Connection, path: Path) -> None:
    half = path.with_name(f"{path.name}.part")
    for left in (half, half.with_name(f"{half.name}-journal")):  # from a process that was killed
        left.unlink(missing_ok=True)
    size, free = page_bytes(connection), free_bytes(path.parent)
    if free < size:
        raise StorageError(
            f"{path} is kept before anything changes, and needs {size >> 20} MB of the disk, which"
            f" has {free >> 20} MB left: 'hausbote purge' tells what could go"
        )
    try:
        _touch(half)
        with closing(sqlite3.connect(half)) as copy:
            connection.backup(copy)
        half.rename(path)
    finally:
        half.unlink(missing_ok=True)


def _touch(path: Path) -> None:
    """Make the file if need be: its owner's eyes only, and so SQLite makes those beside it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
