"""Where an account wants its notifications pushed (XEP-0357)."""

import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_HOLDERS: Final = "SELECT DISTINCT local FROM push JOIN account ON account.id = account_id"
_LOAD: Final = (
    "SELECT jid, node, resource, options FROM push"
    " JOIN account ON account.id = account_id WHERE local = ?"
)
_ID: Final = "SELECT id FROM account WHERE local = ?"
_COUNT: Final = "SELECT count(*) FROM push WHERE account_id = ? AND NOT (jid = ? AND node = ?)"
_PUT: Final = (
    "INSERT OR REPLACE INTO push (account_id, jid, node, resource, options) VALUES (?, ?, ?, ?, ?)"
)
_REMOVE: Final = (
    "DELETE FROM push WHERE account_id = (SELECT id FROM account WHERE local = :local)"
    " AND jid = :jid AND (:node IS NULL OR node = :node)"
)


class PushService(NamedTuple):
    """`resource` is that of the client that wants it, `options` the form that goes with every
    publication, as XML; "" without one."""

    jid: str
    node: str
    resource: str
    options: str


class Pushes:
    """Push services by account.  Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def holders(self) -> set[str]:
        """The accounts that have any."""
        return {local for (local,) in self._reader.execute_sql(_HOLDERS)}

    def load(self, local: str) -> list[PushService]:
        return [PushService(*row) for row in self._reader.execute_sql(_LOAD, (local,))]

    def put(self, local: str, service: PushService, limit: int) -> bool:
        """Add or replace one; False if the account has `limit` others (0 = no limit)."""

        def put(connection: sqlite3.Connection) -> bool:
            row = connection.execute(_ID, (local,)).fetchone()
            if row is None:
                return False
            others = connection.execute(_COUNT, (row[0], service.jid, service.node)).fetchone()[0]
            if 0 < limit <= others:
                return False
            connection.execute(_PUT, (row[0], *service))
            return True

        return self._writer.submit(put).wait()

    def remove(self, local: str, jid: str, node: str | None) -> bool:
        """Remove that node, or all of the service; False if there was none."""
        row = {"local": local, "jid": jid, "node": node}
        return self._writer.submit(lambda c: c.execute(_REMOVE, row).rowcount > 0).wait()
