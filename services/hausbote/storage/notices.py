"""What administrators want everybody to read: a message of the day, a welcome (XEP-0133)."""

import sqlite3
from typing import Final

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

MOTD: Final = "motd"  # the name of the message of the day
_SEE: Final = (
    "INSERT OR IGNORE INTO notice_seen (account_id, name)"
    " SELECT account.id, notice.name FROM account, notice WHERE local = ? AND notice.name = ?"
)


class Notices:
    """Texts by name, each with the accounts that have seen it."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def get(self, name: str) -> str | None:
        row = self._reader.execute_sql("SELECT text FROM notice WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, text: str) -> None:
        """Replace it; nobody has seen the new one."""

        def replace(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM notice WHERE name = ?", (name,))
            connection.execute("INSERT INTO notice (name, text) VALUES (?, ?)", (name, text))

        self._writer.submit(replace).wait()

    def edit(self, name: str, text: str) -> None:
        """Correct it; who has seen it is not shown it again."""
        put = (
            "INSERT INTO notice (name, text) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET text = excluded.text"
        )
        self._writer.insert(put, (name, text)).wait()

    def remove(self, name: str) -> None:
        self._writer.insert("DELETE FROM notice WHERE name = ?", (name,)).wait()

    def see(self, local: str, name: str) -> bool:
        """Note that the account is shown it; False if it was before, or if there is none."""
        return self._writer.submit(lambda c: c.execute(_SEE, (local, name)).rowcount > 0).wait()
