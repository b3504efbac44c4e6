"""Stanzas for other servers that wait until these can be reached, in order."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_USED: Final = (
    "SELECT count(nullif(size, 0)), coalesce(sum(size), 0) FROM outgoing WHERE remote = ?"
)
_USED_BY_ALL: Final = "SELECT coalesce(sum(size), 0) FROM outgoing"
_KNOWN: Final = "SELECT 1 FROM outgoing WHERE remote = ? AND local = ? AND frame = ?"
_KEEP: Final = (
    "INSERT INTO outgoing (remote, local, frame, at, size, stanza, sender)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
# Of one server or, if that is NULL, of all; `{}` is what is counted.
_OF_SENDER: Final = (
    "SELECT {} FROM outgoing WHERE size > 0 AND remote = coalesce(?, remote) AND sender = ?"
)
_GREEDIEST: Final = (
    "SELECT sender, {} AS used FROM outgoing WHERE size > 0 AND remote = coalesce(?, remote)"
    " GROUP BY sender ORDER BY used DESC LIMIT 1"
)
_OLDEST: Final = (
    "SELECT id, frame, at, stanza FROM outgoing WHERE size > 0 AND remote = coalesce(?, remote)"
    " AND sender = ? ORDER BY id"
)
_GIVE_UP: Final = "UPDATE outgoing SET size = 0 WHERE id = ?"
_PENDING: Final = (
    "SELECT id, frame, at, stanza FROM outgoing WHERE remote = ? AND local = ? AND id > ?"
    " ORDER BY id LIMIT ?"
)
_NEWEST: Final = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outgoing'"
_INSERT: Final = (
    "INSERT OR IGNORE INTO outgoing (id, remote, local, frame, at, size, stanza, sender)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
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
    """What was under way: the id of its row (0 = it has none yet), its frame, the stanza, when it
    came, and whose share of the queue it takes."""

    id: int
    frame: str
    stanza: bytes
    at: float
    sender: str = ""


class Kept(NamedTuple):
    """Whether it is kept, and what had to make room for it: that is still there, until it is
    forgotten, and no longer counted."""

    kept: bool
    displaced: tuple[Outgoing, ...] = ()


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
        self,
        remote: str,
        local: str,
        frame: str,
        stanza: bytes,
        at: float,
        room: Room,
        sender: str = "",
    ) -> Ticket[Kept]:
        """Keep one more of `sender`, who has a share of what waits.

        If there is no room, the oldest of who has most has to go; there is none for who would have
        most themselves.  A frame that is there already is not kept twice.
        """

        def keep(connection: sqlite3.Connection) -> Kept:
            if connection.execute(_KNOWN, (remote, local, frame)).fetchone() is not None:
                return Kept(True)
            if 0 < room.size < len(stanza):
                return Kept(False)
            count, size = connection.execute(_USED, (remote,)).fetchone()
            want = _Want(connection, sender, len(stanza))
            if room.messages and count >= room.messages and not want.displaces(remote, messages=1):
                return Kept(False)
            size -= want.freed
            if room.size and size + len(stanza) > room.size and not want.displaces(remote):
                return Kept(False)
            total = connection.execute(_USED_BY_ALL).fetchone()[0] if room.total else 0
            if total - want.freed > room.total and not want.displaces(None):
                return Kept(False)
            for one in want.displaced:
                connection.execute(_GIVE_UP, (one.id,))
            connection.execute(_KEEP, (remote, local, frame, at, len(stanza), stanza, sender))
            return Kept(True, tuple(want.displaced))

        return self._writer.submit(keep)

    def put_back(
        self, remote: str, local: str, returned: Sequence[Returned], after: int
    ) -> Ticket[Kept]:
        """These come first again, in this order: before all with a higher id than `after`.

        They get higher ids than all, and those behind them get still higher ones: ids only grow.
        What was taken once is not refused for want of room.
        """

        def put_back(connection: sqlite3.Connection) -> Kept:
            (newest,) = connection.execute(_NEWEST).fetchone()
            id = newest
            for id, one in enumerate(returned, newest + 1):
                if one.id:
                    connection.execute(_MOVE, (id, one.id))
                else:
                    row = (id, remote, local, one.frame, one.at, len(one.stanza), one.stanza)
                    connection.execute(_INSERT, (*row, one.sender))
            behind = (remote, local, after, newest)
            (first,) = connection.execute(_NEXT, behind).fetchone()
            if first is not None:
                connection.execute(_SHIFT, (newest + len(returned) + 1 - first, *behind))
            connection.execute(_NUMBERED)
            return Kept(True)

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


class _Want:
    """Somebody needs room for one more: what has to go for it, of whoever has most."""

    def __init__(self, connection: sqlite3.Connection, sender: str, size: int) -> None:
        self._connection = connection
        self._sender = sender
        self._size = size
        self.displaced: list[Outgoing] = []
        self.freed = 0  # bytes

    def displaces(self, remote: str | None, messages: int = 0) -> bool:
        """Choose among what waits for a server, or for all: that many messages, or as many bytes
        as are needed.  False if nobody has more than the sender would have."""
        counted, needed = ("count(*)", messages) if messages else ("sum(size)", self._size)
        greediest, used = self._one(_GREEDIEST.format(counted), remote) or ("", 0)
        (own,) = self._one(_OF_SENDER.format(counted), remote, self._sender) or (0,)
        if (own or 0) + needed > used or greediest == self._sender:
            return False
        gone, chosen = 0, {one.id for one in self.displaced}
        for row in self._connection.execute(_OLDEST, (remote, greediest)):
            one = Outgoing(*row)
            if one.id not in chosen:
                self.displaced.append(one)
                self.freed += len(one.stanza)
            gone += 1 if messages else len(one.stanza)
            if gone >= needed:
                break
        return True

    def _one(self, sql: str, *values: str | None) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        return row
