"""Sessions that wait for their clients while the clients' service is restarted."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_PUT: Final = (
    "INSERT OR REPLACE INTO session (id, account_id, until, handled, state)"
    " SELECT ?, id, ?, ?, ? FROM account WHERE local = ?"
)
_ALL: Final = (
    "SELECT session.id, local, until, handled, state FROM session"
    " JOIN account ON account.id = account_id ORDER BY until"
)


class StoredSession(NamedTuple):
    """`id` is what its client resumes it by, `until` when it ends, in seconds since 1970, `handled`
    how many stanzas of its client were; an empty `state` is that of one that has ended."""

    id: str
    local: str
    until: float
    handled: int
    state: bytes


class Sessions:
    """What was kept is taken once: whoever is killed afterwards has nothing that would be true."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def keep(self, sessions: Sequence[StoredSession]) -> Ticket[None]:
        rows = [(one.id, one.until, one.handled, one.state, one.local) for one in sessions]

        def keep(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT, rows)

        return self._writer.submit(keep)

    def take(self) -> list[StoredSession]:
        """All of them; they are kept no longer."""
        found = [StoredSession(*row) for row in self._reader.execute_sql(_ALL)]
        if found:
            self._writer.insert("DELETE FROM session", ()).wait()
        return found
