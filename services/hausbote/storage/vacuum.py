"""Giving what is free inside the database back to the disk."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from hausbote.base.files import free_bytes
from hausbote.storage.database import connect, path_of
from hausbote.storage.errors import StorageError
from hausbote.storage.reserve import give_up_ballast, spare_bytes


def shrink(url: str) -> int:
    """Write the database anew without what is free inside it, and return how many bytes that was.

    Nobody else may have it open.  StorageError if the disk has no room for both; then the old one
    stays.
    """
    path = path_of(url)
    half = path.with_name(f"{path.name}.part")
    before = path.stat().st_size
    give_up_ballast(path)  # it is made again when there is room
    try:
        half.unlink(missing_ok=True)
        with closing(connect(path)) as database:
            _check(database.connection(), path)
            os.close(os.open(half, os.O_CREAT | os.O_WRONLY, 0o600))
            database.connection().execute("VACUUM INTO ?", (str(half),))
        if path.with_name(f"{path.name}-wal").exists():
            raise StorageError(f"{path} cannot be made smaller while somebody has it open")
        with open(half, "rb") as file:
            os.fsync(file.fileno())
        half.rename(path)
        directory = os.open(path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{path} could not be made smaller: {error}") from None
    finally:
        half.unlink(missing_ok=True)
    return before - path.stat().st_size


def _check(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    needed, free = path.stat().st_size - spare_bytes(connection), free_bytes(path.parent)
    if free < needed:
        raise StorageError(
            f"{path} cannot be made smaller: that needs {needed >> 20} MB of the disk, which has "
            f"{free >> 20} MB left"
        )
