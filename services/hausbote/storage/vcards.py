"""What people say of themselves: one vCard per account (XEP-0054)."""

from typing import Final

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_GET: Final = "SELECT xml FROM vcard JOIN account ON account.id = account_id WHERE local = ?"
_PUT: Final = (
    "INSERT OR REPLACE INTO vcard (account_id, xml) SELECT id, ? FROM account WHERE local = ?"
)


class Vcards:
    """vCards by account; their XML is opaque here."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def get(self, local: str) -> str | None:
        row = self._reader.execute_sql(_GET, (local,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, local: str, xml: str) -> Ticket[None]:
        return self._writer.insert(_PUT, (xml, local))
