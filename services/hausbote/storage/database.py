"""Opening the SQLite file: always by the same settings."""

import sqlite3
from pathlib import Path
from typing import Final

from peewee import SqliteDatabase

from hausbote.storage.errors import StorageError

_PREFIX: Final = "sqlite:///"
_PRAGMAS: Final = (
    ("page_size", 1_024),  # of new files; what a message changes goes to disk in whole pages
    ("journal_mode", "wal"),
    ("synchronous", "full"),
    ("foreign_keys", 1),
    ("secure_delete", 1),
    ("busy_timeout", 10_000),
    ("cache_size", -2_000),
    ("wal_autocheckpoint", 1_000),
    ("journal_size_limit", 8_388_608),
)


def path_of(url: str) -> Path:
    """The file of a database URL; StorageError for any other kind of URL."""
    if not url.startswith(_PREFIX):
        raise StorageError(f"database must be {_PREFIX}FILE, which {url} is not")
    return Path(url.removeprefix(_PREFIX))


def connect(path: Path) -> SqliteDatabase:
    """An open database for one thread; StorageError if the file cannot be opened."""
    database = SqliteDatabase(
        str(path), pragmas=_PRAGMAS, thread_safe=False, check_same_thread=False
    )
    try:
        database.connect()
    except Exception as error:  # noqa: BLE001 - peewee wraps the driver's errors in its own
        raise StorageError(f"the database {path} cannot be opened: {error}") from None
    return database


def page_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the database."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    return int(pages * connection.execute("PRAGMA page_size").fetchone()[0])
