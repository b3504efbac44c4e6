"""A file in the state directory that knows the box's database by an id, which is kept in both.

A database that is missing or empty looks like that of a new box: nobody could log in, and what
comes would go into the wrong file.  So does a disk that is not mounted.
"""

import secrets
import sqlite3
from pathlib import Path
from typing import Final

from hausbote.storage.errors import StorageError

_NAME: Final = "database"  # of the id among the secrets of the database
_INSERT: Final = "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)"


def check_there(path: Path, mark: Path) -> None:
    """StorageError if a database that is missing or empty was used before."""
    if mark.exists():
        raise StorageError(
            f"The database {path} is missing or empty, but this box has been used: is its disk"
            " mounted? Put the database or a backup of it in its place. Only to begin anew"
            f" without accounts and messages, delete {mark}."
        )


def check_same(connection: sqlite3.Connection, path: Path, mark: Path) -> None:
    """Make the mark of a database that has none; StorageError if it is another one's."""
    id = id_of(connection)
    try:
        known = mark.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        mark.write_text(f"{id}\n", "ascii")
        return
    if known != id:
        raise StorageError(
            f"{path} is not the database that this box has used until now. Put that one in its"
            f" place, or delete {mark} if this one is to be used from now on."
        )


def id_of(connection: sqlite3.Connection) -> str:
    """What the mark has of a database; one that has no id gets one."""
    connection.execute(_INSERT, (_NAME, secrets.token_bytes(32)))
    row = connection.execute("SELECT value FROM secret WHERE name = ?", (_NAME,)).fetchone()
    return bytes(row[0]).hex()
