"""What people have reported to the administrators of the box, until one of them has seen to it."""

import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

MOST_OF_ONE: Final = 50  # reports of an account; the oldest go
MOST_REPORTS: Final = 1_000
_ADD: Final = (
    "INSERT INTO abuse_report (account_id, at, jid, reason, text)"
    " SELECT id, ?, ?, ?, ? FROM account WHERE local = ?"
)
_TRIM_ONE: Final = (
    "DELETE FROM abuse_report WHERE account_id = (SELECT id FROM account WHERE local = ?1)"
    " AND id NOT IN (SELECT id FROM abuse_report WHERE account_id ="
    " (SELECT id FROM account WHERE local = ?1) ORDER BY id DESC LIMIT ?2)"
)
_TRIM: Final = (
    "DELETE FROM abuse_report WHERE id NOT IN"
    " (SELECT id FROM abuse_report ORDER BY id DESC LIMIT ?)"
)
_NEWEST: Final = (
    "SELECT abuse_report.id, at, account.local, jid, reason, text FROM abuse_report"
    " JOIN account ON account.id = account_id ORDER BY abuse_report.id DESC LIMIT ?"
)


class AbuseReport(NamedTuple):
    """`at` is in seconds since 1970, `reason` the URI of XEP-0377, `text` what was written with
    it."""

    id: int
    at: float
    reporter: str
    jid: str
    reason: str
    text: str


class AbuseReports:
    """The newest of each account; they go with it."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, reporter: str, at: float, jid: str, reason: str, text: str) -> Ticket[None]:
        def add(connection: sqlite3.Connection) -> None:
            connection.execute(_ADD, (at, jid, reason, text, reporter))
            connection.execute(_TRIM_ONE, (reporter, MOST_OF_ONE))
            connection.execute(_TRIM, (MOST_REPORTS,))

        return self._writer.submit(add)

    def newest(self, limit: int) -> list[AbuseReport]:
        """The last one first."""
        return [AbuseReport(*row) for row in self._reader.execute_sql(_NEWEST, (limit,))]

    def count(self) -> int:
        row = self._reader.execute_sql("SELECT count(*) FROM abuse_report").fetchone()
        return int(row[0])

    def forget(self, id: int) -> bool:
        """Somebody has seen to it; False if there is no such report."""

        def forget(connection: sqlite3.Connection) -> bool:
            return connection.execute("DELETE FROM abuse_report WHERE id = ?", (id,)).rowcount > 0

        return self._writer.submit(forget).wait()
