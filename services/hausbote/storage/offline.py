"""Messages that wait for their account to come online (XEP-0160)."""

import sqlite3
import sys
from contextlib import closing
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage import arrivals
from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_USED: Final = (
    "SELECT count(*), coalesce(sum(size), 0) FROM offline"
    " JOIN account ON account.id = account_id WHERE local = ?"
)
_KEEP: Final = (
    "INSERT INTO offline (account_id, at, stanza, size)"
    " SELECT id, ?, ?, ? FROM account WHERE local = ?"
)
_PENDING: Final = (
    "SELECT offline.id, stanza, at FROM offline JOIN account ON account.id = account_id"
    " WHERE local = ? ORDER BY offline.id"
)
_DISCARD: Final = (
    "DELETE FROM offline WHERE account_id = (SELECT id FROM account WHERE local = ?) AND id <= ?"
)


class OfflineMessage(NamedTuple):
    """A packed stanza and when it came, in seconds since 1970."""

    id: int
    stanza: bytes
    at: float


def _messages(connection: sqlite3.Connection, local: str, size: int) -> list[OfflineMessage]:
    messages = []
    with closing(connection.execute(_PENDING, (local,))) as rows:
        for row in rows:
            messages.append(OfflineMessage(*row))
            size -= len(messages[-1].stanza)
            if size <= 0:
                break
    return messages


class OfflineMessages:
    """Kept messages by account, in the order in which they came."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def keep(
        self,
        local: str,
        stanza: bytes,
        at: float,
        limit: int,
        limit_bytes: int = 0,
        name: int = 0,
    ) -> Ticket[bool]:
        """Keep one more; the ticket's value is False if the account has `limit` then, or would
        have more than `limit_bytes` (0 = no limit).

        `name` is that of its arrival, if it may come again: it is noted in the same transaction.
        """

        def keep(connection: sqlite3.Connection) -> bool:
            if limit or limit_bytes:
                count, size = connection.execute(_USED, (local,)).fetchone()
                if 0 < limit <= count or 0 < limit_bytes < size + len(stanza):
                    return False
            if name:
                connection.execute(arrivals.PUT, (name, 0))
            return connection.execute(_KEEP, (at, stanza, len(stanza), local)).rowcount > 0

        return self._writer.submit(keep)

    def pending(self, local: str, size: int = sys.maxsize) -> list[OfflineMessage]:
        """The oldest that were given to `keep` before, until they have `size` bytes or more."""
        if self._writer.idle:  # as good as always, and ten times quicker than asking the writer
            return _messages(self._reader.connection(), local, size)
        return self._writer.submit(lambda connection: _messages(connection, local, size)).wait()

    def discard(self, local: str, up_to: int) -> None:
        """Delete those up to that id."""
        self._writer.insert(_DISCARD, (local, up_to)).wait()

    def count(self, local: str) -> int:
        return int(self._reader.execute_sql(_USED, (local,)).fetchone()[0])
