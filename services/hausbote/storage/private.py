"""Private XML: one piece per root element's name, for its owner alone (XEP-0049)."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_GET: Final = (
    "SELECT xml FROM private_xml JOIN account ON account.id = account_id"
    " WHERE local = ? AND ns = ? AND name = ?"
)
_ALL: Final = (
    "SELECT ns, name, xml FROM private_xml JOIN account ON account.id = account_id"
    " WHERE local = ? ORDER BY ns, name"
)
_PUT: Final = (
    "INSERT OR REPLACE INTO private_xml (account_id, ns, name, xml)"
    " SELECT id, ?, ?, ? FROM account WHERE local = ?"
)
_USED: Final = (
    "SELECT count(*), coalesce(sum(length(xml)), 0) FROM private_xml"
    " JOIN account ON account.id = account_id WHERE local = ?"
)


class Piece(NamedTuple):
    """A root element's namespace and name, and its XML."""

    ns: str
    name: str
    xml: str


class PrivateStorage:
    """Pieces by account."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def get(self, local: str, ns: str, name: str) -> str | None:
        row = self._reader.execute_sql(_GET, (local, ns, name)).fetchone()
        return None if row is None else str(row[0])

    def all(self, local: str) -> list[Piece]:
        return [Piece(*row) for row in self._reader.execute_sql(_ALL, (local,)).fetchall()]

    def put(
        self, local: str, pieces: Sequence[Piece], max_pieces: int, max_size: int
    ) -> Ticket[bool]:
        """Keep all of them, or none and False if the account had too much then (0 = no limit)."""

        def put(connection: sqlite3.Connection) -> bool:
            connection.execute("SAVEPOINT pieces")
            for piece in pieces:
                connection.execute(_PUT, (*piece, local))
            count, size = connection.execute(_USED, (local,)).fetchone()
            fits = not (0 < max_pieces < count or 0 < max_size < size)
            if not fits:
                connection.execute("ROLLBACK TO pieces")
            connection.execute("RELEASE pieces")
            return fits

        return self._writer.submit(put)
