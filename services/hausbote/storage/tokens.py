"""Tokens that stand in for a password, each for one client and one mechanism (XEP-0484).

A client has at most two: the one that it uses, and a new one that it may or may not have got.
The token is the key of the mechanism's HMAC, so it is kept as it is; see docs/login.md.  The last
two that ended are kept in a table of their own, which logs nobody in: who shows one of them is told
that it is over, and without the key it could not be told from a wrong one.
"""

import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

CURRENT: Final = 0
NEW: Final = 1
ENDED: Final = -1

_REMEMBERED: Final = 2  # tokens of one client that ended: as many as may end at once
_OF: Final = (
    "SELECT slot, mechanism, secret, issued, expires, count FROM token"
    " JOIN client ON client.id = client_id JOIN account ON account.id = account_id"
    " WHERE local = ? AND agent = ? AND NOT locked ORDER BY slot DESC"
)
_ENDED_OF: Final = (
    "SELECT mechanism, secret FROM ended_token"
    " JOIN client ON client.id = client_id JOIN account ON account.id = account_id"
    " WHERE local = ? AND agent = ? AND NOT locked"
)
_CLIENT: Final = (
    "SELECT client.id FROM client JOIN account ON account.id = account_id"
    " WHERE local = ? AND agent = ? AND NOT locked"
)
_COUNT: Final = "SELECT count FROM token WHERE client_id = ? AND slot = ? AND secret = ?"
_PROMOTE: Final = "UPDATE token SET slot = ?, count = ? WHERE client_id = ? AND slot = ?"
_PUT: Final = (
    "INSERT INTO token (client_id, slot, mechanism, secret, issued, expires, count)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_REMEMBER: Final = (
    "INSERT INTO ended_token (client_id, mechanism, secret)"
    " SELECT client_id, mechanism, secret FROM token"
    " WHERE client_id = ? AND slot BETWEEN ? AND ? ORDER BY slot"
)
_FORGET: Final = (
    "DELETE FROM ended_token WHERE client_id = ?1 AND id NOT IN"
    " (SELECT id FROM ended_token WHERE client_id = ?1 ORDER BY id DESC LIMIT ?2)"
)
_END: Final = "DELETE FROM token WHERE client_id = ? AND slot BETWEEN ? AND ?"


class Token(NamedTuple):
    """`secret` is what the client was given; times are in seconds since 1970.

    `counted` is what the client has counted its logins up to.  One whose `slot` is ENDED has no
    times, and is good for nothing but being told so.
    """

    slot: int
    mechanism: str
    secret: str
    issued: int
    expires: int
    counted: int = 0


class Tokens:
    """Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def of(self, local: str, agent: str) -> list[Token]:
        """The new one first; none of a locked account.  Expired ones are among them."""
        rows = self._reader.execute_sql(_OF, (local, agent)).fetchall()
        return [Token(*row) for row in rows]

    def ended(self, local: str, agent: str) -> list[Token]:
        """The last two that ended, in no order; none of a locked account."""
        rows = self._reader.execute_sql(_ENDED_OF, (local, agent)).fetchall()
        return [Token(ENDED, mechanism, secret, 0, 0) for mechanism, secret in rows]

    def issue(self, local: str, agent: str, fresh: Token) -> bool:
        """Keep one as the client's new token; False without such a client."""

        def issue(connection: sqlite3.Connection) -> bool:
            row = connection.execute(_CLIENT, (local, agent)).fetchone()
            if row is None:
                return False
            _put(connection, row[0], fresh)
            return True

        return self._writer.submit(issue).wait()

    def use(
        self,
        local: str,
        agent: str,
        used: Token,
        *,
        count: int = 0,
        discard: bool = False,
        fresh: Token | None = None,
    ) -> bool:
        """Note that the client has logged in with `used`; False if that is not valid any more.

        A `count` must be higher than all before; 0, which is none, is good for a token that was
        never used with one: without that, whoever replays a login would leave out its count
        (XEP-0484 §3.4).  The first use of a new token ends the one before it; `discard` ends all.
        """

        def use(connection: sqlite3.Connection) -> bool:
            client = connection.execute(_CLIENT, (local, agent)).fetchone()
            if client is None:
                return False
            row = connection.execute(_COUNT, (*client, used.slot, used.secret)).fetchone()
            if row is None or (row[0] and count <= row[0]):
                return False
            if discard:
                end_tokens(connection, client[0])
            else:
                _note_use(connection, client[0], used.slot, max(count, row[0]))
            if fresh is not None:
                _put(connection, client[0], fresh)
            return True

        return self._writer.submit(use).wait()


def end_tokens(
    connection: sqlite3.Connection, client: int, first: int = CURRENT, last: int = NEW
) -> None:
    """End the tokens of a client in these slots; the writer's own."""
    connection.execute(_REMEMBER, (client, first, last))
    connection.execute(_FORGET, (client, _REMEMBERED))
    connection.execute(_END, (client, first, last))


def _note_use(connection: sqlite3.Connection, client: int, slot: int, count: int) -> None:
    if slot == NEW:
        end_tokens(connection, client, CURRENT, CURRENT)
    connection.execute(_PROMOTE, (CURRENT, count, client, slot))


def _put(connection: sqlite3.Connection, client: int, fresh: Token) -> None:
    end_tokens(connection, client, fresh.slot, fresh.slot)
    connection.execute(_PUT, (client, *fresh))
