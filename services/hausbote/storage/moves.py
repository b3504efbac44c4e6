"""Accounts that are being imported: nobody sees one before it is whole.

It is written under a name that no address can have, by the same means as any other, and for as long
as that takes; then one transaction gives it its own name.  What a process that was killed leaves is
known by that name.
"""

import sqlite3
from typing import Final

from peewee import SqliteDatabase

from hausbote.storage.accounts import HIDDEN, Accounts, Keys, insert, put_keys
from hausbote.storage.errors import StorageError
from hausbote.storage.writer import Writer

_UNFINISHED: Final = f"SELECT local FROM account WHERE local GLOB '{HIDDEN}*'"
_FINISH: Final = (
    "UPDATE account SET local = ?1, locked = ?2, admin = ?3,"
    " created = CASE ?4 WHEN 0 THEN created ELSE ?4 END WHERE local = ?5 RETURNING id"
)
_NODES: Final = "UPDATE pubsub_node SET service = ? WHERE service = ?"


class Moves:
    """Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer, accounts: Accounts) -> None:
        self._reader = reader
        self._writer = writer
        self._accounts = accounts

    def begin(self, local: str) -> str:
        """A new account that nobody sees; returns the name by which its contents are written."""
        hidden = HIDDEN + local

        def begin(connection: sqlite3.Connection) -> bool:
            return insert(connection, hidden, {}, locked=True)

        if not self._writer.submit(begin).wait():
            raise StorageError(f"{local} is being imported already")
        return hidden

    def finish(
        self,
        local: str,
        keys: Keys,
        *,
        locked: bool = False,
        admin: bool = False,
        created: int = 0,
    ) -> bool:
        """The account is whole: from now on it is there for everybody, made at that time (0 =
        now).  False if there is one of that name; then nothing is changed."""
        hidden = HIDDEN + local

        def finish(connection: sqlite3.Connection) -> bool:
            taken = connection.execute("SELECT 1 FROM account WHERE local = ?", (local,))
            if taken.fetchone() is not None:
                return False
            row = (local, locked, admin, created, hidden)
            (id,) = connection.execute(_FINISH, row).fetchone()
            put_keys(connection, id, keys)
            connection.execute(_NODES, (local, hidden))
            return True

        return self._writer.submit(finish).wait()

    def clear(self) -> int:
        """Delete what imports have left that were cut off; returns of how many accounts."""
        hidden = [local for (local,) in self._reader.execute_sql(_UNFINISHED).fetchall()]
        for local in hidden:
            self._accounts.delete(local, local)
        return len(hidden)
