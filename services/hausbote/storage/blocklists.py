"""Whom an account has blocked (XEP-0191)."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_ID: Final = "SELECT id FROM account WHERE local = ?"
_HOLDERS: Final = (
    "SELECT DISTINCT local FROM blocked JOIN account ON account.id = account_id"  # few, if any
)
_LOAD: Final = (
    "SELECT jid FROM blocked JOIN account ON account.id = account_id WHERE local = ? ORDER BY jid"
)
_COUNT: Final = "SELECT count(*) FROM blocked WHERE account_id = ?"


class BlockLists:
    """JIDs by account.  Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def holders(self) -> set[str]:
        """The accounts that block anybody at all."""
        return {local for (local,) in self._reader.execute_sql(_HOLDERS)}

    def load(self, local: str) -> list[str]:
        return [jid for (jid,) in self._reader.execute_sql(_LOAD, (local,))]

    def add(self, local: str, jids: Sequence[str], limit: int) -> bool:
        """Block all of these, or none and False if that would be more than `limit` (0 = none)."""

        def add(connection: sqlite3.Connection) -> bool:
            row = connection.execute(_ID, (local,)).fetchone()
            if row is None:
                return False
            connection.execute("SAVEPOINT block")
            connection.executemany(
                "INSERT OR IGNORE INTO blocked (account_id, jid) VALUES (?, ?)",
                [(row[0], jid) for jid in jids],
            )
            fits = not 0 < limit < connection.execute(_COUNT, row).fetchone()[0]
            if not fits:
                connection.execute("ROLLBACK TO block")
            connection.execute("RELEASE block")
            return fits

        return self._writer.submit(add).wait()

    def remove(self, local: str, jids: Sequence[str]) -> None:
        """Unblock these; those that are not blocked do not matter."""

        def remove(connection: sqlite3.Connection) -> None:
            row = connection.execute(_ID, (local,)).fetchone()
            for jid in jids if row is not None else ():
                connection.execute(
                    "DELETE FROM blocked WHERE account_id = ? AND jid = ?", (row[0], jid)
                )

        self._writer.submit(remove).wait()
