"""Brings a database file to the version that this code reads (PRAGMA user_version).

The steps of `migrations.py` that are missing run in one transaction: whatever cuts it off, the file
is that of the one program or of the other.  Before that, a copy of it is kept beside it.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from hausbote.storage.before_upgrade import copy_before_migration, forget_earlier_copies
from hausbote.storage.database import connect, path_of
from hausbote.storage.errors import StorageError
from hausbote.storage.mark import check_same, check_there
from hausbote.storage.migrations import STEPS, Step
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
    needs no other one.  StorageError if the database is newer than this program, cannot be written,
    or is not the one that the mark knows.  Several processes may do this at once.
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
    needs_copy = 0 < before < len(STEPS) and not has_copy
    if needs_copy:
        copy_before_migration(path, before)
    if before < len(STEPS):
        _run(connection, STEPS[before:], len(STEPS))
    if needs_copy:
        forget_earlier_copies(path, before)
    return before, len(STEPS)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _run(connection: sqlite3.Connection, steps: Sequence[Step], version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps:
            step(connection)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _touch(path: Path) -> None:
    """Make the file if need be: its owner's eyes only, and so SQLite makes those beside it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
