"""Stanzas for other servers that wait until these can be reached, in order."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_USED: Final = "SELECT count(*), coalesce(sum(size), 0) FROM outgoing WHERE remote = ?"
_USED_BY_ALL: Final = "SELECT coalesce(sum(size), 0) FROM outgoing"
_KNOWN: Final = "SELECT 1 FROM outgoing WHERE remote = ? AND local = ? AND frame = ?"
_KEEP: Final = (
    "INSERT INTO outgoing (remote, local, frame, at, size, stanza) VALUES (?, ?, ?, ?, ?, ?)"
)
_PENDING: Final = (
    "SELECT id, frame, at, stanza FROM outgoing WHERE remote = ? AND local = ? AND id > ?"
    " ORDER BY id LIMIT ?"
)
_NEWEST: Final = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outgoing'"
_INSERT: Final = (
    "INSERT OR IGNORE INTO outgoing (id, remote, local, frame, at, size, stanza)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_MOVE: Final = "UPDATE outgoing SET id = ? WHERE id = ?"
_NEXT: Final = "SELECT min(id) FROM outgoing WHERE remote = ? AND local = ? AND id > ? AND id <= ?"
_SHIFT: Final = (
    "UPDATE outgoing SET id = id + ? WHERE remote = ? AND local = ? AND id > ? AND id <= ?"
)
_NUMBERED: Final = (
    "UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM outgoing) WHERE name = 'outgoing'"
    " AND seq < (SELECT max(id) FROM outgoing)"
)
_DISCARD: Final = "DELETE FROM outgoing WHERE remote = ? AND local = ? AND id <= ?"
_LATE: Final = (
    "SELECT id, frame, at, stanza FROM outgoing WHERE at < ? AND id > ? ORDER BY id LIMIT ?"
)
_FORGET: Final = "DELETE FROM outgoing WHERE frame = ?"
_WAITING: Final = (
    "SELECT remote, local, count(*), min(at), sum(size) FROM outgoing GROUP BY remote, local"
    " ORDER BY remote, local"
)


class Room(NamedTuple):
    """How much may wait; 0 = no limit."""

    messages: int  # for one server
    size: int  # bytes, for one server
    total: int  # bytes, for all


class Outgoing(NamedTuple):
    """A packed stanza, the name that its frame had on the bus, and when it came."""

    id: int
    frame: str
    at: float
    stanza: bytes


class Returned(NamedTuple):
    """What was under way: the id of its row (0 = it has none yet), its frame and the stanza."""

    id: int
    frame: str
    stanza: bytes


class Waiting(NamedTuple):
    """What waits between two domains; `since` is in seconds since 1970."""

    remote: str
    local: str
    messages: int
    since: float
    size: int


class OutgoingQueue:
    """By the domain of another server and that of ours."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def keep(
        self, remote: str, local: str, frame: str, stanza: bytes, at: float, room: Room
    ) -> Ticket[bool]:
        """Keep one more; the ticket's value is False if there is no room.

        A frame that is there already is not kept twice.
        """

        def keep(connection: sqlite3.Connection) -> bool:
            if connection.execute(_KNOWN, (remote, local, frame)).fetchone() is not None:
                return True
            count, size = connection.execute(_USED, (remote,)).fetchone()
            if room.messages and count >= room.messages:
                return False
            if room.size and size + len(stanza) > room.size:
                return False
            if room.total and connection.execute(_USED_BY_ALL).fetchone()[0] > room.total:
                return False
            connection.execute(_KEEP, (remote, local, frame, at, len(stanza), stanza))
            return True

        return self._writer.submit(keep)

    def put_back(
        self, remote: str, local: str, returned: Sequence[Returned], at: float, after: int
    ) -> Ticket[bool]:
        """These come first again, in this order: before all with a higher id than `after`.

        They get higher ids than all, and those behind them get still higher ones: ids only grow.
        What was taken once is not refused for want of room.
        """

        def put_back(connection: sqlite3.Connection) -> bool:
            (newest,) = connection.execute(_NEWEST).fetchone()
            id = newest
            for id, one in enumerate(returned, newest + 1):
                if one.id:
                    connection.execute(_MOVE, (id, one.id))
                else:
                    row = (id, remote, local, one.frame, at, len(one.stanza), one.stanza)
                    connection.execute(_INSERT, row)
            behind = (remote, local, after, newest)
            (first,) = connection.execute(_NEXT, behind).fetchone()
            if first is not None:
                connection.execute(_SHIFT, (newest + len(returned) + 1 - first, *behind))
            connection.execute(_NUMBERED)
            return True

        return self._writer.submit(put_back)

    def pending(self, remote: str, local: str, after: int, limit: int) -> list[Outgoing]:
        """The oldest with a higher id, of all that were given to `keep` before."""
        row = (remote, local, after, limit)
        if self._writer.idle:
            return [Outgoing(*found) for found in self._reader.execute_sql(_PENDING, row)]
        found = self._writer.submit(lambda c: c.execute(_PENDING, row).fetchall()).wait()
        return [Outgoing(*one) for one in found]

    def discard(self, remote: str, local: str, up_to: int) -> Ticket[None]:
        """Forget those up to that id: the other server has them."""
        return self._writer.insert(_DISCARD, (remote, local, up_to))

    def late(self, before: float, after: int, limit: int) -> list[Outgoing]:
        """The oldest with a higher id that came before that time, of all servers."""
        return [Outgoing(*row) for row in self._reader.execute_sql(_LATE, (before, after, limit))]

    def forget(self, frame: str) -> Ticket[None]:
        """Its sender was told that it did not arrive.  Its id may be another one by now."""
        return self._writer.insert(_FORGET, (frame,))

    def waiting(self) -> list[Waiting]:
        """What waits, by domains."""
        return [Waiting(*row) for row in self._reader.execute_sql(_WAITING)]
