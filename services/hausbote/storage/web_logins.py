"""Tokens with which a page of the portal logs in, once each and within minutes.

Each is of a browser, which is a client of its account, and ends with it.  Only a hash is kept: who
reads the database, or a copy of it, cannot log in by what is here.
"""

import hashlib
import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_AT_ONCE: Final = 8  # of one browser; each of its tabs has one for a moment
_CLIENT: Final = (
    "SELECT client.id FROM client JOIN account ON account.id = account_id"
    " WHERE local = ? AND agent = ? AND NOT locked"
)
_MAKE_ROOM: Final = (
    "DELETE FROM web_login WHERE client_id = ?1 AND (expires <= ?2 OR digest NOT IN"
    " (SELECT digest FROM web_login WHERE client_id = ?1 ORDER BY expires DESC LIMIT ?3))"
)
_PUT: Final = "INSERT INTO web_login (digest, client_id, expires) VALUES (?, ?, ?)"
_TAKE: Final = "DELETE FROM web_login WHERE digest = ? RETURNING client_id, expires"
_WHOSE: Final = (
    "SELECT local, agent FROM client JOIN account ON account.id = account_id"
    " WHERE client.id = ? AND NOT locked"
)


class WebLogin(NamedTuple):
    """Who may log in: the account, and the id of the browser."""

    local: str
    agent: str


class WebLogins:
    """Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def issue(self, local: str, agent: str, secret: str, now: int, expires: int) -> bool:
        """Keep a token of a browser; False if there is no such browser, or the account is locked.

        Times are in seconds since 1970.  Of one browser the newest are good.
        """

        def issue(connection: sqlite3.Connection) -> bool:
            row = connection.execute(_CLIENT, (local, agent)).fetchone()
            if row is None:
                return False
            connection.execute(_MAKE_ROOM, (*row, now, _AT_ONCE - 1))
            connection.execute(_PUT, (_digest(secret), *row, expires))
            return True

        return self._writer.submit(issue).wait()

    def use(self, secret: str, now: float) -> WebLogin | None:
        """Whose a token is, and nobody's any more; None if it is over, or never was."""
        digest = _digest(secret)

        def use(connection: sqlite3.Connection) -> WebLogin | None:
            taken = connection.execute(_TAKE, (digest,)).fetchone()
            if taken is None or taken[1] <= now:
                return None
            row = connection.execute(_WHOSE, (taken[0],)).fetchone()
            return None if row is None else WebLogin(*row)

        known = "SELECT 1 FROM web_login WHERE digest = ?"
        if self._reader.execute_sql(known, (digest,)).fetchone() is None:
            return None  # what anybody makes up costs no write
        return self._writer.submit(use).wait()


def end_web_logins(connection: sqlite3.Connection, client: int) -> None:
    """End those of a client; the writer's own."""
    connection.execute("DELETE FROM web_login WHERE client_id = ?", (client,))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
