"""When an account was last here, and what it said when it left (XEP-0012)."""

from typing import NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer


class LastSeen(NamedTuple):
    """`at` is in seconds since 1970, `status` the text of the last unavailable presence."""

    at: float
    status: str


class LastActivity:
    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def left(self, local: str, at: float, status: str) -> None:
        """Note that the last session of an account ended; not waited for."""
        sql = (
            "INSERT OR REPLACE INTO activity (account_id, at, status)"
            " SELECT id, ?, ? FROM account WHERE local = ?"
        )
        self._writer.insert(sql, (at, status, local))

    def last(self, local: str) -> LastSeen | None:
        """None if the account was never here."""
        sql = (
            "SELECT at, status FROM activity JOIN account ON account.id = account_id"
            " WHERE local = ?"
        )
        row = self._reader.execute_sql(sql, (local,)).fetchone()
        return None if row is None else LastSeen(*row)
